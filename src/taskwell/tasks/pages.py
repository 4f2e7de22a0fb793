"""Pages of tasks, and where the next one begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from taskwell.database import Lane, now
from taskwell.errors import InvalidCursor, Unauthorized
from taskwell.pagination import Key, decode_cursor, encode_cursor
from taskwell.spaces import SpaceAccess
from taskwell.tasks.filters import Asker, TaskFilter, TaskSort, conditions
from taskwell.tasks.page_queries import TRASH_VERSION, VERSION, PageShape, limit_of, page_query
from taskwell.tasks.page_rows import Projection
from taskwell.tasks.search import terms_of
from taskwell.tasks.visibility import readable
from taskwell.users.principal import Principal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of which list.

    Attributes:
        limit: How many tasks at most; None for all of them.
        cursor: Where the page before ended, from its ``next_cursor``; None for the first page.
        offset: How many tasks to pass over, for contracts that have no cursor.
    """

    wanted: TaskFilter = TaskFilter()
    sort: TaskSort = TaskSort()
    limit: int | None = 50
    cursor: str | None = None
    with_total: bool = False
    in_trash: bool = False
    offset: int = 0

    @property
    def order(self) -> TaskSort:
        """The sort; where nothing is searched for, nothing is more relevant than what is newer."""
        if self.sort.key == "relevance" and not terms_of(self.wanted.search or ""):
            return TaskSort("created_at", self.sort.descending)
        return self.sort


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Attributes:
    number: Of the tasks; where ``items`` are texts, one of them may be several tasks joined by commas.
    version: What differs whenever the same request could get another page, unless its filter reads the clock.
    """

    items: list[T]
    number: int
    next_cursor: str | None
    version: str
    total: int | None = None


async def version(lane: Lane, actor: Principal, space: SpaceAccess, asked: PageRequest) -> str:
    """The ``version`` that ``page`` would have: one small statement tells whether the page is still the same.

    Raises:
        InvalidCursor: as ``page`` does.
    """
    if asked.cursor:
        decode_cursor(_listing(space, asked), asked.cursor)
    found = await lane.row(TRASH_VERSION if asked.in_trash else VERSION, **readable(actor, space))
    if found is None:
        raise Unauthorized
    return found


async def page(
    lane: Lane, actor: Principal, space: SpaceAccess, asked: PageRequest, projection: Projection[T]
) -> Page[T]:
    """The tasks of one page, each as the projection makes it.

    Raises:
        InvalidCursor: the cursor is not ours, or of another list.
    """
    found, values = conditions(asked.wanted, Asker(space.id, now(), space.time_zone))
    listing = _listing(space, asked)
    after = None
    if asked.cursor:
        key, row_id = decode_cursor(listing, asked.cursor)
        after = "dateless" if key is None else "key"
        values |= {"after_key": key_of_cursor(key, asked.order), "after_place": row_id}
    values |= {"offset": asked.offset, "end": (asked.limit or 0) + 1}
    shape = PageShape(
        found, asked.order, limit_of(asked.limit), after, asked.with_total, asked.in_trash, is_offset=asked.offset > 0
    )
    rows = await lane.row(page_query(shape, projection), **readable(actor, space), subject=actor.subject, **values)
    if rows is None:
        raise Unauthorized
    if asked.limit is None or rows.number <= asked.limit:
        return Page(rows.items, rows.number, None, rows.version, rows.total)
    key, row_id = rows.end(asked.limit)
    next_cursor = encode_cursor(listing, key_to_cursor(key), row_id)
    return Page(rows.items[: asked.limit], asked.limit, next_cursor, rows.version, rows.total)


def _listing(space: SpaceAccess, asked: PageRequest) -> str:
    return repr((space.id, asked.wanted, asked.sort, asked.in_trash))


def key_to_cursor(key: Any) -> Key:
    return key.isoformat() if isinstance(key, datetime) else key


def key_of_cursor(key: Key, sort: TaskSort) -> Any:
    """The key as the statement's parameter; its kind follows from the sort that the cursor is bound to."""
    if sort.key in ("priority", "title", "relevance"):
        return key
    try:
        return None if key is None else datetime.fromisoformat(str(key))
    except ValueError:
        raise InvalidCursor from None
