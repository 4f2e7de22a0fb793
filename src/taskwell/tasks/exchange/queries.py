"""The statements of an import. Each writes any number of rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam, insert, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.base import Executable

from taskwell.database import Build, Query, UuidText
from taskwell.database.json_rows import json_rows
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import MembershipRow
from taskwell.tasks.tables import ListRow, ReminderRow, TaskRow
from taskwell.tasks.visibility import ACTOR, in_space

_REVISION = bindparam("revision", type_=BigInteger)


def _known(dialect: str) -> Sequence[Executable]:
    named = json_rows(dialect, "named", {"id": UuidText()})
    return [select(TaskRow.id).where(in_space(TaskRow), TaskRow.id.in_(select(named.c.id)))]


def _insert(
    table: type[ListRow | ReminderRow], *columns: InstrumentedAttribute[object], **stamp: BindParameter[Any]
) -> Build:
    types = {each.key: each.type for each in columns}
    values = {"space_id": SPACE, **stamp}

    def build(dialect: str) -> Sequence[Executable]:
        given = json_rows(dialect, "given", types)
        return [insert(table).from_select([*values, *types], select(*values.values(), *given.c))]

    return build


KNOWN: Query[str] = Query(_known, str, is_heavy=True)
"""Those of the given ids that the space has, also in the trash."""

MEMBERS: Query[str] = Query(select(MembershipRow.user_id).where(MembershipRow.space_id == SPACE), str)

LISTS: Query[tuple[str, str, int]] = Query(
    select(ListRow.id, ListRow.name, ListRow.position)
    .where(in_space(ListRow))
    .order_by(ListRow.position, ListRow.id),
    lambda *columns: columns,
)

INSERT_LISTS: Query[int] = Query(
    _insert(
        ListRow,
        *(ListRow.id, ListRow.name, ListRow.color, ListRow.position, ListRow.created_at, ListRow.updated_at),
        revision=_REVISION,
    ),
    int,
)

INSERT_REMINDERS: Query[int] = Query(
    _insert(
        ReminderRow,
        *(ReminderRow.id, ReminderRow.task_id, ReminderRow.channel, ReminderRow.remind_at),
        *(ReminderRow.minutes_before_due, ReminderRow.fire_at, ReminderRow.delivery_id, ReminderRow.settled_for),
        *(ReminderRow.sent_at, ReminderRow.changed_at, ReminderRow.created_at),
        user_id=ACTOR,
    ),
    int,
    is_heavy=True,
)
