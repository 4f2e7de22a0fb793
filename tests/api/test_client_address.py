"""Whose connection it is; how the server reads what proxies say is in tests/cli/test_proxies.py."""

import pytest

from taskwell.api.client_address import address_group, client_address


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        (("198.51.100.1", 1), "198.51.100.1"),
        (("2001:DB8::0007", 1), "2001:db8::7"),
        (("::ffff:203.0.113.7", 1), "203.0.113.7"),
        (("not an address", 1), "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_has_one_spelling(peer: tuple[str, int] | None, client: str):
    assert client_address({"client": peer}) == client


def test_a_whole_ipv6_network_is_one_client():
    assert address_group("2001:db8:1:2::3") == address_group("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert address_group("2001:db8:1:3::3") != address_group("2001:db8:1:2::3")
    assert address_group("203.0.113.7") == "203.0.113.7"
