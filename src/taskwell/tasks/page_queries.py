"""The one statement of a page of tasks, composed again only for what its text depends on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from operator import add
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.sql.base import ColumnCollection

from taskwell.database import Query
from taskwell.database.unindexed import Unindexed
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.filters import Condition, SortKey, TaskSort, sql
from taskwell.tasks.page_rows import PageQuery, Projection, version_text
from taskwell.tasks.queries import TASK_COLUMNS, as_task
from taskwell.tasks.search import RELEVANCE
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Task
from taskwell.tasks.tie_breaker import TIE_BREAKER, TieBreakerType
from taskwell.tasks.visibility import Column, in_space, living, trashed

T = TypeVar("T")


AFTER = bindparam("after_place", type_=TieBreakerType)
OFFSET = bindparam("offset", type_=BigInteger)
END = bindparam("end", type_=BigInteger)
LONG_PAGE = 200
USUAL_LIMITS = (1, 5, 10, 20, 25, 30, 50, 100, 200)
ANY_LIMIT, ANY_LONG_LIMIT = 0, LONG_PAGE + 1
NAMING_IDS = ("search", "any_tag", "all_tags")
"""Conditions that begin with the tasks themselves."""
FEW = 500
"""Up to this many matches are cheaper to fetch and sort than to find by walking the index."""

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


# The purge takes no revision of the space, and may skip any task of the trash; it only ever takes some away.
_IN_TRASH = trashed(func.count()).scalar_subquery()
_IS_SPACE = SpaceRow.id == SPACE
VERSION: Query[str] = Query(select(SpaceRow.revision, null()).where(_IS_SPACE), version_text)
TRASH_VERSION: Query[str] = Query(select(SpaceRow.revision, _IN_TRASH).where(_IS_SPACE), version_text)


@dataclass(frozen=True, slots=True)
class PageShape:
    """All that a page's SQL depends on; two pages of one shape share a compiled statement.

    Attributes:
        limit: As ``limit_of`` gives it.
        after: None for a first page; ``key`` after a row with a sort key; ``dateless`` after one without.
    """

    conditions: tuple[Condition, ...]
    sort: TaskSort
    limit: int | None
    after: str | None
    with_total: bool
    in_trash: bool
    is_offset: bool = False


@lru_cache(maxsize=2048)
def page_query(shape: PageShape, projection: Projection[T]) -> PageQuery[T]:
    """One statement for the page, the space's revision and, if asked, the total.

    The revision is read with the rows, so the list's ETag never promises more than the page holds; an empty
    page is one row without an item. One task more than the limit tells whether there is a next page.
    """

    def build(dialect: str) -> Sequence[Select[Any] | CompoundSelect[Any]]:
        total: ColumnElement[Any] = null()
        if shape.with_total:
            total = _matching(shape, func.count()).scalar_subquery()
        version = (SpaceRow.revision, _IN_TRASH if shape.in_trash else null())
        if dialect == "sqlite" and _is_along_index(shape) and shape.sort.key != "due" and not shape.is_offset:
            return [_merged(shape, projection, *version, total)]
        rows = _rows(shape, projection, dialect).subquery("page")
        if dialect == "postgresql" and projection.is_text:
            as_one = joined(shape, rows)
            return [select(*version, total, *as_one.c).select_from(SpaceRow).join(as_one, true()).where(_IS_SPACE)]
        return [
            select(*version, total, null(), *rows.c)
            .select_from(SpaceRow)
            .outerjoin(rows, true())
            .where(_IS_SPACE)
            .order_by(*in_order(shape, rows.c))
        ]

    is_long = shape.limit is None or shape.limit > LONG_PAGE
    is_search = any(condition.name == "search" for condition in shape.conditions)
    may_see_all = len(shape.conditions) > 1  # of which no index knows what they have in common
    is_heavy = shape.with_total or shape.is_offset or is_long or is_search or may_see_all
    return PageQuery(build, projection, is_heavy=is_heavy)


def _merged(shape: PageShape, projection: Projection[T], *version: Column) -> CompoundSelect[Any]:
    """The version as a first row and the page as it comes along its index: a join would have SQLite sort it again.

    What stands in the first row for a sort key comes before every key: a blob is more than any text or number.
    """
    key = SORTED_BY[shape.sort.key]
    columns = {f"column_{number}": each for number, each in enumerate(projection.columns)}
    before_all: ColumnElement[Any] = literal_column("x'ff'") if shape.sort.descending else null()
    nothing = (type_coerce(null(), each.type).label(name) for name, each in columns.items())
    head = select(
        *version, null(), type_coerce(before_all, key.type).label("sort_key"), null().label("row_id"), *nothing
    )
    no_version = (null() for _ in (*version, "number"))
    named = (each.label(name) for name, each in columns.items())
    found = _of_space(shape, *no_version, key.label("sort_key"), TIE_BREAKER.label("row_id"), *named)
    ranges = (found.where(*conditions) for conditions in _ranges(shape, "sqlite"))
    both: CompoundSelect[Any] = union_all(head.where(_IS_SPACE), *ranges)
    in_order = both.order_by(*directed(shape, column("sort_key"), column("row_id")))
    return in_order if shape.limit is None else in_order.limit(end_of_page(shape) + 1)


def joined(shape: PageShape, rows: Subquery) -> Subquery:
    """The page as one row, since a row costs the driver more than the task in it.

    How many were found, the key and the id of the page's last, and their texts.
    """
    placed = select(*rows.c, func.row_number().over().label("place")).subquery("placed")
    *keys, text, place = placed.c
    if shape.limit is None:
        return (
            select(func.count(), *(null() for _ in keys), func.string_agg(text, ",")).select_from(placed).subquery()
        )
    last = literal_column(str(shape.limit)) if shape.limit in USUAL_LIMITS else END - 1
    ends = (func.array_agg(key).filter(place == last)[1] for key in keys)
    return select(func.count(), *ends, func.string_agg(text, ",").filter(place <= last)).subquery()


def _matching(shape: PageShape, *columns: Column) -> Select[Any]:
    return _of_space(shape, *columns).where(*map(sql, shape.conditions))


def _of_space(shape: PageShape, *columns: Column) -> Select[Any]:
    return (trashed if shape.in_trash else living)(*columns)


def _rows(shape: PageShape, projection: Projection[T], dialect: str) -> Select[Any]:
    key = SORTED_BY[shape.sort.key].label("sort_key"), TIE_BREAKER.label("row_id")
    if dialect == "postgresql" or shape.limit is None or _is_along_index(shape):
        return _passing_over(_walked(_matching(shape, *key, *projection.columns), shape, dialect), shape)
    some = _of_space(shape, *key).where(*beginning_with_the_first(shape.conditions))
    has_index = shape.sort.key != "relevance"
    chosen = _few_or_walked(some, shape, key) if has_index else _walked(some, shape, dialect)
    picked = _passing_over(chosen, shape).subquery("picked")
    is_picked = and_(in_space(TaskRow), picked.c.row_id == TIE_BREAKER)
    return select(*picked.c, *projection.columns).select_from(picked).join(TaskRow, is_picked)


def _is_along_index(shape: PageShape) -> bool:
    """Whether an index holds just these tasks in this order."""
    return not shape.conditions


def _few_or_walked(some: Select[Any], shape: PageShape, key: Sequence[Column]) -> Select[Any]:
    """What PostgreSQL does by its statistics, for SQLite, which knows none.

    A few tasks are found by their own index and sorted; many come up soon enough along the index that sorts
    them. Looking for one more than FEW tells which it is, and the other part is then not run.
    """
    is_left = or_(*(and_(true(), *conditions) for conditions in _ranges(shape, "sqlite")))
    few = some.where(is_left).limit(literal_column(str(FEW + 1))).cte("few")
    number = select(func.count()).select_from(few).scalar_subquery()
    sorted_few = _limited(select(few).where(number <= FEW).order_by(*in_order(shape, few.c)), shape)
    many = _of_space(shape, *key).where(*map(beside_index, shape.conditions))
    walked = _only_if(number > FEW, _walked(many, shape, "sqlite"), "many", end_of_page(shape))
    both = union_all(select(sorted_few.subquery("sorted_few")), select(walked.subquery("walked"))).subquery("both")
    return _limited(select(both).order_by(*in_order(shape, both.c)), shape)


def beginning_with_the_first(found: Sequence[Condition]) -> Sequence[ColumnElement[Any]]:
    """Where the first names the tasks themselves, as a search does, no index of the others has fewer."""
    first, *others = found
    is_of_ids = first.name in NAMING_IDS
    return [sql(first), *(Unindexed(sql(other)) if is_of_ids else sql(other) for other in others)]


def _only_if(condition: ColumnElement[bool], page: Select[Any], name: str, end: ColumnElement[int]) -> Select[Any]:
    """The page, or none of it; a limit of nothing does not even begin it, as a condition would on SQLite."""
    return select(page.subquery(name)).limit(case((condition, end), else_=literal_column("0", BigInteger)))


def beside_index(condition: Condition) -> ColumnElement[Any]:
    """The condition as a filter on each task that the walk meets; SQLite must pick no other index for it."""
    return sql(condition) if condition.name == "completed" else Unindexed(sql(condition))


def _walked(found: Select[Any], shape: PageShape, dialect: str) -> Select[Any]:
    """The page along the index of its order, range by range; none is begun where those before it fill the page."""
    # Those without a due have one key, but only in the index's own order PostgreSQL sees that nothing is to sort.
    order = directed(shape, SORTED_BY[shape.sort.key], TIE_BREAKER)
    first, *others = (_limited(found.where(*each).order_by(*order), shape) for each in _ranges(shape, dialect))
    if not others:
        return first
    parts = [first.cte("range")]
    for number, other in enumerate(others):
        rest = other
        if shape.limit is not None:
            filled = reduce(add, (select(func.count()).select_from(each).scalar_subquery() for each in parts))
            rest = _only_if(filled < end_of_page(shape), rest, f"rest_{number}", end_of_page(shape))
        parts.append(rest.cte(f"range_{number}"))
    every = union_all(*map(select, parts)).subquery("every")
    return _limited(select(every).order_by(*in_order(shape, every.c)), shape)


def _ranges(shape: PageShape, dialect: str) -> Sequence[Sequence[ColumnElement[bool]]]:
    """What the pages before have left, as ranges of the index, one after the other.

    Tasks with a due come first, in either direction, then those without.
    """
    is_down, key, is_dateless = shape.sort.descending, SORTED_BY[shape.sort.key], TaskRow.due_key.is_(None)
    is_later = TIE_BREAKER < AFTER if is_down else TIE_BREAKER > AFTER
    if shape.after == "dateless":
        return [[is_dateless, is_later]]
    after_key = bindparam("after_key", type_=key.type)
    here, there = tuple_(key, TIE_BREAKER), tuple_(after_key, AFTER)
    ranges: list[list[ColumnElement[bool]]]
    if shape.after is None:
        ranges = [[] if shape.sort.key != "due" else [TaskRow.due_key.is_not(None)]]
    elif dialect == "postgresql" or shape.sort.key == "relevance":
        ranges = [[here < there if is_down else here > there]]
    else:  # which looks no further than the key for a pair in the index
        ranges = [[key == after_key, is_later], [key < after_key if is_down else key > after_key]]
    return ranges if shape.sort.key != "due" else [*ranges, [is_dateless]]


def in_order(shape: PageShape, rows: ColumnCollection[str, Any]) -> Sequence[Any]:
    return [rows.sort_key.is_(None), *directed(shape, rows.sort_key, rows.row_id)]


def directed(shape: PageShape, *columns: Any) -> Sequence[Any]:
    return [column.desc() if shape.sort.descending else column.asc() for column in columns]


def _limited(found: Select[Any], shape: PageShape) -> Select[Any]:
    return found if shape.limit is None else found.limit(end_of_page(shape))


def limit_of(limit: int | None) -> int | None:
    """The limit as the text of a statement has it: a usual one itself, so that a planner knows how few it means.

    Others are parameters, or there would be as many statements as limits.
    """
    if limit is None or limit in USUAL_LIMITS:
        return limit
    return ANY_LIMIT if limit <= LONG_PAGE else ANY_LONG_LIMIT


def end_of_page(shape: PageShape) -> ColumnElement[int]:
    """One more than the page, of what it is chosen from."""
    is_known = shape.limit in USUAL_LIMITS
    last: ColumnElement[int] = literal_column(str((shape.limit or 0) + 1), BigInteger) if is_known else END
    return last + OFFSET if shape.is_offset else last


def _passing_over(chosen: Select[Any], shape: PageShape) -> Select[Any]:
    """The page without what comes before it; what it is chosen from holds both."""
    if not shape.is_offset:
        return chosen
    return chosen.limit(None if shape.limit is None else end_of_page(replace(shape, is_offset=False))).offset(OFFSET)
