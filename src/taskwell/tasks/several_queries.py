"""The one statement of a page of several spaces: a range of the index in each space, merged.

It is the statement for one space, run for each row of ``asked``: what differs from space to space, its id and where
the days of a filter begin, is a column there and no parameter.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import TypeEngine

from taskwell.database import Query, UtcInstant, UuidText
from taskwell.database.json_rows import json_rows
from taskwell.database.unindexed import Unindexed
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.filters import sql
from taskwell.tasks.page_queries import (
    AFTER,
    NAMING_IDS,
    SORTED_BY,
    PageShape,
    beginning_with_the_first,
    beside_index,
    directed,
    end_of_page,
    in_order,
    joined,
)
from taskwell.tasks.page_rows import PageQuery, Projection, version_text
from taskwell.tasks.search import FOUND
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.tie_breaker import TIE_BREAKER
from taskwell.tasks.visibility import in_space, living, trashed

T = TypeVar("T")

BOUNDS = ("due_before", "due_after", "created_before", "created_after", "updated_after")
_AFTER_SPACE = bindparam("after_space", type_=UuidText)
_COLUMNS: dict[str, TypeEngine[Any]] = {
    "space_id": UuidText(),
    **{name: UtcInstant() for name in BOUNDS},
    "search_sqlite": Text(),
    "search_postgresql": Text(),
}


def _asked(dialect: str) -> FromClause:
    return json_rows(dialect, "asked", _COLUMNS)


def _column(name: str) -> ColumnElement[Any]:
    """By its text: a column of ``asked`` would have each subquery that names it read the table again."""
    return literal_column(f"asked.{name}", _COLUMNS[name])


def _for_each(statement: Any, dialect: str) -> Any:
    """The statement for one space, about the space of the row of ``asked``."""
    searched = _column(f"search_{dialect}")
    columns = {
        "space": _column("space_id"),
        **{name: _column(name) for name in BOUNDS},
        FOUND.parameter: cast(searched, TSQUERY) if dialect == "postgresql" else searched,
    }

    def column_of(element: Any, **_: Any) -> Any:
        return columns.get(element.key) if isinstance(element, BindParameter) else None

    return replacement_traverse(statement, {}, column_of)


def _of_asked(found: Select[Any], dialect: str) -> Select[Any]:
    """Rows of every space that is asked about."""
    about: Select[Any] = _for_each(found, dialect)
    return about.select_from(TaskRow).join(_asked(dialect), true())


def _revisions(dialect: str) -> ColumnElement[Any]:
    """The revision of every space, in the order of their ids."""
    asked = _asked(dialect)
    each = (
        select(cast(SpaceRow.revision, Text).label("revision"))
        .join(asked, asked.c.space_id == SpaceRow.id)
        .order_by(SpaceRow.id)
        .subquery("revisions")
    )
    join = func.string_agg if dialect == "postgresql" else func.group_concat
    return select(join(each.c.revision, literal_column("'.'"))).scalar_subquery()


def _version(dialect: str, *, in_trash: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    trash = _of_asked(trashed(func.count()), dialect).scalar_subquery() if in_trash else null()
    return _revisions(dialect), trash


@lru_cache(maxsize=2)
def version_query(*, in_trash: bool) -> Query[str]:
    def build(dialect: str) -> Sequence[Executable]:
        return [select(*_version(dialect, in_trash=in_trash))]

    return Query(build, version_text, is_heavy=True)


@lru_cache(maxsize=512)
def several_query(shape: PageShape, projection: Projection[T]) -> PageQuery[T]:
    """The page with the revision of every space and, if asked, the total; see ``page_query``."""

    def build(dialect: str) -> Sequence[Executable]:
        total: ColumnElement[Any] = null()
        if shape.with_total:
            found = _of_space(shape, func.count()).where(*map(sql, shape.conditions))
            total = _of_asked(found, dialect).scalar_subquery()
        version = (*_version(dialect, in_trash=shape.in_trash), total)
        rows = _rows(shape, projection, dialect).subquery("page")
        if dialect == "postgresql" and projection.is_text:
            as_one = joined(shape, rows)
            return [select(*version, *as_one.c).select_from(as_one)]
        head = select(*(each.label(f"head_{number}") for number, each in enumerate(version))).subquery("head")
        whole = select(*head.c, null(), *rows.c).select_from(head).outerjoin(rows, true())
        return [whole.order_by(*in_order(shape, rows.c))]

    return PageQuery(build, projection, is_heavy=True)


def _of_space(shape: PageShape, *columns: Any) -> Select[Any]:
    return (trashed if shape.in_trash else living)(*columns)


def _rows(shape: PageShape, projection: Projection[T], dialect: str) -> Select[Any]:
    """The page's tasks. They are picked by their keys, so that only those of the page are read whole."""
    found = _found(shape, dialect)
    picked = found.order_by(*in_order(shape, found.selected_columns)).limit(end_of_page(shape)).subquery("picked")
    is_it = TaskRow.id == picked.c.task_id if dialect == "postgresql" else picked.c.row_id == TIE_BREAKER
    return (
        select(picked.c.sort_key, picked.c.row_id, *projection.columns)
        .select_from(picked)
        .join(TaskRow, and_(TaskRow.space_id == picked.c.space_id, is_it))
        .order_by(*in_order(shape, picked.c))
    )


