"""Moving to another time zone: the space's days begin and end elsewhere, and with them what is due on a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Text, bindparam, select, update
from sqlalchemy.sql.base import Executable

from taskwell import users
from taskwell.database import Day, Lane, Query, UtcInstant, now
from taskwell.database.json_rows import as_json_rows, json_rows
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE, lock_space
from taskwell.spaces.tables import SpaceRow
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import end_of
from taskwell.tasks.visibility import in_space, readable
from taskwell.users.principal import Principal

_DAYS: Query[date] = Query(
    select(TaskRow.due_date).where(in_space(TaskRow), TaskRow.due_date.is_not(None)).distinct(),
    lambda day: day,
    is_heavy=True,
)

_MOVE: Query[Any] = Query(
    update(SpaceRow)
    .where(SpaceRow.id == SPACE)
    .values(
        time_zone=bindparam("time_zone", type_=Text),
        revision=SpaceRow.revision + 1,
        changed_revision=SpaceRow.revision + 1,
        updated_at=bindparam("at", type_=UtcInstant),
    ),
    lambda *_: None,
)


def _compute(dialect: str) -> Sequence[Executable]:
    days = json_rows(dialect, "days", {"due_date": Day(), "due_key": UtcInstant()})
    return [
        update(TaskRow).values(due_key=days.c.due_key).where(in_space(TaskRow), TaskRow.due_date == days.c.due_date)
    ]


_COMPUTE: Query[Any] = Query(_compute, lambda *_: None, is_heavy=True)


async def move_to_zone(lane: Lane, actor: Principal, space: SpaceAccess, time_zone: str) -> bool:
    """Sets the time zone of a space, and when each task is due that is due on a day, trashed ones too.

    It takes a revision, since lists change with it; the tasks keep theirs, since no field of theirs changes.

    Returns:
        Whether it is another time zone than before.

    Raises:
        Unauthorized: the space is gone.
    """
    async with lane.transaction() as transaction:
        if (await lock_space(transaction, space)).time_zone == time_zone:
            return False
        found = readable(actor, space)
        at = now()
        await transaction.rows(_MOVE, **found, time_zone=time_zone, at=at)
        days = await transaction.rows(_DAYS, **found)
        moved = [{"due_date": day, "due_key": end_of(day, time_zone)} for day in days]
        await transaction.rows(_COMPUTE, **found, days=as_json_rows(moved))
        if space.id == actor.user_id:
            await users.zone_moved(transaction, actor, at)
    return True
