"""What the statement of a page has found, read as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from taskwell.database import Build, Query
from taskwell.database.base import Processor
from taskwell.database.query import Shape, Step, shaped
from taskwell.pagination import RowId
from taskwell.tasks.visibility import Column

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Projection(Generic[T]):
    """What to read of each task, and the value it makes; a contract may read its wire form directly.

    Attributes:
        is_text: The values are one text each, of which the database may give many joined by commas as one.
    """

    columns: tuple[Column, ...]
    shape: Shape[T]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class PageRows(Generic[T]):
    """What the statement of a page has found.

    Attributes:
        number: Of the tasks; one more than the limit where there is a next page.
        items: As many, or the page's as one text.
        keys: Each task's sort key and place as the driver gives them, or those of the page's last alone.
    """

    version: str
    total: int | None
    number: int
    items: list[T]
    keys: list[Sequence[Any]]
    processors: tuple[Processor, ...]

    def end(self, limit: int) -> tuple[Any, RowId]:
        """The sort key and the place of the page's last task."""
        key, row_id = (
            value if process is None else process(value)
            for process, value in zip(self.processors, self.keys[:limit][-1], strict=True)
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
        revision, in_trash, total, number = shaped(_as_they_are, processors[:4], [rows[0][:4]])[0]
        found = [row for row in rows if row[6] is not None]
        columns = processors[6:] if any(processors[6:]) else None
        items = shaped(self._projection.shape, columns, [row[6:] for row in found])
        keys = [row[4:6] for row in found]
        version = version_text(revision, in_trash)
        return [PageRows(version, total, len(found) if number is None else number, items, keys, processors[4:6])]


def _as_they_are(*columns: Any) -> tuple[Any, ...]:
    return columns


def version_text(revision: int, in_trash: int | None) -> str:
    return f"{revision}" if in_trash is None else f"{revision}.{in_trash}"
