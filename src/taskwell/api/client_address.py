"""Whose connection it is, also behind proxies; only what a trusted proxy says is believed."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""The address of whoever comes through a Unix socket."""


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The address of the client.

    ``X-Forwarded-For`` is read from its end, where our own proxies write: the first address that is not one of
    theirs is the client's. What stands before it, the client may have made up.
    """
    peer = scope["client"][0] if scope.get("client") else UNKNOWN
    nearest = _parse(peer)
    if nearest is None or not _is_trusted(nearest, trusted):
        return str(nearest or peer)
    for hop in reversed(_forwarded(scope)):
        address = _parse(hop)
        if address is None:
            break
        nearest = address
        if not _is_trusted(address, trusted):
            break
    return str(nearest)


def address_group(address: str) -> str:
    """What is limited together: an IPv4 address, or the /64 that one IPv6 customer has at the least."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address


def _forwarded(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [part.strip() for value in values for part in value.split(",")]


def _parse(text: str) -> Address | None:
    """An address, also with a port as some proxies write it, or IPv4 in IPv6 as dual-stack sockets show it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
