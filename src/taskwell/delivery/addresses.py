"""Which network addresses a user's URL may lead to.

A user's URL must not reach this server, its network or the cloud's metadata service. So the name is looked up
here, and each address is checked. The connection goes to the checked address: a second lookup could give another.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from taskwell.mail.attempts import Undelivered

Address = IPv4Address | IPv6Address

MAX_TRIED = 4
"""The number of addresses that are tried for one name."""

PUBLIC_BUT_LOCAL = frozenset({ip_address("168.63.129.16")})
"""Azure's service for its virtual machines, on a public address."""

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052 section 2.1: the last 32 bits are an IPv4 address."""


async def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The allowed addresses of a host, in the order in which to try them.

    Raises:
        Undelivered: there is no allowed address.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise Undelivered(f"The name {host} cannot be found.") from error
    texts = dict.fromkeys(str(address[0]) for *_, address in found)
    allowed = [text for text in texts if allow_private or is_public(ip_address(text.partition("%")[0]))]
    if not allowed:
        raise Undelivered(f"{host} is an address of this machine or its network, where nothing is sent.")
    return allowed[:MAX_TRIED]


def is_public(address: Address) -> bool:
    """Whether an address is public, also if it is embedded in another address."""
    if isinstance(address, IPv6Address):
        if address in NAT64 or address.ipv4_mapped is not None:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        return address.is_global and address in GLOBAL_UNICAST and address.sixtofour is None
    return address.is_global and not address.is_multicast and address not in PUBLIC_BUT_LOCAL
