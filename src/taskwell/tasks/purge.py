"""Removing for good what has been in the trash for long enough."""

from datetime import timedelta

from sqlalchemy import bindparam, delete, select, tuple_

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.tasks.tables import TaskRow

KEPT_FOR = timedelta(days=30)

_old = (
    select(TaskRow.space_id, TaskRow.id)
    .where(TaskRow.deleted_at < bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(TaskRow)
    .where(tuple_(TaskRow.space_id, TaskRow.id).in_(select(_old.c.space_id, _old.c.id)))
    .returning(TaskRow.id),
    str,
    is_heavy=True,
)


async def purge(lane: Lane, limit: int) -> int:
    """Removes tasks that were deleted more than 30 days ago, so many at most; gives how many.

    It waits for nobody (``SKIP LOCKED``), so it cannot stand in the way of a verb that waits for it.
    """
    return len(await lane.rows(_PURGE, before=now() - KEPT_FOR, limit=limit))
