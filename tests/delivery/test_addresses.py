"""Which addresses a user's URL may lead to."""

import asyncio
from ipaddress import ip_address

import pytest

from taskwell.delivery.addresses import is_public, resolve
from taskwell.mail.attempts import Undelivered

OURS = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
]
THE_INTERNETS = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", OURS)
def test_addresses_of_this_machine_and_its_network_are_not_public(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", THE_INTERNETS)
def test_addresses_of_the_internet_are_public(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "0"])
async def test_every_spelling_of_loopback_is_refused_after_looking_it_up(host: str):
    with pytest.raises(Undelivered):
        await resolve(host, 80, allow_private=False)


async def test_of_a_name_with_several_addresses_only_the_public_ones_are_used(monkeypatch: pytest.MonkeyPatch):
    async def looked_up(*_: object, **__: object):
        return [(0, 0, 0, "", (address, 80)) for address in ("10.0.0.1", "1.1.1.1", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", looked_up)

    assert await resolve("example.com", 80, allow_private=False) == ["1.1.1.1"]


async def test_a_name_that_is_not_known_is_said_to_be_so():
    with pytest.raises(Undelivered, match="cannot be found"):
        await resolve("nowhere.invalid", 80, allow_private=False)
