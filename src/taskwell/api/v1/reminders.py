"""v1: the reminders of a task."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.in_space import SpaceOperation
from taskwell.api.replies import FRESH, json_response
from taskwell.api.task_members import EXAMPLE_ID
from taskwell.api.v1.schemas import StrictModel
from taskwell.errors import EmailUnverified
from taskwell.tasks import reminders
from taskwell.tasks.fields import InstantField
from taskwell.tasks.reminders import MAX_MINUTES, Channel, Reminder


class ReminderBody(StrictModel):
    """An instant, or how many minutes before the task is due: the start of the day where it has only a day."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"minutes_before_due": 30}, {"remind_at": "2026-12-24T17:30:00Z"}]}
    )

    remind_at: InstantField | None = None
    minutes_before_due: Annotated[StrictInt, Field(ge=0, le=MAX_MINUTES)] | None = None
    channel: Channel = "email"

    @model_validator(mode="after")
    def _has_one_moment(self) -> Self:
        if (self.remind_at is None) == (self.minutes_before_due is None):
            raise PydanticCustomError("one_moment", "Name remind_at or minutes_before_due, exactly one of them")
        return self


class ReminderOut(BaseModel):
    """With the one of ``remind_at`` and ``minutes_before_due`` that it was made with."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": EXAMPLE_ID, "minutes_before_due": 30, "channel": "email", "sent_at": None}]
        }
    )

    id: str
    remind_at: datetime | None = None
    minutes_before_due: int | None = None
    channel: Channel
    sent_at: datetime | None


class RemindersOut(BaseModel):
    items: list[ReminderOut]


class ReminderOperation(SpaceOperation):
    """An operation on the caller's own reminders, which a reader may have too."""

    is_for_readers = True


router = APIRouter(prefix="/tasks/{task_id}/reminders", tags=["reminders"], route_class=ReminderOperation)


@router.get("", summary="List a task's reminders", response_model=RemindersOut)
async def list_reminders(call: Call, task_id: str) -> Response:
    found = await reminders.of_task(call.lane, call.user, call.space, task_id)
    return json_response({"items": [reminder_json(each) for each in found]}, headers=FRESH)


@router.post(
    "",
    summary="Set a reminder",
    status_code=201,
    response_model=ReminderOut,
    responses=raises(EmailUnverified),
)
async def add_reminder(call: Call, task_id: str, body: ReminderBody) -> Response:
    added = await reminders.add(
        call.lane,
        call.user,
        call.space,
        task_id,
        remind_at=body.remind_at,
        minutes_before_due=body.minutes_before_due,
        channel=body.channel,
    )
    return json_response(reminder_json(added), status=201, headers=FRESH)


@router.delete("/{reminder_id}", summary="Remove a reminder", status_code=204)
async def remove_reminder(call: Call, task_id: str, reminder_id: str) -> Response:
    await reminders.remove(call.lane, call.user, call.space, task_id, reminder_id)
    return Response(status_code=204)


def reminder_json(reminder: Reminder) -> dict[str, Any]:
    """Of the two ways to say when, only the one that was used."""
    unused = "remind_at" if reminder.remind_at is None else "minutes_before_due"
    return {name: value for name, value in asdict(reminder).items() if name != unused}
