"""Moving to another time zone: the user's days begin and end elsewhere, and with them what is due on a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Day, Lane, Query, UtcInstant, now
from taskwell.database.given import as_given, given_rows
from taskwell.tasks.queries import USER_ID
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import end_of
from taskwell.users.principal import Principal
from taskwell.users.revision import hold
from taskwell.users.revocation import announce_change
from taskwell.users.tables import UserRow

_DAYS: Query[date] = Query(
    select(TaskRow.due_date).where(TaskRow.user_id == USER_ID, TaskRow.due_date.is_not(None)).distinct(),
    lambda day: day,
    is_heavy=True,
)

_MOVE: Query[Any] = Query(
    update(UserRow)
    .where(UserRow.id == USER_ID)
    .values(
        time_zone=bindparam("time_zone"),
        revision=UserRow.revision + 1,
        updated_at=bindparam("at", type_=UtcInstant),
    ),
    lambda *_: None,
)


def _reckon(dialect: str) -> Sequence[Executable]:
    days = given_rows(dialect, "days", {"due_date": Day(), "due_key": UtcInstant()})
    return [
        update(TaskRow)
        .values(due_key=days.c.due_key)
        .where(TaskRow.user_id == USER_ID, TaskRow.due_date == days.c.due_date)
    ]


_RECKON: Query[Any] = Query(_reckon, lambda *_: None, is_heavy=True)


async def move_to_zone(lane: Lane, user: Principal, time_zone: str) -> bool:
    """Sets the user's time zone, and when each task is due that is due on a day, those in the trash too.

    It takes a revision, since lists change with it; the tasks keep theirs, since no field of theirs changes.

    Returns:
        Whether it is another time zone than before.

    Raises:
        Unauthorized: the user is gone.
    """
    async with lane.transaction() as transaction:
        if (await hold(transaction, user)).time_zone == time_zone:
            return False
        await transaction.rows(_MOVE, user_id=user.user_id, time_zone=time_zone, at=now())
        days = await transaction.rows(_DAYS, user_id=user.user_id)
        reckoned = [{"due_date": day, "due_key": end_of(day, time_zone)} for day in days]
        await transaction.rows(_RECKON, user_id=user.user_id, days=as_given(reckoned))
        await announce_change(transaction, user.user_id)
    return True
