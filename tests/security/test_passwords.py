"""Passwords: every hash that was ever stored opens its account, and nothing else does."""

from importlib.util import module_from_spec

import pytest

from taskwell.security import passwords
from taskwell.security.passwords import hash_password, is_password

STORED_LONG_AGO = "$2b$04$7I/a/uNoRtVEm7FF.uamsOF9OUH.lqsT4tx0j4KmM0cuuQIKjQBEG"


async def test_a_hash_that_was_stored_long_ago_is_still_that_of_its_password():
    assert await is_password("engine 1843", STORED_LONG_AGO)
    assert not await is_password("engine 1844", STORED_LONG_AGO)


def test_a_guess_costs_what_the_security_page_says_and_as_much_where_there_is_no_account():
    assert passwords.__spec__ is not None
    assert passwords.__spec__.loader is not None
    untouched = module_from_spec(passwords.__spec__)  # the tests' own have a lower cost
    passwords.__spec__.loader.exec_module(untouched)

    assert untouched.COST == 12
    assert untouched._NOBODY.startswith(b"$2b$12$")


async def test_where_there_is_no_account_no_password_is_right(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "_NOBODY", (await hash_password("nobody's 1")).encode())

    assert not await is_password("nobody's 1", None)


@pytest.mark.parametrize("last", ["1", "2"])
async def test_a_password_counts_to_its_last_character(last: str):
    assert await is_password("é" * 127 + last, await hash_password("é" * 127 + "1")) == (last == "1")


async def test_a_password_is_the_same_from_every_keyboard():
    assert await is_password("cafe\u0301 1843", await hash_password("caf\u00e9 1843"))
