"""The members of a task as SQL, from which every contract picks: a list goes from its rows to the wire as text."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, case, func, literal_column

from taskwell.database.json import BooleanJson, DayText, InstantText, ListJson, PlainText
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Priority


def priority_member(names: Mapping[Priority, str]) -> Any:
    """The priority under a contract's names for it."""
    words = {int(each): literal_column(f"'{name}'", Text) for each, name in names.items()}
    return PlainText(case(words, value=TaskRow.priority))


MEMBERS: dict[str, Any] = {
    "id": TaskRow.id,
    "user_id": bindparam("subject", type_=Text),
    "title": TaskRow.title,
    "description": TaskRow.description,
    "priority": priority_member({each: each.name for each in Priority}),
    "completed": BooleanJson(TaskRow.completed_at.is_not(None)),
    "completed_at": InstantText(TaskRow.completed_at),
    "due_date": TaskRow.due_date,
    "due_at": InstantText(TaskRow.due_at),
    "list_id": TaskRow.list_id,
    "tags": ListJson(TaskRow.tags),
    "space_id": TaskRow.space_id,
    "created_by": TaskRow.created_by,
    "completed_by": TaskRow.completed_by,
    "assignee_id": TaskRow.assignee_id,
    "revision": TaskRow.revision,
    "created_at": InstantText(TaskRow.created_at),
    "updated_at": InstantText(TaskRow.updated_at),
}
"""Those of a living task."""

TRASHED_MEMBERS = MEMBERS | {"deleted_at": InstantText(TaskRow.deleted_at)}

DUE: ColumnElement[str] = func.coalesce(DayText(TaskRow.due_date), InstantText(TaskRow.due_at))
"""The day or the instant, for contracts that have one member for both."""
