"""Writes iCalendar (RFC 5545): a task is a VTODO.

Its instants have whole seconds. Its texts have no control characters, and one kind of line break.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import cast

from icalendar.parser import Contentline

from taskwell.tasks.exchange.record import TaskRecord

START = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Taskwell//Tasks//EN\r\n"
END = b"END:VCALENDAR\r\n"

_LINE_BREAK = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPECIAL = re.compile(r"[\\;,]")
PRIORITIES = {"urgent": 1, "high": 3, "medium": 5, "low": 9}
"""RFC 5545 section 3.8.1.9: 1 is the highest, 5 is normal, 9 the lowest, 0 none."""


def write(records: Iterable[TaskRecord]) -> bytes:
    return b"".join(_folded(line) for record in records for line in _lines(record))


def _folded(line: str) -> bytes:
    return cast(bytes, Contentline(line).to_ical()) + b"\r\n"  # type: ignore[no-untyped-call]


def _lines(record: TaskRecord) -> Iterator[str]:
    yield "BEGIN:VTODO"
    yield f"UID:{record.id}"
    yield f"SUMMARY:{_text(record.title)}"
    if record.description:
        yield f"DESCRIPTION:{_text(record.description)}"
    yield f"PRIORITY:{PRIORITIES[record.priority]}"
    yield f"STATUS:{'COMPLETED' if record.completed else 'NEEDS-ACTION'}"
    if record.tags:
        yield f"CATEGORIES:{','.join(map(_text, record.tags))}"
    if record.list:
        yield f"X-TASKWELL-LIST:{_text(record.list)}"
    if record.due_date is not None:
        yield f"DUE;VALUE=DATE:{_day(record.due_date)}"
    for name, instant in (
        ("DUE", record.due_at),
        ("COMPLETED", record.completed_at),
        ("CREATED", record.created_at),
        ("LAST-MODIFIED", record.updated_at),
        ("DTSTAMP", record.updated_at),
    ):
        if instant is not None:
            yield f"{name}:{_instant(instant)}"
    yield "END:VTODO"


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _instant(instant: datetime) -> str:
    at = instant.astimezone(UTC)
    return f"{_day(at.date())}T{at:%H%M%S}Z"


def _text(text: str) -> str:
    """The text without characters that iCalendar forbids (section 3.3.11)."""
    shown = _CONTROL.sub("", _LINE_BREAK.sub("\n", text))
    return _SPECIAL.sub(r"\\\g<0>", shown).replace("\n", "\\n")
