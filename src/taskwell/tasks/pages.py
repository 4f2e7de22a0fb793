"""Pages of tasks: one statement each, kept compiled by all that its text depends on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
)

from taskwell.database import Lane, Query, UuidText, now
from taskwell.errors import InvalidCursor, Unauthorized
from taskwell.pagination import Key, decode_cursor, encode_cursor
from taskwell.tasks.filters import Condition, Moment, SortKey, TaskFilter, TaskSort, conditions, sql
from taskwell.tasks.queries import TASK_COLUMNS, USER_ID, Column, as_task, in_trash_of_user, visible_to_user
from taskwell.tasks.search import RELEVANCE
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Task
from taskwell.users.principal import Principal
from taskwell.users.revision import REVISION
from taskwell.users.tables import UserRow

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Projection(Generic[T]):
    """What to read of each task, and the value it makes; a contract may read its wire form directly."""

    columns: tuple[Column, ...]
    shape: Any


OFFSET = bindparam("offset", type_=BigInteger)
LONG_PAGE = 200

AS_TASK: Projection[Task] = Projection(TASK_COLUMNS, as_task)

SORTED_BY: dict[SortKey, Any] = {
    "created_at": TaskRow.created_at,
    "updated_at": TaskRow.updated_at,
    "due": TaskRow.due_key,
    "priority": TaskRow.priority,
    "title": TaskRow.title_key,
    "relevance": RELEVANCE,
    "deleted_at": TaskRow.deleted_at,
}


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


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Attributes:
    revision: The user's revision that the page shows.
    """

    items: list[T]
    next_cursor: str | None
    revision: int
    total: int | None = None


async def revision(lane: Lane, user: Principal, asked: PageRequest) -> int:
    """The user's revision, which ``page`` would show: one small statement tells whether the page is still the same.

    Raises:
        InvalidCursor: as ``page`` does.
    """
    if asked.cursor:
        decode_cursor(_listing(user, asked), asked.cursor)
    found = await lane.row(REVISION, user_id=user.user_id)
    if found is None:
        raise Unauthorized
    return found


async def page(lane: Lane, user: Principal, asked: PageRequest, projection: Projection[T]) -> Page[T]:
    """The tasks of one page, each as the projection makes it.

    Raises:
        InvalidCursor: the cursor is not ours, or of another list.
    """
    found, values = conditions(asked.wanted, Moment(now(), user.time_zone))
    listing = _listing(user, asked)
    after = None
    if asked.cursor:
        key, row_id = decode_cursor(listing, asked.cursor)
        after = "dateless" if key is None else "key"
        values |= {"after_key": _from_cursor(key, asked.sort), "after_id": row_id}
    if asked.offset:
        values["offset"] = asked.offset
    shape = PageShape(
        found, asked.sort, asked.limit, after, asked.with_total, asked.in_trash, is_offset=asked.offset > 0
    )
    rows = await lane.rows(page_query(shape, projection), user_id=user.user_id, subject=user.subject, **values)
    if not rows:
        raise Unauthorized
    items = [row.item for row in rows if row.item is not None]
    next_cursor = None
    if asked.limit is not None and len(items) > asked.limit:
        items = items[: asked.limit]
        last = rows[asked.limit - 1]
        next_cursor = encode_cursor(listing, _to_cursor(last.key), last.id)
    return Page(items, next_cursor, rows[0].revision, rows[0].total)


def _listing(user: Principal, asked: PageRequest) -> str:
    return repr((user.user_id, asked.wanted, asked.sort, asked.in_trash))


@dataclass(frozen=True, slots=True)
class PageShape:
    """All that a page's SQL depends on; two pages of one shape share a compiled statement.

    Attributes:
        after: None for a first page; ``key`` after a row with a sort key; ``dateless`` after one without.
    """

    conditions: tuple[Condition, ...]
    sort: TaskSort
    limit: int | None
    after: str | None
    with_total: bool
    in_trash: bool
    is_offset: bool = False


@dataclass(frozen=True, slots=True)
class PageRow(Generic[T]):
    revision: int
    total: int | None
    key: Any
    id: str
    item: T | None


