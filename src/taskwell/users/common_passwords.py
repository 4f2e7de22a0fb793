"""The passwords that are guessed first."""

from functools import cache
from importlib.resources import files


def is_common(password: str) -> bool:
    """Whether it is one of the most common passwords, however it is capitalised."""
    return password.strip().casefold() in _common()


@cache
def _common() -> frozenset[str]:
    lines = files("taskwell.users").joinpath("common-passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))
