"""How many mails an address gets, or a user causes, in a day: counted in one statement, so that no race adds one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Text, bindparam, case, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Lane, Query, UtcInstant, now
from taskwell.mail.tables import MailQuotaRow

DAY = timedelta(days=1)

_NAME = bindparam("name", type_=Text)
_AT = bindparam("at", type_=UtcInstant)


def _take(dialect: str) -> Sequence[Executable]:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    is_over = MailQuotaRow.began_at <= bindparam("over_before", type_=UtcInstant)
    return [
        insert(MailQuotaRow)
        .values(name=_NAME, began_at=_AT, used=1)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={
                "used": case((is_over, 1), else_=MailQuotaRow.used + 1),
                "began_at": case((is_over, _AT), else_=MailQuotaRow.began_at),
            },
            where=or_(is_over, MailQuotaRow.used < bindparam("limit", type_=BigInteger)),
        )
        .returning(MailQuotaRow.used)
    ]


_TAKE: Query[int] = Query(_take, int)


async def take(lane: Lane, name: str, limit: int, window: timedelta = DAY) -> bool:
    """Counts one more of the name, unless its window already has ``limit``; gives whether it was counted.

    Args:
        window: A day at most, after which the count is forgotten.
    """
    if limit < 1:
        return False
    at = now()
    return await lane.row(_TAKE, name=name, at=at, over_before=at - window, limit=limit) is not None


_BEGAN_AT: Query[datetime] = Query(select(MailQuotaRow.began_at).where(MailQuotaRow.name == _NAME), lambda at: at)


async def seconds_left(lane: Lane, name: str) -> int:
    """In how many seconds the name may be counted again."""
    began_at = await lane.row(_BEGAN_AT, name=name)
    return 1 if began_at is None else max(1, int((began_at + DAY - now()).total_seconds()))


_old = (
    select(MailQuotaRow.name)
    .where(MailQuotaRow.began_at < bindparam("before", type_=UtcInstant))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(MailQuotaRow).where(MailQuotaRow.name.in_(select(_old.c.name))).returning(MailQuotaRow.name),
    str,
    is_heavy=True,
)


async def purge(lane: Lane, limit: int) -> int:
    """Forgets days that are over, so many at most; gives how many."""
    return len(await lane.rows(_PURGE, before=now() - DAY, limit=limit))
