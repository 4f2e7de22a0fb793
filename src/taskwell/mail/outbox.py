"""The mails that wait to be sent, as a queue that any number of workers share.

A claim moves ``fire_at`` to the end of its lease, so the mails of a dead worker come up again by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, delete, insert, null, select, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, new_id, now
from taskwell.mail.tables import MailRow

LEASE = timedelta(seconds=30)
"""How long a claim holds: longer than an attempt may take, and how late a dead worker's mails are."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A claimed mail. The order is that of ``_COLUMNS``.

    Attributes:
        id: The same in every attempt: the Message-ID is made of it.
        attempts: How many there have been, this one included.
    """

    id: str
    kind: str
    user_id: str | None
    email: str
    attempts: int
    created_at: datetime
    claimed_at: datetime


_COLUMNS = (
    MailRow.id,
    MailRow.kind,
    MailRow.user_id,
    MailRow.email,
    MailRow.attempts,
    MailRow.created_at,
    MailRow.claimed_at,
)
_CLAIMED_AT = bindparam("claimed_at", type_=UtcInstant)
_HELD = (MailRow.id == bindparam("mail_id", type_=MailRow.__table__.c.id.type), MailRow.claimed_at == _CLAIMED_AT)

_ADD: Query[None] = Query(
    insert(MailRow).values(
        {
            name: bindparam(name, type_=MailRow.__table__.c[name].type)
            for name in ("id", "kind", "user_id", "email", "created_at", "fire_at")
        }
    ),
    lambda *_: None,
)


async def put(transaction: Lane, kind: str, *, user_id: str | None, email: str, mail_id: str | None = None) -> None:
    """Queues a mail; it is sent once the transaction that causes it is committed.

    Args:
        mail_id: That of the one thing that the mail is about.
    """
    at = now()
    await transaction.rows(
        _ADD, id=mail_id or new_id(), kind=kind, user_id=user_id, email=email, created_at=at, fire_at=at
    )


_NEXT: Query[datetime] = Query(select(MailRow.fire_at).order_by(MailRow.fire_at).limit(1), lambda at: at)


async def next_look(lane: Lane) -> datetime | None:
    """When there will be something to claim; None while nothing waits."""
    return await lane.row(_NEXT)


def _claim(dialect: str) -> Sequence[Executable]:
    due = (
        select(MailRow.id)
        .where(MailRow.fire_at <= _CLAIMED_AT)
        .order_by(MailRow.fire_at)
        .limit(bindparam("limit", type_=BigInteger))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return [
        update(MailRow)
        .where(MailRow.id.in_(select(due.c.id)))
        .values(
            claimed_at=_CLAIMED_AT,
            fire_at=bindparam("lease_end", type_=UtcInstant),
            attempts=MailRow.attempts + 1,
        )
        .returning(*_COLUMNS)
    ]


_CLAIM: Query[Mail] = Query(_claim, Mail)


async def claim(lane: Lane, limit: int) -> list[Mail]:
    """Takes mails that are due, the longest due first, for the time of the lease."""
    at = now()
    return await lane.rows(_CLAIM, claimed_at=at, lease_end=at + LEASE, limit=limit)


_REMOVE: Query[None] = Query(delete(MailRow).where(*_HELD), lambda *_: None)
_POSTPONE: Query[None] = Query(
    update(MailRow).where(*_HELD).values(fire_at=bindparam("again_at", type_=UtcInstant), claimed_at=null()),
    lambda *_: None,
)


async def release(lane: Lane, mail: Mail, again_at: datetime | None) -> None:
    """Gives the claim back: the mail is tried again at that instant, or is done with."""
    held: dict[str, object] = {"mail_id": mail.id, "claimed_at": mail.claimed_at}
    if again_at is None:
        await lane.rows(_REMOVE, **held)
    else:
        await lane.rows(_POSTPONE, **held, again_at=again_at)
