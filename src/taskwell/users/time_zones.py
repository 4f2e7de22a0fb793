"""The names of time zones that a user may choose."""

from functools import cache
from importlib.resources import files


def is_time_zone(name: str) -> bool:
    """Whether it is a name of the IANA database, as it is on every machine that runs this version."""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())
