"""Which addresses a document may be fetched from: no way into the cluster that we run in.

A contract is a file that people pass on, and a name in it may resolve to anything. So a name must lead to public
addresses only; what is private is reached only where the URL itself names that very address, or ``localhost``.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: a gateway turns its last 32 bits into IPv4


def refusal(host: str, addresses: Sequence[str]) -> str | None:
    """Why nothing is fetched from `host`, whose name leads to `addresses` (a literal: to itself); None: go on.

    Link-local addresses, where clouds keep their metadata service, are refused even where they are named.
    """
    found = [_meant(ipaddress.ip_address(address)) for address in addresses]
    if any(address.is_link_local for address in found):
        return "the address is link-local: nothing is fetched from there"
    if _is_literal(host):
        return None
    if _name(host) == "localhost":
        return None if all(address.is_loopback for address in found) else "localhost leads to another machine"
    if not all(address.is_global and not address.is_multicast for address in found):
        return "the name leads to an address that is not public: name the address itself to reach it"
    return None


def literal_refusal(host: str) -> str | None:
    """What can be said without resolving: all that can be where a proxy does the resolving."""
    return refusal(host, [host]) if _is_literal(host) else None


def _name(host: str) -> str:
    return host.lower().removesuffix(".")


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
