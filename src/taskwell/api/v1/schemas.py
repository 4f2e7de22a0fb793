"""The wire shapes of v1. Bodies are strict: what they do not know, they refuse."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from taskwell.api.in_space import Spaces
from taskwell.api.task_members import COMPLETED_BY_STATUS, EXAMPLE_ID, EXAMPLE_USER, task_members
from taskwell.database.json import JsonObject
from taskwell.errors import Invalid
from taskwell.tasks import PageRequest, Priority, Projection, Task, TaskChanges, TaskDraft, TaskFilter, TaskSort
from taskwell.tasks.fields import (
    UUID,
    BoundField,
    DayField,
    Description,
    Flag,
    InstantField,
    ListId,
    Tag,
    Tags,
    TaskId,
    Text,
    Title,
)
from taskwell.tasks.members import MEMBERS, TRASHED_MEMBERS
from taskwell.tasks.service import unknown_member
from taskwell.tasks.task import MAX_TAGS, PriorityName
from taskwell.users.principal import Principal


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


EXAMPLE_TASK: JsonDict = {
    "id": EXAMPLE_ID,
    "user_id": EXAMPLE_USER,
    "title": "Buy milk",
    "description": None,
    "priority": "medium",
    "completed": False,
    "completed_at": None,
    "due_date": "2026-12-24",
    "due_at": None,
    "list_id": None,
    "tags": ["home"],
    "space_id": EXAMPLE_USER,
    "created_by": EXAMPLE_USER,
    "completed_by": None,
    "assignee_id": None,
    "revision": 42,
    "created_at": "2026-11-21T08:00:00.123456Z",
    "updated_at": "2026-11-21T08:00:00.123456Z",
}


class TaskOut(BaseModel):
    """A task."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TASK]})

    id: str
    user_id: str
    title: str
    description: str | None
    priority: PriorityName
    completed: bool
    completed_at: datetime | None
    due_date: date | None
    due_at: datetime | None
    list_id: str | None
    tags: list[str]
    space_id: str
    created_by: str = Field(description="The user who made it, who may be gone.")
    completed_by: str | None
    assignee_id: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


class TrashedTaskOut(TaskOut):
    deleted_at: datetime


class TaskPageOut(BaseModel):
    items: list[TaskOut]
    next_cursor: str | None
    total: int | None = Field(None, description="Only with include_total=true.")


class TrashPageOut(BaseModel):
    items: list[TrashedTaskOut]
    next_cursor: str | None
    total: int | None = Field(None, description="Only with include_total=true.")


def task_json(task: Task, subject: str) -> dict[str, Any]:
    """A task for the wire; ``subject`` is the id by which the caller knows itself."""
    shown = task_members(task, subject)
    if task.deleted_at is not None:
        shown["deleted_at"] = task.deleted_at
    return shown


AS_JSON: Projection[str] = Projection((JsonObject(MEMBERS),), str, is_text=True)
"""A task as its JSON text, straight from the database."""

TRASHED_TASK = JsonObject(TRASHED_MEMBERS)
AS_TRASHED_JSON: Projection[str] = Projection((TRASHED_TASK,), str, is_text=True)


def _not_both(due_date: date | None, due_at: datetime | None) -> None:
    if due_date is not None and due_at is not None:
        raise PydanticCustomError("two_dues", "Name due_date or due_at, not both")


SpaceId = Annotated[Text, Field(max_length=255, description="A space of yours, or 'personal'.")]
UserId = Annotated[Text, Field(max_length=255, description="Of a member of the space.")]


def own_id(user_id: str | None, actor: Principal) -> str | None:
    """Our own id of the user whom a request names; the caller may use either id.

    Raises:
        Invalid: it can be nobody's.
    """
    if user_id is None:
        return None
    if actor.is_named(user_id):
        return actor.user_id
    if not UUID.fullmatch(user_id):
        raise unknown_member()
    return user_id.lower()


