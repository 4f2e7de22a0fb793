"""The content of one task in a file, for import and export."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast
from uuid import NAMESPACE_URL, uuid5

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from taskwell.errors import Invalid
from taskwell.tasks.fields import UUID, DayField, Description, InstantField, ListName, Tags, Title
from taskwell.tasks.list_queries import MAX_POSITION
from taskwell.tasks.reminders import MAX_MINUTES, Channel
from taskwell.tasks.task import Priority, PriorityName, Task

MAX_ROWS = 10_000
MAX_SHOWN = 100
"""The number of characters of a file's text that an answer quotes."""

FOREIGN_IDS = uuid5(NAMESPACE_URL, "urn:taskwell:foreign-ids")
"""In this namespace, an id of another program always becomes the same UUID, so its rows match again."""

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)


def printable(text: str) -> str:
    """The beginning of a file's text, without characters that JSON cannot contain."""
    cut = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return cut.encode(errors="replace").decode()


def too_many_rows() -> Invalid:
    """The error for a file with too many rows."""
    return Invalid.field("rows", f"A file may hold {MAX_ROWS} tasks; split it.", "too_many_rows")


def _task_id(value: Any) -> str | None:
    """The UUID of an id. A plain number gives None: in another file it means another task."""
    if not isinstance(value, str) or value.isdecimal():
        return None
    return value.lower() if UUID.fullmatch(value) else str(uuid5(FOREIGN_IDS, value))


def _user_id(value: Any) -> str | None:
    """Another program's name of somebody is nobody here."""
    return value.lower() if isinstance(value, str) and UUID.fullmatch(value) else None


def _flag(value: Any) -> Any:
    """Reads the usual words for yes and no."""
    known = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "": False}
    return known.get(value.strip().lower(), value) if isinstance(value, str) else value


def _color(value: str) -> str:
    if not _COLOR.fullmatch(value):
        raise PydanticCustomError("invalid_color", "It must be a colour such as #3366ff")
    return value


class TaskRecord(BaseModel):
    """One task of a file. Empty values count as missing."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Annotated[str | None, BeforeValidator(_task_id)] = None
    title: Title
    description: Description | None = None
    priority: PriorityName = "medium"
    completed: Annotated[Literal[True, False], BeforeValidator(_flag)] = False
    completed_at: InstantField | None = None
    due_date: DayField | None = None
    due_at: InstantField | None = None
    list: ListName | None = None
    tags: Tags = ()  # type: ignore[assignment]
    created_at: InstantField | None = None
    updated_at: InstantField | None = None
    assignee_id: Annotated[str | None, BeforeValidator(_user_id)] = None

    @model_validator(mode="after")
    def _has_one_due(self) -> Self:
        if self.due_date is not None and self.due_at is not None:
            raise PydanticCustomError("two_dues", "It has due_date and due_at; a task has one of them")
        return self

    @classmethod
    def from_task(cls, task: Task, list_name: str | None) -> "TaskRecord":
        """The record of a stored task, without validating it again."""
        return cls.model_construct(
            id=task.id,
            title=task.title,
            description=task.description,
            priority=cast(PriorityName, task.priority.name),
            completed=task.completed,
            completed_at=task.completed_at,
            due_date=task.due_date,
            due_at=task.due_at,
            list=list_name,
            tags=list(task.tags),
            created_at=task.created_at,
            updated_at=task.updated_at,
            assignee_id=task.assignee_id,
        )


class ReadTask(TaskRecord):
    """One task of a file that was read."""

    deleted_at: InstantField | None = None

    def task(self, *, new_id: str, list_id: str | None, now: datetime) -> Task:
        """The task to store: updated now, and created no later than completed."""
        completed_at = (self.completed_at or now) if self.completed or self.completed_at else None
        return Task(
            id=self.id or new_id,
            title=self.title,
            description=self.description,
            priority=Priority[self.priority],
            completed_at=completed_at,
            due_date=self.due_date,
            due_at=self.due_at,
            list_id=list_id,
            tags=tuple(self.tags),
            revision=0,
            created_at=min(now, self.created_at or now, completed_at or now),
            updated_at=now,
            deleted_at=self.deleted_at,
            assignee_id=self.assignee_id,
        )


class ListRecord(BaseModel):
    """A list of a file.

    Attributes:
        key: The name or id by which tasks of the file refer to it.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    key: str
    name: ListName
    id: Annotated[str | None, BeforeValidator(_task_id)] = None
    color: Annotated[str, AfterValidator(_color)] | None = None
    position: Annotated[int, Field(ge=0, le=MAX_POSITION, strict=True)] | None = None


class ReminderRecord(BaseModel):
    """A reminder of a task in a file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    channel: Channel
    remind_at: InstantField | None = None
    minutes_before_due: Annotated[int, Field(ge=0, le=MAX_MINUTES, strict=True)] | None = None
    sent_at: InstantField | None = None

    @model_validator(mode="after")
    def _has_one_moment(self) -> Self:
        if (self.remind_at is None) is (self.minutes_before_due is None):
            raise PydanticCustomError("one_moment", "It must have remind_at or minutes_before_due")
        return self


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was not stored.

    Attributes:
        field: The first field that breaks a rule; empty if the row is unreadable.
    """

    row: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One task of a file before validation, numbered from 1 (without the header of a CSV).

    Attributes:
        values: The file's values by field; an empty one means that the file clears the field.
        flaw: The reason why the row is unreadable.
        name: The file's name for the row, such as its UID.
        list_key: The key of its list, if ``values`` does not name the list.
    """

    number: int
    values: Mapping[str, Any]
    flaw: RowError | None = None
    name: str = ""
    list_key: str | None = None
    reminders: tuple[ReminderRecord, ...] = ()

    def record(self) -> ReadTask | RowError:
        """The validated record, or the error of the row."""
        if self.flaw is not None:
            return self.flaw
        present = {name: value for name, value in self.values.items() if value not in (None, "", [])}
        present.pop("updated_at", None)  # the import sets it
        try:
            return ReadTask.model_validate(present)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
        field, *others = (".".join(map(str, each["loc"])) for each in found)
        named = f" ({printable(self.name)})" if self.name else ""
        also = f" Also wrong: {', '.join(others)}." if others else ""
        return RowError(self.number, field, f"{_sentence(found[0]['msg'])}{named}.{also}")


def _sentence(message: str) -> str:
    return "The title is missing" if message == "Field required" else message.rstrip(".")
