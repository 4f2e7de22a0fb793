"""The wire shapes of the user_tasks contract."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from taskwell.api.task_members import EXAMPLE_ID, EXAMPLE_USER, task_members
from taskwell.database.json import JsonObject
from taskwell.tasks import Priority, Projection, Task, TaskChanges, TaskDraft
from taskwell.tasks.fields import Description, DueField, Flag, Tags, Text, Title
from taskwell.tasks.members import DUE, MEMBERS
from taskwell.tasks.task import PriorityName

EXAMPLE_TASK: JsonDict = {
    "id": EXAMPLE_ID,
    "user_id": EXAMPLE_USER,
    "title": "Buy milk",
    "description": None,
    "priority": "medium",
    "completed": False,
    "completed_at": None,
    "due_date": "2026-12-24",
    "tags": ["home"],
    "created_at": "2026-11-21T08:00:00.123456Z",
    "updated_at": "2026-11-21T08:00:00.123456Z",
}


class TaskOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TASK]})

    id: str
    user_id: str
    title: str
    description: str | None
    priority: PriorityName
    completed: bool
    completed_at: datetime | None
    due_date: date | datetime | None = Field(description="The day or the instant, whichever the task has.")
    tags: list[str]
    created_at: datetime
    updated_at: datetime


class DeletedOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "Task deleted", "id": EXAMPLE_ID}]})

    message: str
    id: str


def task_json(task: Task, subject: str) -> dict[str, Any]:
    members = task_members(task, subject) | {"due_date": task.due_date or task.due_at}
    return {name: members[name] for name in TaskOut.model_fields}


AS_JSON: Projection[str] = Projection(
    (JsonObject({name: MEMBERS[name] for name in TaskOut.model_fields} | {"due_date": DUE}),), str, is_text=True
)


class TaskBody(BaseModel):
    """What POST takes; what is left out, or null, has its default."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"title": "Buy milk", "priority": "high", "due_date": "2026-12-24", "tags": ["home"]}]
        },
    )

    title: Title
    description: Description | None = None
    priority: PriorityName | None = None
    completed: Flag | None = None
    due_date: DueField | None = None
    tags: Tags | None = None

    def draft(self) -> TaskDraft:
        return TaskDraft(title=self.title, **_values(self))


class TaskPatch(BaseModel):
    """What PUT and PATCH take: only what they name is changed, and null clears what may be empty."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"completed": True}]})

    title: Title = Field(default_factory=str)  # a default would be in the document, and clients would send it
    description: Description | None = None
    priority: PriorityName | None = None
    completed: Flag | None = None
    due_date: DueField | None = None
    tags: Tags | None = None

    def changes(self) -> TaskChanges:
        named = _values(self)
        if "title" in self.model_fields_set:
            named["title"] = self.title
        return cast(TaskChanges, named)


def _values(body: TaskBody | TaskPatch) -> dict[str, Any]:
    """What the body names of the fields that may be null, in the product's words.

    Forms send null for what they leave alone: no priority is then meant, and none is changed.
    """
    named: dict[str, Any] = {}
    if "description" in body.model_fields_set:
        named["description"] = body.description
    if body.priority is not None:
        named["priority"] = Priority[body.priority]
    if body.completed is not None:
        named["completed"] = body.completed
    if "due_date" in body.model_fields_set:
        is_instant = isinstance(body.due_date, datetime)
        named |= {"due_date": None if is_instant else body.due_date, "due_at": body.due_date if is_instant else None}
    if "tags" in body.model_fields_set:
        named["tags"] = tuple(body.tags or ())
    return named


class Completion(BaseModel):
    """Sets ``completed``; without it the call toggles."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"completed": True}]})

    completed: Flag | None = None


def _split(values: object) -> object:
    """Takes ``a,b`` for ``a`` and ``b``; empty parts ask nothing."""
    if not isinstance(values, list):
        return values
    return [part.strip() for value in values for part in str(value).split(",") if part.strip()]


SortName = Literal["created_at", "updated_at", "due_date", "priority", "title"]
Order = Literal["asc", "desc"]


class TaskQuery(BaseModel):
    """The filters, order and range of a list; all of them combine."""

    model_config = ConfigDict(frozen=True)

    status: Literal["all", "pending", "completed"] = "all"
    completed: bool | None = None
    priority: Annotated[list[PriorityName], BeforeValidator(_split)] = Field([], description="Any of them.")
    tags: Annotated[list[Text], BeforeValidator(_split)] = Field(
        [], max_length=100, description="Any of them; repeated or separated by commas."
    )
    search: Text = Field("", max_length=1000, description="All its words, in title, description or tags.")
    sort: SortName | None = Field(None, description="By default created_at.")
    sort_by: SortName | None = Field(None, description="The same, under its other name.")
    order: Order | None = Field(None, description="By default desc.")
    sort_order: Order | None = Field(None, description="The same, under its other name.")
    limit: int | None = Field(None, ge=1, le=1_000_000, description="By default, and at most, 10,000.")
    offset: int = Field(0, ge=0, le=1_000_000_000)
