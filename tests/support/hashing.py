"""Passwords that are hashed in no time: the real cost of 12 takes a quarter of a second each."""

from typing import TYPE_CHECKING

from taskwell.security import passwords

if TYPE_CHECKING:
    import pytest

COST, _NOBODY = passwords.COST, passwords._NOBODY
_QUICK_NOBODY = b"$2b$04$CeWVTNxqShI9KuJjxDXY6.knDSe51mWwjv/ffGlMROoccZ0OoCRW2"


def make_quick() -> None:
    """For this process, where there is an account as well as where there is none."""
    passwords.COST, passwords._NOBODY = 4, _QUICK_NOBODY


def make_real(monkeypatch: "pytest.MonkeyPatch") -> None:
    """For one test, whatever it costs."""
    monkeypatch.setattr(passwords, "COST", COST)
    monkeypatch.setattr(passwords, "_NOBODY", _NOBODY)
