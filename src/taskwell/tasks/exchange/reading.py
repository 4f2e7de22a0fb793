"""What reading a file is about: who reads it, and what of the file Taskwell has no place for."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from taskwell.errors import Invalid
from taskwell.tasks.exchange.record import ListRecord, printable

MAX_KINDS = 100
"""How many kinds of things a report names; those beyond count as ``OTHERS``."""
OTHERS = "other things"


@dataclass(slots=True)
class Ignored:
    """One kind of thing in the file that was left out."""

    what: str
    count: int
    example: str


class LeftOut:
    """All that a file holds and Taskwell has no place for."""

    def __init__(self) -> None:
        self._kinds: dict[str, Ignored] = {}

    def add(self, what: str, example: object = "", count: int = 1) -> None:
        what = printable(what)
        if what not in self._kinds and len(self._kinds) >= MAX_KINDS:
            what = OTHERS
        if what in self._kinds:
            self._kinds[what].count += count
        else:
            self._kinds[what] = Ignored(what, count, printable(str(example)))

    def kinds(self) -> list[Ignored]:
        return list(self._kinds.values())


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one file.

    Attributes:
        zone: The time zone of days and of times that name none.
        lists: The lists that the file names for themselves, in their order.
    """

    zone: ZoneInfo
    left_out: LeftOut = field(default_factory=LeftOut)
    lists: list[ListRecord] = field(default_factory=list)

    def add_list(self, key: str, values: dict[str, Any]) -> None:
        """A list that is there even where no task is in it; ``key`` is what the file's tasks name it by."""
        try:
            self.lists.append(ListRecord.model_validate({**values, "key": key}))
        except ValidationError:
            self.left_out.add("lists that cannot be read", values)


def tag(name: object) -> str:
    """A tag of a program that has commas and line breaks in them."""
    return " ".join(str(name).replace(",", " ").split())


def unknown_file(detail: str) -> Invalid:
    """What a file is refused with that is none of those which Taskwell reads."""
    return Invalid.field("file", detail, "unknown_format")
