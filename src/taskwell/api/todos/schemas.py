"""The wire shapes of the todos contract."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from taskwell.api.task_members import EXAMPLE_ID, EXAMPLE_USER, task_members
from taskwell.database.json import JsonObject
from taskwell.tasks import Priority, Projection, Task, TaskChanges, TaskDraft
from taskwell.tasks.fields import Flag, Title, without_nul
from taskwell.tasks.members import MEMBERS, priority_member

TodoPriority = Literal["high", "medium", "low"]
Description = Annotated[str, StringConstraints(max_length=1000), AfterValidator(without_nul)]
Status = Literal["all", "pending", "completed"]
SortBy = Literal["created_at", "priority", "title"]
Order = Literal["asc", "desc"]

SHOWN = {Priority.low: "low", Priority.medium: "medium", Priority.high: "high", Priority.urgent: "high"}
"""These clients know three priorities."""

EXAMPLE_TODO: JsonDict = {
    "id": EXAMPLE_ID,
    "user_id": EXAMPLE_USER,
    "title": "Buy milk",
    "description": None,
    "priority": "medium",
    "completed": False,
    "created_at": "2026-11-21T08:00:00.123456Z",
    "updated_at": "2026-11-21T08:00:00.123456Z",
    "completed_at": None,
}


class TodoOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TODO]})

    id: str
    user_id: str
    title: str
    description: str | None
    priority: TodoPriority
    completed: bool
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class FiltersOut(BaseModel):
    status: Status
    sort_by: SortBy
    order: Order


class TodoListOut(BaseModel):
    todos: list[TodoOut] = Field(description="10,000 at most; what Link names has the next ones.")
    total: int
    filters_applied: FiltersOut


class DeletedOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message": "Todo deleted successfully", "deleted_id": EXAMPLE_ID}]}
    )

    message: str
    deleted_id: str


def todo_json(task: Task, subject: str) -> dict[str, Any]:
    members = task_members(task, subject)
    return {name: members[name] for name in TodoOut.model_fields} | {"priority": SHOWN[task.priority]}


AS_JSON: Projection[str] = Projection(
    (JsonObject({name: MEMBERS[name] for name in TodoOut.model_fields} | {"priority": priority_member(SHOWN)}),),
    str,
    is_text=True,
)


class TodoBody(BaseModel):
    """What POST and PUT take; what is left out has its default, but for ``completed`` of a PUT, which stays."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"title": "Buy milk", "priority": "high"}]}
    )

    title: Title
    description: Description | None = None
    priority: TodoPriority = "medium"
    completed: Flag = False

    def draft(self) -> TaskDraft:
        return TaskDraft(**self._values())

    def changes(self) -> Callable[[Task], TaskChanges]:
        """What PUT sets; due dates, tags and lists stay as they are, and ``completed`` where it is not named."""
        values = self._values()
        if "completed" not in self.model_fields_set:  # the edit form of these clients never sends it
            del values["completed"]
        return _keeping_urgent(cast(TaskChanges, values))

    def _values(self) -> dict[str, Any]:
        return self.model_dump() | {"priority": Priority[self.priority]}


UNNAMED: Any = Field(default_factory=lambda: None)
"""What a partial change leaves out; no client may take it for a value to send, as it would a default."""


class TodoPatch(BaseModel):
    """What PATCH takes; what is left out stays as it is, and a description of null is none."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"completed": True}]})

    title: Title = UNNAMED
    description: Description | None = None
    priority: TodoPriority = UNNAMED
    completed: Flag = UNNAMED

    def changes(self) -> Callable[[Task], TaskChanges]:
        named = self.model_dump(exclude_unset=True)
        if "priority" in named:
            named["priority"] = Priority[named["priority"]]
        return _keeping_urgent(cast(TaskChanges, named))


def _keeping_urgent(changes: TaskChanges) -> Callable[[Task], TaskChanges]:
    """A client that was shown an urgent todo as high, and sends that back, did not mean to lower it."""

    def of(task: Task) -> TaskChanges:
        if task.priority is Priority.urgent and changes.get("priority") is Priority.high:
            return TaskChanges(**{**changes, "priority": Priority.urgent})
        return changes

    return of


class Completion(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"completed": True}]})

    completed: Flag


class TodoQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Status = "all"
    sort_by: SortBy = Field("created_at", description="Priority sorts by urgency, titles without case.")
    order: Order = "desc"
    offset: int = Field(0, ge=0, le=1_000_000_000, description="How many to pass over.")
