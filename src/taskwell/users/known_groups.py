"""From which address groups users have signed in lately: from there an account stays open while strangers try it.

A group is known by a hash under the secret. Its row is written once a day at most, whatever the number of sign-ins.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Text, bindparam, delete, exists, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from taskwell.database import Day, Lane, Query, UuidText, now
from taskwell.users.tables import KnownGroupRow, UserRow

KNOWN_FOR = timedelta(days=30)

_USER_ID = bindparam("user_id", type_=UuidText)
_GROUP, _TODAY = bindparam("group_hash", type_=Text), bindparam("today", type_=Day)
_COLUMNS = ["user_id", "group_hash", "last_on"]
_IS_ROW = (KnownGroupRow.user_id == _USER_ID) & (KnownGroupRow.group_hash == _GROUP)


def _remember(dialect: str) -> Sequence[Executable]:
    is_written = exists(select(literal_column("1")).where(_IS_ROW, KnownGroupRow.last_on >= _TODAY))
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # An upsert alone would lock the row at every sign-in, even where it changes nothing.
    added = insert(KnownGroupRow).from_select(_COLUMNS, select(_USER_ID, _GROUP, _TODAY).where(~is_written))
    return [
        added.on_conflict_do_update(
            index_elements=["user_id", "group_hash"], set_={"last_on": added.excluded.last_on}
        )
    ]


_REMEMBER: Query[None] = Query(_remember, lambda *_: None)


async def remember_group(lane: Lane, user_id: str, group: str) -> None:
    """The user has signed in from this group today."""
    await lane.rows(_REMEMBER, user_id=user_id, group_hash=group, today=now().date())


_is_recent = KnownGroupRow.last_on >= bindparam("since", type_=Day)
_OF_USER: Query[date] = Query(select(KnownGroupRow.last_on).where(_IS_ROW, _is_recent), lambda day: day)
_OF_EMAIL: Query[date] = Query(
    select(KnownGroupRow.last_on)
    .join(UserRow, UserRow.id == KnownGroupRow.user_id)
    .where(UserRow.email_key == bindparam("email_key"), KnownGroupRow.group_hash == _GROUP, _is_recent),
    lambda day: day,
)


async def is_group_of_user(lane: Lane, user_id: str, group: str) -> bool:
    return await lane.row(_OF_USER, user_id=user_id, group_hash=group, since=_since()) is not None


async def is_group_of_email(lane: Lane, key: str, group: str) -> bool:
    """Whether the group is known to the user whose e-mail has this key; to nobody where there is no such user."""
    return await lane.row(_OF_EMAIL, email_key=key, group_hash=group, since=_since()) is not None


_old = (
    select(KnownGroupRow.user_id, KnownGroupRow.group_hash)
    .where(KnownGroupRow.last_on < bindparam("since", type_=Day))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_PURGE: Query[str] = Query(
    delete(KnownGroupRow)
    .where(
        exists(
            select(_old).where(_old.c.user_id == KnownGroupRow.user_id, _old.c.group_hash == KnownGroupRow.group_hash)
        )
    )
    .returning(KnownGroupRow.group_hash),
    str,
    is_heavy=True,
)


async def purge_known_groups(lane: Lane, limit: int) -> int:
    """Forgets groups from which nobody has signed in for 30 days, so many at most; gives how many."""
    return len(await lane.rows(_PURGE, since=_since(), limit=limit))


def _since() -> date:
    return (now() - KNOWN_FOR).date()
