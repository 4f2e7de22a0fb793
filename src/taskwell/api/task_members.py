"""The members of a task as JSON, from which every contract picks; ``tasks.members`` has them as SQL, for lists."""

from typing import Any

from taskwell.tasks import Task

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
        "space_id": task.space_id,
        "created_by": task.created_by,
        "completed_by": task.completed_by,
        "assignee_id": task.assignee_id,
        "revision": task.revision,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
    }
