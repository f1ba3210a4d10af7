"""What went wrong, as a `Fault` in httpx's vocabulary.

The table at the end is the only place where exceptions become faults. Its words are ours: neither the key nor anything
that the server wrote is in them.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import h11
import httpcore2

from probe.client.reply import BadEncoding
from probe.client.transport import Network
from probe.records import Fault
from probe.wire import Journal


def timeout_in(journal: Journal, timeout_s: float, network: Network) -> Fault:
    """The deadline passed: in which phase says what kind of timeout it is."""
    if journal.first_byte is not None:
        kind, wait = "ReadTimeout", "for the end of the reply"
    elif journal.sent is not None:
        kind, wait = "ReadTimeout", "for the first byte"
    elif journal.writing is not None:
        kind, wait = "WriteTimeout", "for the request to be taken"
    elif journal.is_resolving:
        kind, wait = "ConnectTimeout", "for getaddrinfo"
    elif journal.stream is not None:
        tunnel = network.proxy is not None and journal.tls_s is None
        kind, wait = "ConnectTimeout", "for the tunnel and its TLS handshake" if tunnel else "for the TLS handshake"
    else:
        kind = "ConnectTimeout" if network.proxy is None else "ProxyError"
        wait = "for a TCP connection" if network.proxy is None else "for a TCP connection to the proxy"
    return Fault(kind, f"timed out after {timeout_s:g} s waiting {wait}")


def fault_of(error: Exception, journal: Journal, network: Network) -> Fault:
    """An exception of the table as a fault. What goes wrong with our own proxy, before the request, is a ProxyError."""
    kind, words = next(entry for known, entry in FAULTS.items() if isinstance(error, known))
    in_tls = isinstance(error, httpcore2.ConnectError) and journal.stream is not None
    if network.proxy is not None and journal.writing is None and kind in _PROXY_FAULTS and not in_tls:
        return Fault("ProxyError", f"{words(error)} (talking to the proxy)")
    return Fault(kind, words(error))


def _unquoted(error: Exception) -> str:
    """h11's sentence without the bytes of the server (or of ours) that it quotes."""
    return re.split(r":? *(?:bytearray\(|b['\"])", str(error), maxsplit=1)[0]


def _proxy_status(error: Exception) -> str:
    """The proxy's answer to CONNECT: its number, and the standard's phrase for it instead of the proxy's own."""
    status = str(error)[:3]
    try:
        return f"{status} {HTTPStatus(int(status)).phrase}"
    except ValueError:
        return "unknown status"


_PROXY_FAULTS: Final = ("ConnectError", "ConnectTimeout", "ReadError", "WriteError", "RemoteProtocolError")

# Exception -> (kind in httpx's vocabulary, its words). Those of `wire` are in our own words already.
FAULTS: Final[dict[type[Exception], tuple[str, Callable[[Exception], str]]]] = {
    httpcore2.ConnectTimeout: ("ConnectTimeout", str),
    httpcore2.ConnectError: ("ConnectError", str),
    httpcore2.ReadError: ("ReadError", str),
    httpcore2.WriteError: ("WriteError", str),
    httpcore2.ProxyError: ("ProxyError", _proxy_status),
    httpcore2.RemoteProtocolError: ("RemoteProtocolError", _unquoted),
    httpcore2.LocalProtocolError: ("LocalProtocolError", _unquoted),
    h11.RemoteProtocolError: ("RemoteProtocolError", _unquoted),
    h11.LocalProtocolError: ("LocalProtocolError", _unquoted),
    httpcore2.UnsupportedProtocol: ("UnsupportedProtocol", _unquoted),
    BadEncoding: ("DecodingError", str),
}
KNOWN: Final[tuple[type[Exception], ...]] = tuple(FAULTS)