class TaskBody(StrictModel):
    """What PUT takes, and POST beside an id; what is left out has its default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Buy milk", "priority": "high", "due_date": "2026-12-24", "tags": ["home"]}]
        }
    )

    title: Title
    description: Description | None = None
    priority: PriorityName = "medium"
    completed: Flag = False
    due_date: DayField | None = None
    due_at: InstantField | None = None
    list_id: ListId | None = None
    tags: Tags = ()  # type: ignore[assignment]
    assignee_id: UserId | None = None

    @model_validator(mode="after")
    def _has_one_due(self) -> Self:
        _not_both(self.due_date, self.due_at)
        return self

    def draft(self, actor: Principal) -> TaskDraft:
        return TaskDraft(
            title=self.title,
            description=self.description,
            priority=Priority[self.priority],
            completed=self.completed,
            due_date=self.due_date,
            due_at=self.due_at,
            list_id=self.list_id,
            tags=tuple(self.tags),
            assignee_id=own_id(self.assignee_id, actor),
        )


class NewTask(TaskBody):
    """What POST takes; what is left out has its default."""

    id: TaskId = Field("", description="Your own for the task, a UUID of any version; by default one is made.")


class TaskPatch(StrictModel):
    """What PATCH takes; what is left out stays as it is, and null clears what may be empty."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"completed": True}]})

    title: Title = ""
    description: Description | None = None
    priority: PriorityName = "medium"
    completed: Flag = False
    due_date: DayField | None = None
    due_at: InstantField | None = None
    list_id: ListId | None = None
    tags: Tags = ()  # type: ignore[assignment]
    assignee_id: UserId | None = None

    @model_validator(mode="after")
    def _has_one_due(self) -> Self:
        _not_both(self.due_date, self.due_at)
        return self

    def changes(self, actor: Principal) -> TaskChanges:
        named: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "priority" in named:
            named["priority"] = Priority[named["priority"]]
        if "tags" in named:
            named["tags"] = tuple(named["tags"])
        if "assignee_id" in named:
            named["assignee_id"] = own_id(self.assignee_id, actor)
        return cast(TaskChanges, named)


class MoveBody(StrictModel):
    """Where the task goes; without a list it is in none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"space_id": EXAMPLE_ID}]})

    space_id: SpaceId
    list_id: ListId | None = None


class Completion(StrictModel):
    """Sets ``completed``; without it the call toggles."""

    completed: Flag = False


class PageQuery(StrictModel):
    space: Spaces = []
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(description="The next_cursor of the page before; empty for the first page.")] = ""
    include_total: bool = False


class TaskQuery(PageQuery):
    """The filters, order and page of a list of tasks; all of them combine."""

    status: Literal["all", "pending", "completed"] = "all"
    priority: Annotated[list[PriorityName], Field(description="Any of them.")] = []
    tag: Annotated[list[Tag], Field(max_length=MAX_TAGS, description="Any of them, or all with tag_match=all.")] = []
    tag_match: Literal["any", "all"] = "any"
    list_id: Annotated[str | None, Field(description="A list, or 'none' for the tasks without one.")] = None
    assignee: Annotated[
        Text | None, Field(max_length=255, description="A member, 'me', or 'none' for the tasks of nobody.")
    ] = None
    overdue: bool | None = None
    due_before: Annotated[BoundField | None, Field(description="An instant, or the start of a day of yours.")] = None
    due_after: Annotated[BoundField | None, Field(description="Includes its bound, as every _after does.")] = None
    created_before: BoundField | None = None
    created_after: BoundField | None = None
    updated_after: BoundField | None = None
    q: Annotated[
        str | None,
        Field(max_length=1000, description='All words must occur; the last may go on. "Quotes" make a phrase.'),
    ] = None
    sort: Literal["created_at", "updated_at", "due", "priority", "title", "relevance"] = "created_at"
    order: Literal["asc", "desc"] = "desc"

    def asked(self, actor: Principal) -> PageRequest:
        """Raises:
        Invalid: the order is that of a search, and there is none.
        """
        if self.sort == "relevance" and self.q is None:
            raise Invalid.field("q", "sort=relevance needs a search.", "missing", location="query")
        wanted = TaskFilter(
            completed=COMPLETED_BY_STATUS[self.status],
            priorities=tuple(Priority[name] for name in self.priority),
            tags=tuple(self.tag),
            all_tags=self.tag_match == "all",
            list_id=self.list_id,
            assignee_id=actor.user_id
            if self.assignee == "me" or actor.is_named(self.assignee or "")
            else self.assignee,
            overdue=self.overdue,
            due_before=self.due_before,
            due_after=self.due_after,
            created_before=self.created_before,
            created_after=self.created_after,
            updated_after=self.updated_after,
            search=self.q,
        )
        sort = TaskSort(self.sort, self.order == "desc")
        return PageRequest(wanted, sort, self.limit, self.cursor or None, self.include_total)


class TrashQuery(PageQuery):
    def asked(self, _: Principal) -> PageRequest:
        sort = TaskSort("deleted_at")
        return PageRequest(TaskFilter(), sort, self.limit, self.cursor or None, self.include_total, in_trash=True)


class DeleteQuery(StrictModel):
    permanent: bool = False
