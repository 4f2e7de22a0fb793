"""Whose connection it is, behind proxies and without."""

import pytest

from taskwell.api.client_address import address_group, client_address
from taskwell.settings import Settings


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.7"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.7, not an address, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.7:55123"], "203.0.113.7"),
        ("::1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("/run/taskwell.sock", ["203.0.113.7"], "/run/taskwell.sock"),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_trusted_proxys(peer: str, forwarded: list[str], client: str):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    trusted = Settings(_env_file=None, trusted_proxies="10.0.0.0/8, ::1/128").trusted_proxies

    assert client_address({"client": (peer, 1), "headers": headers}, trusted) == client


def test_a_whole_ipv6_network_is_one_client():
    assert address_group("2001:db8:1:2::3") == address_group("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert address_group("2001:db8:1:3::3") != address_group("2001:db8:1:2::3")
    assert address_group("203.0.113.7") == "203.0.113.7"