@lru_cache(maxsize=2048)
def page_query(shape: PageShape, projection: Projection[T]) -> Query[PageRow[T]]:
    """One statement for the page, the user's revision and, if asked, the total.

    The revision is read with the rows, so the list's ETag never promises more than the page holds; an empty
    page is one row without an item. One task more than the limit tells whether there is a next page.
    """
    start = in_trash_of_user if shape.in_trash else visible_to_user
    key = _sort_key(shape)
    matching = [sql(condition) for condition in shape.conditions]
    found = start(key.label("sort_key"), TaskRow.id.label("row_id"), *projection.columns).where(*matching)
    chosen = _nulls_last(found, shape) if shape.sort.key == "due" else _by(key, found, shape)
    rows = _passing_over(chosen, shape).subquery("page")
    total: ColumnElement[Any] = null()
    if shape.with_total:
        total = start(func.count()).where(*matching).scalar_subquery()
    statement = (
        select(UserRow.revision, total, *rows.c)
        .select_from(UserRow)
        .outerjoin(rows, true())
        .where(UserRow.id == USER_ID)
        .order_by(rows.c.sort_key.is_(None), *_directed(shape, rows.c.sort_key, rows.c.row_id))
    )

    def row(revision: int, total: int | None, key: Any, row_id: str | None, *columns: Any) -> PageRow[T]:
        item = None if row_id is None else projection.shape(*columns)
        return PageRow(revision, total, key, row_id or "", item)

    is_long = shape.limit is None or shape.limit > LONG_PAGE
    return Query(statement, row, is_heavy=shape.with_total or shape.is_offset or is_long)


def _sort_key(shape: PageShape) -> Any:
    """Where nothing is searched for, all tasks are equally relevant."""
    is_search = any(condition.name == "search" for condition in shape.conditions)
    return (
        literal_column("1", BigInteger)
        if shape.sort.key == "relevance" and not is_search
        else SORTED_BY[shape.sort.key]
    )


def _by(key: Any, found: Select[Any], shape: PageShape) -> Select[Any]:
    if shape.after == "key":
        here = tuple_(key, TaskRow.id)
        there = tuple_(bindparam("after_key", type_=key.type), bindparam("after_id", type_=UuidText))
        found = found.where(here < there if shape.sort.descending else here > there)
    return _limited(found.order_by(*_directed(shape, key, TaskRow.id)), shape)


def _nulls_last(found: Select[Any], shape: PageShape) -> Select[Any]:
    """Tasks with a due first, in either direction, then those without: two ranges of one index.

    The second is not even begun where the first fills the page.
    """
    dateless = found.where(TaskRow.due_key.is_(None))
    if shape.after == "dateless":
        after_id = bindparam("after_id", type_=UuidText)
        dateless = dateless.where(TaskRow.id < after_id if shape.sort.descending else TaskRow.id > after_id)
    # All have the same key, but only in the index's own order PostgreSQL sees that nothing is left to sort.
    dateless = dateless.order_by(*_directed(shape, TaskRow.due_key, TaskRow.id))
    if shape.after == "dateless":
        return _limited(dateless, shape)
    dated = _by(TaskRow.due_key, found.where(TaskRow.due_key.is_not(None)), shape).cte("dated")
    if shape.limit is not None:
        dateless = dateless.where(
            select(func.count()).select_from(dated).scalar_subquery() < _end(shape, shape.limit)
        )
    both = union_all(select(dated), select(_limited(dateless, shape).subquery("dateless"))).subquery("both")
    return _limited(
        select(both).order_by(both.c.sort_key.is_(None), *_directed(shape, both.c.sort_key, both.c.row_id)),
        shape,
    )


def _directed(shape: PageShape, *columns: Any) -> Sequence[Any]:
    return [column.desc() if shape.sort.descending else column.asc() for column in columns]


def _limited(found: Select[Any], shape: PageShape) -> Select[Any]:
    """The limit is part of the text, not a parameter: a planner that does not know it would plan for thousands."""
    return found if shape.limit is None else found.limit(_end(shape, shape.limit))


def _end(shape: PageShape, limit: int) -> ColumnElement[int]:
    last: ColumnElement[int] = literal_column(str(limit + 1), BigInteger)
    return last + OFFSET if shape.is_offset else last


def _passing_over(chosen: Select[Any], shape: PageShape) -> Select[Any]:
    """The page without what comes before it; what it is chosen from holds both."""
    if not shape.is_offset:
        return chosen
    last = None if shape.limit is None else literal_column(str(shape.limit + 1), BigInteger)
    return chosen.limit(last).offset(OFFSET)


def _to_cursor(key: Any) -> Key:
    return key.isoformat() if isinstance(key, datetime) else key


def _from_cursor(key: Key, sort: TaskSort) -> Any:
    """The key as the statement's parameter; its kind follows from the sort that the cursor is bound to."""
    if sort.key in ("priority", "title", "relevance"):
        return key
    try:
        return None if key is None else datetime.fromisoformat(str(key))
    except ValueError:
        raise InvalidCursor("The cursor does not belong to this list; start again without it.") from None
