"""What a browser wrote instead of an answer, in the client's words: one table, so that the rules for faults decide.

Chromium writes the names of its net_error_list.h into `_error`, Safari the system's sentences; Firefox writes nothing.
Our own exchange.har holds the client's words already.
One code stands for several causes here and there (a certificate's date is wrong, or the clock is): then the words
choose the row whose label is uncertain.
"""

from collections.abc import Mapping
from typing import Final

import re2

from probe.records import Fault

UNKNOWN: Final = Fault("TransportError", "the browser recorded no answer and no known cause")

_NO_NAME: Final = Fault("ConnectError", "Temporary failure in name resolution")
_REFUSED: Final = Fault("ConnectError", "Connection refused")
_RESET: Final = Fault("ReadError", "Connection reset by peer")
_CLOSED: Final = Fault("RemoteProtocolError", "Server disconnected without sending a response.")
_OFFLINE: Final = Fault("ConnectError", "Network is unreachable")
_NO_ROUTE: Final = Fault("ConnectError", "No route to host")
_NO_CONNECTION_IN_TIME: Final = Fault("ConnectTimeout", "timed out")
_NO_ANSWER_IN_TIME: Final = Fault("ReadTimeout", "timed out")
_CUT: Final = Fault("RemoteProtocolError", "peer closed connection without sending complete message body")
_NO_HTTP: Final = Fault("RemoteProtocolError", "illegal message")
_UNDECODABLE: Final = Fault("DecodingError", "the body does not decode as announced")
_WRONG_CERTIFICATE: Final = Fault("ConnectError", "certificate verify failed")
_NO_TLS: Final = Fault("ConnectError", "TLS handshake failed")
_PROXY: Final = Fault("ProxyError", "the proxy did not let it through")
_OWN_RESOURCES: Final = Fault("PoolTimeout", "no resources were left in the browser")
_NOT_SENT: Final = Fault("LocalProtocolError", "stopped in the browser, by the page itself, an extension or a policy")

_CODES: Final[Mapping[str, Fault]] = {
    "NAME_NOT_RESOLVED": _NO_NAME,
    "NAME_RESOLUTION_FAILED": _NO_NAME,
    "CONNECTION_REFUSED": _REFUSED,
    "CONNECTION_FAILED": Fault("ConnectError", "All connection attempts failed"),
    "CONNECTION_TIMED_OUT": _NO_CONNECTION_IN_TIME,
    "TIMED_OUT": _NO_ANSWER_IN_TIME,
    "CONNECTION_RESET": _RESET,
    "CONNECTION_ABORTED": Fault("ReadError", "Connection aborted"),
    "CONNECTION_CLOSED": _CLOSED,
    "EMPTY_RESPONSE": _CLOSED,
    "SOCKET_NOT_CONNECTED": _CLOSED,
    "ADDRESS_UNREACHABLE": _NO_ROUTE,
    "ADDRESS_INVALID": _NO_ROUTE,
    "INTERNET_DISCONNECTED": _OFFLINE,
    "NETWORK_CHANGED": _OFFLINE,
    "NETWORK_IO_SUSPENDED": _OFFLINE,
    "NETWORK_ACCESS_DENIED": _OFFLINE,
    "TUNNEL_CONNECTION_FAILED": _PROXY,
    "CERT_DATE_INVALID": Fault("ConnectError", "certificate has expired, or the clock is wrong"),
    "CERT_COMMON_NAME_INVALID": Fault("ConnectError", "Hostname mismatch, certificate verify failed"),
    "CERT_AUTHORITY_INVALID": Fault("ConnectError", "unable to get issuer certificate"),
    "CERT_REVOKED": Fault("ConnectError", "certificate revoked"),
    "CONTENT_DECODING_FAILED": _UNDECODABLE,
    "CONTENT_LENGTH_MISMATCH": _CUT,
    "INCOMPLETE_CHUNKED_ENCODING": _CUT,
    "RESPONSE_HEADERS_TRUNCATED": _CUT,
    "INVALID_RESPONSE": _NO_HTTP,
    "INVALID_HTTP_RESPONSE": _NO_HTTP,
    "INVALID_CHUNKED_ENCODING": _NO_HTTP,
    "TOO_MANY_REDIRECTS": Fault("TooManyRedirects", "Exceeded maximum allowed redirects."),
    "INSUFFICIENT_RESOURCES": _OWN_RESOURCES,
    "OUT_OF_MEMORY": _OWN_RESOURCES,
    "ABORTED": _NOT_SENT,
    "INVALID_URL": _NOT_SENT,
    "UNSAFE_PORT": _NOT_SENT,
    "DISALLOWED_URL_SCHEME": _NOT_SENT,
}
_FAMILIES: Final[Mapping[str, Fault]] = {
    "DNS_": _NO_NAME,
    "PROXY_": _PROXY,
    "SOCKS_": _PROXY,
    "MANDATORY_PROXY_": _PROXY,
    "CERT_": _WRONG_CERTIFICATE,
    "SSL_": _NO_TLS,
    "HTTP2_": _NO_HTTP,
    "QUIC_": _NO_HTTP,
    "BLOCKED_BY_": _NOT_SENT,
}
# Three of Safari's sentences were read in public reports; the others, and what Firefox writes, are from memory.
_SENTENCES: Final[Mapping[str, Fault]] = {
    "hostname could not be found": _NO_NAME,
    "could not connect to the server": _REFUSED,
    "connection was lost": _RESET,
    "appears to be offline": _OFFLINE,
    "request timed out": _NO_ANSWER_IN_TIME,
    "secure connection to the server cannot be made": _NO_TLS,
    "certificate for this server is invalid": _WRONG_CERTIFICATE,
}
_OURS: Final = re2.compile(r"(?s)\A([A-Z][A-Za-z]{2,40}(?:Error|Timeout|Protocol|Redirects)): (.*)")
_CODE: Final = re2.compile(r"\bERR_([A-Z0-9_]{2,60})\b")


def fault(error: str) -> Fault:
    """The fault that a recorded error means."""
    ours = _OURS.match(error)
    if ours is not None:
        return Fault(ours[1], ours[2])
    code = _CODE.search(error[:500])
    if code is not None:
        name = code[1]
        families = (known for prefix, known in _FAMILIES.items() if name.startswith(prefix))
        known = _CODES.get(name) or next(families, None)
        if known is not None:
            return Fault(known.kind, f"{known.message} (net::ERR_{name})" if name in _CODES else known.message)
        return UNKNOWN
    said = error[:500].lower()
    return next((known for sentence, known in _SENTENCES.items() if sentence in said), UNKNOWN)
