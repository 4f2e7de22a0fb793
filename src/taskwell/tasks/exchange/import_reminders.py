"""The reminders of an import."""

from collections.abc import Iterable
from datetime import datetime

from taskwell.database import new_id
from taskwell.tasks.exchange.record import ReminderRecord
from taskwell.tasks.reminders import before_due
from taskwell.tasks.task import Task


def reminder_rows(
    found: Iterable[tuple[Task, Iterable[ReminderRecord]]], time_zone: str, now: datetime
) -> list[dict[str, object]]:
    """The rows to store. A reminder that was sent, or whose moment has passed, is not sent again."""
    return [_row(task, each, time_zone, now) for task, reminders in found for each in reminders]


def _row(task: Task, reminder: ReminderRecord, time_zone: str, now: datetime) -> dict[str, object]:
    moment = reminder.remind_at or before_due(reminder.minutes_before_due, task.due_date, task.due_at, time_zone)
    is_over = moment is not None and (reminder.sent_at is not None or moment < now)
    rests = is_over or task.completed or task.deleted_at is not None
    return {
        "id": new_id(),
        "task_id": task.id,
        "channel": reminder.channel,
        "remind_at": reminder.remind_at,
        "minutes_before_due": reminder.minutes_before_due,
        "fire_at": None if rests else moment,
        "delivery_id": new_id(),
        "settled_for": moment if is_over else None,
        "sent_at": reminder.sent_at,
        "changed_at": now,
        "created_at": now,
    }
