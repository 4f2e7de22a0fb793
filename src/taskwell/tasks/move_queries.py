"""The statements that carry tasks and lists from ``:space`` to ``:target``."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, bindparam, case, delete, exists, insert, null, select, update
from sqlalchemy.sql.base import Executable

from taskwell.database import Query, UtcInstant, UuidText
from taskwell.database.json_rows import json_rows
from taskwell.spaces.revision import SPACE
from taskwell.spaces.tables import MembershipRow
from taskwell.tasks.list_queries import at_the_end
from taskwell.tasks.queries import TASK_COLUMNS, as_task
from taskwell.tasks.tables import ListRow, ReminderRow, TaskRow
from taskwell.tasks.task import Task
from taskwell.tasks.visibility import in_space

_TARGET = bindparam("target", type_=UuidText)
_LIST_ID = bindparam("list_id", type_=UuidText)
_REVISION = bindparam("revision", type_=BigInteger)
_NOW = bindparam("now", type_=UtcInstant)

LIST: Query[str] = Query(select(ListRow.id).where(in_space(ListRow), ListRow.id == _LIST_ID), str)

TASKS_OF_LIST: Query[Task] = Query(
    select(*TASK_COLUMNS).where(in_space(TaskRow), TaskRow.list_id == _LIST_ID), as_task, is_heavy=True
)
"""Those in the trash too."""

ADD_LIST: Query[str] = Query(
    insert(ListRow)
    .values(
        space_id=SPACE,
        id=_LIST_ID,
        name=bindparam("name", type_=Text),
        color=bindparam("color", type_=Text),
        position=at_the_end(),
        revision=_REVISION,
        created_at=bindparam("created_at", type_=UtcInstant),
        updated_at=_NOW,
    )
    .returning(ListRow.id),
    str,
)
REMOVE_LIST: Query[str] = Query(
    delete(ListRow).where(in_space(ListRow), ListRow.id == _LIST_ID).returning(ListRow.id), str
)


def _end_reminders(dialect: str) -> Sequence[Executable]:
    given = json_rows(dialect, "given", {"id": UuidText()})
    is_member = exists(
        select(MembershipRow.user_id).where(
            MembershipRow.space_id == _TARGET, MembershipRow.user_id == ReminderRow.user_id
        )
    )
    is_of_them = ReminderRow.task_id.in_(select(given.c.id))
    return [delete(ReminderRow).where(in_space(ReminderRow), is_of_them, ~is_member)]


def _carry(dialect: str) -> Sequence[Executable]:
    columns = {each.key: each.type for each in (TaskRow.id, TaskRow.list_id, TaskRow.due_key)}
    given = json_rows(dialect, "given", columns)
    is_member = exists(
        select(MembershipRow.user_id).where(
            MembershipRow.space_id == _TARGET, MembershipRow.user_id == TaskRow.assignee_id
        )
    )
    return [
        update(TaskRow)
        .values(
            space_id=_TARGET,
            list_id=given.c.list_id,
            due_key=given.c.due_key,
            assignee_id=case((is_member, TaskRow.assignee_id), else_=null()),
            revision=_REVISION,
            updated_at=_NOW,
        )
        .where(in_space(TaskRow), TaskRow.id == given.c.id)
    ]


END_REMINDERS: Query[int] = Query(_end_reminders, int, is_heavy=True)
"""Ends the reminders of whoever is no member of the target."""

CARRY: Query[int] = Query(_carry, int, is_heavy=True)
