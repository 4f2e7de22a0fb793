"""The statements about lists that more than one verb is made of."""

from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, Select, case, func, literal, select, true

from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.tasks.visibility import Column, in_space, living

MAX_POSITION = 2**53 - 1
"""What every client can hold: the largest exact number of a JavaScript client."""

LIST_COLUMNS: tuple[Column, ...] = (
    ListRow.id,
    ListRow.space_id,
    ListRow.name,
    ListRow.color,
    ListRow.position,
    ListRow.revision,
    ListRow.created_at,
    ListRow.updated_at,
)
_MAX_POSITION = literal(MAX_POSITION, BigInteger)


def _counted() -> Select[Any]:
    """The space's lists, their open tasks counted."""
    open_tasks = (
        living(TaskRow.list_id, func.count().label("open_tasks"))
        .where(TaskRow.list_id.is_not(None), TaskRow.completed_at.is_(None))
        .group_by(TaskRow.list_id)
        .subquery("counted")
    )
    return (
        select(*LIST_COLUMNS, func.coalesce(open_tasks.c.open_tasks, 0).label("open_tasks"))
        .outerjoin(open_tasks, open_tasks.c.list_id == ListRow.id)
        .where(in_space(ListRow))
    )


def all_lists() -> Select[Any]:
    """The revision with the lists, so that their ETag never promises more than they show; see ``page_query``."""
    lists = _counted().subquery("shown")
    return (
        select(SpaceRow.revision, *lists.c)
        .select_from(SpaceRow)
        .outerjoin(lists, true())
        .where(SpaceRow.id == SPACE)
        .order_by(lists.c.position, lists.c.id)
    )


def at_the_end() -> ScalarSelect[int]:
    """The position after all lists of the space."""
    last = func.max(ListRow.position)
    end = case((last < _MAX_POSITION, last + 1), (last.is_not(None), _MAX_POSITION), else_=1)
    return select(end).where(in_space(ListRow)).scalar_subquery()
