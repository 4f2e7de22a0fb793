"""Passwords as the product hashes them; the other tests make it cheap."""

from importlib.util import find_spec, module_from_spec
from types import ModuleType


def as_delivered() -> ModuleType:
    """The module anew, with nothing that the tests have changed in it."""
    spec = find_spec("taskwell.security.passwords")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module := module_from_spec(spec))
    return module


async def test_a_password_is_hashed_with_twelve_rounds_of_bcrypt():
    passwords = as_delivered()

    hashed = await passwords.hash_password("engine 1843")

    assert hashed.startswith("$2b$12$")
    assert passwords._NOBODY.startswith(b"$2b$12$")
    assert await passwords.is_password("engine 1843", hashed)
    assert not await passwords.is_password("engine 1844", hashed)
    passwords._THREADS.shutdown()
