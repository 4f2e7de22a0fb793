"""A task on its way in or out: what a file holds of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from taskwell.errors import FieldError, Invalid
from taskwell.tasks.fields import UUID, DayField, Description, InstantField, ListName, Tags, Title
from taskwell.tasks.task import Priority, PriorityName, Task

MAX_ROWS = 10_000


def too_many_rows() -> Invalid:
    """What a file with more rows than are taken at once is refused with."""
    return Invalid.field("rows", f"A file may hold {MAX_ROWS} tasks; split it.", "too_many_rows")


def _id_or_none(value: Any) -> str | None:
    """Another program's id is not one of ours; the task gets a new one."""
    return value.lower() if isinstance(value, str) and UUID.fullmatch(value) else None


def _flag(value: Any) -> Any:
    """What files say for yes and no."""
    known = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "": False}
    return known.get(value.strip().lower(), value) if isinstance(value, str) else value


class TaskRecord(BaseModel):
    """One task of a file. Empty values are the same as missing ones; unknown ones are left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Annotated[str | None, BeforeValidator(_id_or_none)] = None
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

    @model_validator(mode="after")
    def _has_one_due(self) -> Self:
        if self.due_date is not None and self.due_at is not None:
            raise PydanticCustomError("two_dues", "It has due_date and due_at; a task has one of them")
        return self

    @classmethod
    def of(cls, task: Task, list_name: str | None) -> "TaskRecord":
        """A stored task for a file; it keeps the rules already."""
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
        )

    def task(self, *, new_id: str, list_id: str | None, now: datetime) -> Task:
        """The task to be stored; what the file does not say of its history is now."""
        created_at = self.created_at or now
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
            created_at=created_at,
            updated_at=max(self.updated_at or now, created_at),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One task of a file as it was found, numbered from 1 as a person counts (a CSV's header not counted).

    Attributes:
        flaw: Why it could not be read at all.
    """

    number: int
    values: Mapping[str, Any]
    flaw: str | None = None

    def record(self) -> TaskRecord | list[FieldError]:
        """The record, or what is wrong with the row."""
        if self.flaw is not None:
            return [FieldError("body", f"rows.{self.number}", self.flaw, "unreadable")]
        present = {name: value for name, value in self.values.items() if value not in (None, "", [])}
        try:
            return TaskRecord.model_validate(present)
        except ValidationError as error:
            return [
                FieldError("body", ".".join(map(str, ("rows", self.number, *each["loc"]))), each["msg"], each["type"])
                for each in error.errors(include_url=False, include_context=False, include_input=False)
            ]
