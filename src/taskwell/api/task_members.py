"""The members of a task as JSON, from which every contract picks: as values of one task, and as SQL for lists."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, bindparam, case, literal_column

from taskwell.database.json import BooleanJson, InstantText, ListJson, PlainText
from taskwell.tasks import Priority, Task
from taskwell.tasks.tables import TaskRow

COMPLETED_BY_STATUS = {"all": None, "pending": False, "completed": True}
EXAMPLE_ID = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
EXAMPLE_USER = "01938d1b-1111-7222-8333-444455556666"


def task_members(task: Task, subject: str) -> dict[str, Any]:
    """A task for the wire; ``subject`` is the id by which the caller knows itself."""
    return {
        "id": task.id,
        "user_id": subject,
        "title": task.title,
        "description": task.description,
        "priority": task.priority.name,
        "completed": task.completed,
        "completed_at": task.completed_at,
        "due_date": task.due_date,
        "due_at": task.due_at,
        "list_id": task.list_id,
        "tags": task.tags,
        "revision": task.revision,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
    }


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
    "revision": TaskRow.revision,
    "created_at": InstantText(TaskRow.created_at),
    "updated_at": InstantText(TaskRow.updated_at),
}
"""The same, straight from the database."""
