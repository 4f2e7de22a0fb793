"""Passwords as the product hashes them; the other tests make it cheap."""

from importlib.util import find_spec, module_from_spec
from types import ModuleType

import pytest

from taskwell.security import passwords
from taskwell.security.passwords import hash_password, is_password

STORED_LONG_AGO = "$2b$04$7I/a/uNoRtVEm7FF.uamsOF9OUH.lqsT4tx0j4KmM0cuuQIKjQBEG"


def as_delivered() -> ModuleType:
    """The module anew, with nothing that the tests have changed in it."""
    spec = find_spec("taskwell.security.passwords")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module := module_from_spec(spec))
    return module


async def test_a_password_is_hashed_with_twelve_rounds_of_bcrypt():
    delivered = as_delivered()

    hashed = await delivered.hash_password("engine 1843")

    assert hashed.startswith("$2b$12$")
    assert delivered._NOBODY.startswith(b"$2b$12$")
    assert await delivered.is_password("engine 1843", hashed)
    assert not await delivered.is_password("engine 1844", hashed)
    delivered._THREADS.shutdown()


async def test_a_hash_that_was_stored_long_ago_is_still_that_of_its_password():
    assert await is_password("engine 1843", STORED_LONG_AGO)
    assert not await is_password("engine 1844", STORED_LONG_AGO)


async def test_where_there_is_no_account_no_password_is_right(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "_NOBODY", (await hash_password("nobody's 1")).encode())

    assert not await is_password("nobody's 1", None)


@pytest.mark.parametrize("last", ["1", "2"])
async def test_a_password_counts_to_its_last_character(last: str):
    assert await is_password("é" * 127 + last, await hash_password("é" * 127 + "1")) == (last == "1")


async def test_a_password_is_the_same_from_every_keyboard():
    assert await is_password("cafe\u0301 1843", await hash_password("caf\u00e9 1843"))
