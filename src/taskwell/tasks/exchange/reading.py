"""The state of one reading of a file: its time zone, its lists, and what was left out."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from taskwell.errors import Invalid
from taskwell.tasks.exchange.record import ListRecord, printable

MAX_KINDS = 100
"""The number of kinds that a report names; all further ones count as ``OTHERS``."""
OTHERS = "other things"


@dataclass(slots=True)
class Ignored:
    """One kind of content that was left out."""

    what: str
    count: int
    example: str


class LeftOut:
    """All content of a file that Taskwell cannot store."""

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
        """Adds a list, even if no task is in it. The tasks of the file name it by ``key``."""
        try:
            self.lists.append(ListRecord.model_validate({**values, "key": key}))
        except ValidationError:
            self.left_out.add("lists that cannot be read", values)


def tag(name: object) -> str:
    """A tag without commas and line breaks, which other programs allow."""
    return " ".join(str(name).replace(",", " ").split())


def unknown_file(detail: str) -> Invalid:
    """The error for a file of an unknown format."""
    return Invalid.field("file", detail, "unknown_format")
