"""The statements of an import: each brings any number of rows."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, bindparam, insert, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.base import Executable

from taskwell.database import Base, Build, Query, UuidText
from taskwell.database.given import given_rows
from taskwell.tasks.queries import USER_ID
from taskwell.tasks.tables import ListRow, ReminderRow, TaskRow

_REVISION = bindparam("revision", type_=BigInteger)


def _known(dialect: str) -> Sequence[Executable]:
    named = given_rows(dialect, "named", {"id": UuidText()})
    return [select(TaskRow.id).where(TaskRow.user_id == USER_ID, TaskRow.id.in_(select(named.c.id)))]


def _insert(table: type[Base], *columns: InstrumentedAttribute[object], has_revision: bool) -> Build:
    types = {each.key: each.type for each in columns}

    def build(dialect: str) -> Sequence[Executable]:
        given = given_rows(dialect, "given", types)
        stamp = {"user_id": USER_ID} | ({"revision": _REVISION} if has_revision else {})
        return [insert(table).from_select([*stamp, *types], select(*stamp.values(), *given.c))]

    return build


KNOWN: Query[str] = Query(_known, str, is_heavy=True)
"""Which of these ids the user has, in the trash perhaps."""

LISTS: Query[tuple[str, str, int]] = Query(
    select(ListRow.id, ListRow.name, ListRow.position)
    .where(ListRow.user_id == USER_ID)
    .order_by(ListRow.position, ListRow.id),
    lambda *columns: columns,
)

INSERT_LISTS: Query[int] = Query(
    _insert(
        ListRow,
        *(ListRow.id, ListRow.name, ListRow.color, ListRow.position, ListRow.created_at, ListRow.updated_at),
        has_revision=True,
    ),
    int,
)

INSERT_REMINDERS: Query[int] = Query(
    _insert(
        ReminderRow,
        *(ReminderRow.id, ReminderRow.task_id, ReminderRow.channel, ReminderRow.remind_at),
        *(ReminderRow.minutes_before_due, ReminderRow.fire_at, ReminderRow.delivery_id, ReminderRow.settled_for),
        *(ReminderRow.sent_at, ReminderRow.changed_at, ReminderRow.created_at),
        has_revision=False,
    ),
    int,
    is_heavy=True,
)
