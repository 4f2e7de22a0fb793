"""The delivery log: what was sent to a user, what will be retried, and what failed and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, delete, literal_column, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, UuidText, now
from taskwell.delivery.tables import DeliveryRow
from taskwell.tasks import reminder_queue
from taskwell.tasks.reminders import Channel
from taskwell.users.principal import Principal
from taskwell.users.tables import UserRow

KEPT_FOR = timedelta(days=30)
SHOWN = 100

Status = Literal["sent", "retrying", "failed", "dropped"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery. Its id is also the ``webhook-id`` of the webhook and the ``Message-ID`` of the e-mail.

    Attributes:
        status: ``dropped`` if, before a retry, the task was completed or moved, or the reminder removed.
        error: The reason why the last attempt failed.
        next_try_at: The time of the next attempt; None if it was sent or given up.
    """

    id: str
    reminder_id: str
    task_id: str
    channel: Channel
    status: Status
    attempts: int
    error: str | None
    created_at: datetime
    tried_at: datetime
    next_try_at: datetime | None
    sent_at: datetime | None


_COLUMNS = DeliveryRow.__table__.columns
_CHANGING = ("status", "attempts", "error", "tried_at", "next_try_at", "sent_at")
_USER_ID = bindparam("user_id", type_=UuidText)


def _record(dialect: str) -> Sequence[Executable]:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    source = select(*(bindparam(name, type_=column.type) for name, column in _COLUMNS.items())).where(
        UserRow.id == _USER_ID
    )
    adding = insert(DeliveryRow).from_select(list(_COLUMNS.keys()), source)
    return [
        adding.on_conflict_do_update(
            index_elements=["user_id", "id"], set_={name: adding.excluded[name] for name in _CHANGING}
        )
    ]


_RECORD: Query[None] = Query(_record, lambda: None)
_LATEST: Query[Delivery] = Query(
    select(*(_COLUMNS[name] for name in Delivery.__dataclass_fields__))
    .where(DeliveryRow.user_id == _USER_ID)
    .order_by(DeliveryRow.created_at.desc(), DeliveryRow.id.desc())
    .limit(literal_column(str(SHOWN))),
    Delivery,
)
_old = (
    select(DeliveryRow.user_id, DeliveryRow.id)
    .where(DeliveryRow.created_at < bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(DeliveryRow)
    .where(tuple_(DeliveryRow.user_id, DeliveryRow.id).in_(select(_old.c.user_id, _old.c.id)))
    .returning(DeliveryRow.id),
    str,
    is_heavy=True,
)


async def record(lane: Lane, user_id: str, delivery: Delivery) -> None:
    """Stores the state of a delivery after an attempt; does nothing if the user is gone."""
    values = {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}
    await lane.rows(_RECORD, user_id=user_id, **values)


async def latest(lane: Lane, user: Principal) -> list[Delivery]:
    """The user's last hundred deliveries, the newest first."""
    deliveries = await lane.rows(_LATEST, user_id=user.user_id)
    retried = [each.id for each in deliveries if each.status == "retrying"]
    waiting = await reminder_queue.waiting(lane, user, retried) if retried else frozenset()
    return [
        replace(each, status="dropped", next_try_at=None)
        if each.status == "retrying" and each.id not in waiting
        else each
        for each in deliveries
    ]


async def purge(lane: Lane, limit: int) -> int:
    """Removes at most ``limit`` deliveries that began more than 30 days ago; gives their number."""
    return len(await lane.rows(_PURGE, before=now() - KEPT_FOR, limit=limit))
