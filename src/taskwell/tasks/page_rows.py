"""What the statement of a page has found, read as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from taskwell.database import Build, Query
from taskwell.database.base import Processor
from taskwell.database.query import Step, shaped
from taskwell.tasks.queries import Column

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Projection(Generic[T]):
    """What to read of each task, and the value it makes; a contract may read its wire form directly."""

    columns: tuple[Column, ...]
    shape: Any


@dataclass(frozen=True, slots=True)
class PageRows(Generic[T]):
    """What the statement of a page has found.

    Attributes:
        items: One more than the limit where there is a next page.
        keys: Each row's sort key and id, as the driver gives them.
    """

    version: str
    total: int | None
    items: list[T]
    keys: list[Sequence[Any]]
    processors: tuple[Processor, ...]

    def end(self, number: int) -> tuple[Any, str]:
        """The sort key and the id of that many'th row: where a page ends."""
        key, row_id = (
            value if process is None else process(value)
            for process, value in zip(self.processors, self.keys[number - 1], strict=True)
        )
        return key, row_id


class PageQuery(Query[PageRows[T]]):
    """A query whose rows are read as a whole: of fifty keys a page needs one."""

    def __init__(self, build: Build, projection: Projection[T], *, is_heavy: bool) -> None:
        super().__init__(build, PageRows, is_heavy=is_heavy)
        self._projection = projection

    def read(self, step: Step, rows: Sequence[Sequence[Any]]) -> list[PageRows[T]]:
        if not rows:
            return []
        processors = step.processors or (None,) * len(rows[0])
        revision, oldest, total = shaped(_as_they_are, processors[:3], [rows[0][:3]])[0]
        found = [row for row in rows if row[4] is not None]
        columns = processors[5:] if any(processors[5:]) else None
        items = shaped(self._projection.shape, columns, [row[5:] for row in found])
        keys = [row[3:5] for row in found]
        return [PageRows(version_text(revision, oldest), total, items, keys, processors[3:5])]


def _as_they_are(*columns: Any) -> tuple[Any, ...]:
    return columns


def version_text(revision: int, oldest_in_trash: datetime | None) -> str:
    return f"{revision}" if oldest_in_trash is None else f"{revision}.{oldest_in_trash.timestamp():.6f}"