def _found(shape: PageShape, dialect: str) -> Select[Any]:
    """The first of each space, by the key that sorts them and what breaks ties."""
    key = SORTED_BY[shape.sort.key].label("sort_key")
    asked = _asked(dialect)
    if dialect == "postgresql":
        row_id = func.concat(TaskRow.id, "/", TaskRow.space_id).collate("C").label("row_id")
        columns = (key, row_id, TaskRow.id.label("task_id"), TaskRow.space_id)
        each = union_all(*map(select, _parts(shape, columns, dialect))).lateral("each")
        return select(*each.c).select_from(asked).join(each, true())
    numbers = union_all(*(select(part.c.row_id) for part in _parts(shape, (TIE_BREAKER.label("row_id"),), dialect)))
    is_one = and_(TIE_BREAKER.in_(numbers), Unindexed(in_space(TaskRow)))
    is_one = _for_each(is_one, dialect)
    return select(key, TIE_BREAKER.label("row_id"), TaskRow.space_id).select_from(asked).join(TaskRow, is_one)


def _parts(shape: PageShape, columns: Sequence[Any], dialect: str) -> Sequence[Subquery]:
    """What the pages before have left of one space, as ranges of the index that sorts its tasks."""
    order = directed(shape, SORTED_BY[shape.sort.key], *_tie(dialect))
    some = _of_space(shape, *columns).where(*_filters(shape, dialect)).order_by(*order).limit(end_of_page(shape))
    return [
        _for_each(some.where(*conditions), dialect).subquery(f"range_{number}")
        for number, conditions in enumerate(_ranges(shape, dialect))
    ]


def _filters(shape: PageShape, dialect: str) -> Sequence[ColumnElement[Any]]:
    """SQLite knows no statistics: it walks the index that sorts, unless a condition names the tasks themselves."""
    conditions = shape.conditions
    if dialect == "postgresql" or not conditions:
        return [*map(sql, conditions)]
    if conditions[0].name in NAMING_IDS:
        return beginning_with_the_first(conditions)
    return [*map(beside_index, conditions)]


def _tie(dialect: str) -> tuple[ColumnElement[Any], ...]:
    """A client's id may be one of two spaces; a number of SQLite's is not."""
    return (TIE_BREAKER,) if dialect == "sqlite" else (TIE_BREAKER, TaskRow.__table__.c.space_id)


def _ranges(shape: PageShape, dialect: str) -> Sequence[Sequence[ColumnElement[bool]]]:
    """As those of one space. A bound of the first column stands by itself, since it is the one that the index has."""
    key, is_dateless, is_due = SORTED_BY[shape.sort.key], TaskRow.due_key.is_(None), shape.sort.key == "due"
    if shape.after is None:
        return [[TaskRow.due_key.is_not(None)], [is_dateless]] if is_due else [[]]
    after_key = bindparam("after_key", type_=key.type)
    tie, after = _tie(dialect), (AFTER, _AFTER_SPACE)[: len(_tie(dialect))]
    if shape.after == "dateless":
        return [[is_dateless, *_beyond(shape, tie, after)]]
    if dialect == "postgresql":
        ranges = [[*_beyond(shape, (key, *tie), (after_key, *after))]]
    else:
        ranges = [[key == after_key, *_beyond(shape, tie, after)], [*_beyond(shape, (key,), (after_key,))]]
    return [*ranges, [is_dateless]] if is_due else ranges


def _beyond(shape: PageShape, here: Sequence[Any], there: Sequence[Any]) -> Sequence[ColumnElement[bool]]:
    """What comes later in the order of the page."""
    is_down = shape.sort.descending
    if len(here) == 1:
        return [here[0] < there[0] if is_down else here[0] > there[0]]
    first = here[0] <= there[0] if is_down else here[0] >= there[0]
    row, end = tuple_(*here), tuple_(*there)
    return [first, row < end if is_down else row > end]
