"""iCalendar (RFC 5545): a task is a VTODO.

Its instants have whole seconds there; the fraction is kept in a parameter of our own, ``X-FRACTION``, which
other programs pass over.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar, Component, Todo

from taskwell.errors import MalformedBody
from taskwell.tasks.exchange.record import Row, TaskRecord

START = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Taskwell//Tasks//EN\r\n"
END = b"END:VCALENDAR\r\n"
PRIORITIES = {"urgent": 1, "high": 3, "medium": 5, "low": 9}
"""RFC 5545 section 3.8.1.9: 1 is the highest, 5 is normal, 9 the lowest, 0 none."""


def write(records: Iterable[TaskRecord], is_first: bool) -> bytes:  # noqa: FBT001, one signature for all formats
    return b"".join(_todo(record).to_ical() for record in records)


def _todo(record: TaskRecord) -> Todo:
    todo = Todo()
    todo.add("uid", record.id)
    todo.add("summary", record.title)
    todo.add("priority", PRIORITIES[record.priority])
    todo.add("status", "COMPLETED" if record.completed else "NEEDS-ACTION")
    for name, value in (
        ("description", record.description),
        ("categories", list(record.tags)),
        ("x-taskwell-list", record.list),
    ):
        if value:
            todo.add(name, value)
    if record.due_date is not None:
        todo.add("due", record.due_date)
    for name, instant in (
        ("due", record.due_at),
        ("completed", record.completed_at),
        ("created", record.created_at),
        ("last-modified", record.updated_at),
        ("dtstamp", record.updated_at),
    ):
        if instant is not None:
            fraction = {"X-FRACTION": f"{instant.microsecond:06}"} if instant.microsecond else {}
            todo.add(name, instant.replace(microsecond=0), parameters=fraction)
    return todo


def read(content: bytes) -> Iterator[Row]:
    try:
        calendar = Calendar.from_ical(content)
        found = [_values(todo) for todo in calendar.walk("VTODO")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise MalformedBody("The file is not iCalendar (RFC 5545).") from None
    return (Row(number, values) for number, values in enumerate(found, start=1))


def _values(todo: Component) -> dict[str, Any]:
    due = _moment(todo, "due")
    status = str(todo.get("status", "")).upper()
    return {
        "id": str(todo.get("uid", "")),
        "title": str(todo.get("summary", "")),
        "description": str(todo.get("description", "")),
        "priority": _priority(int(todo.get("priority", 0) or 0)),
        "completed": status == "COMPLETED" or "completed" in todo,
        "completed_at": _moment(todo, "completed"),
        "due_at" if due and "T" in due else "due_date": due,
        "list": str(todo.get("x-taskwell-list", "")),
        "tags": _categories(todo.get("categories")),
        "created_at": _moment(todo, "created"),
        "updated_at": _moment(todo, "last-modified"),
    }


def _priority(number: int) -> str:
    """RFC 5545 lets programs have three levels or nine; each of ours stands for a range of these."""
    if number == 0:
        return "medium"
    return next(name for name, upper in (("urgent", 2), ("high", 4), ("medium", 5), ("low", 10)) if number <= upper)


def _categories(found: Any) -> list[str]:
    """One CATEGORIES or several, each with one tag or several."""
    if found is None:
        return []
    several = found if isinstance(found, list) else [found]
    return [str(tag).replace(",", " ") for each in several for tag in getattr(each, "cats", [each])]


def _moment(todo: Component, name: str) -> str | None:
    """A day or an instant as JSON has it; an instant without a zone is taken to be in UTC."""
    if name not in todo:
        return None
    value: date | datetime = todo.decoded(name)
    if not isinstance(value, datetime):
        return value.isoformat()
    fraction = todo[name].params.get("X-FRACTION", "0")
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    exact = aware.replace(microsecond=int(fraction) if fraction.isdigit() and len(fraction) <= 6 else 0)
    return exact.astimezone(UTC).isoformat().replace("+00:00", "Z")
