"""Whose connection it is; the server has read ``X-Forwarded-For`` where a trusted proxy wrote it."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import Scope

UNKNOWN = "unknown"


def client_address(scope: Scope) -> str:
    """The address of the client, in one spelling."""
    address = _parse(scope["client"][0]) if scope.get("client") else None
    return UNKNOWN if address is None else str(address)


def address_group(address: str) -> str:
    """What is limited together: an IPv4 address, or the /64 that one IPv6 customer has at the least."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also IPv4 in IPv6 as dual-stack sockets show it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
