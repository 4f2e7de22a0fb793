"""iCalendar (RFC 5545): a task is a VTODO.

Its instants have whole seconds there, and its texts no control characters and one kind of line break; what does not
fit is kept in ``X-FRACTION`` and ``X-TASKWELL-…``, which other programs pass over.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import orjson
from icalendar import Calendar, Component, Todo

from taskwell.errors import Invalid, MalformedBody
from taskwell.tasks.exchange.record import MAX_ROWS, Row, TaskRecord, too_many_rows

START = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Taskwell//Tasks//EN\r\n"
END = b"END:VCALENDAR\r\n"
UNREADABLE = "It is not a VTODO of RFC 5545."
UNREAD = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)
"""What the library raises for what it cannot read."""

MAX_LINES = 20 * MAX_ROWS
"""The library reads 20,000 lines in a second, and all of a file before it gives one task."""

_BEGIN = re.compile(rb"^BEGIN:VTODO", re.IGNORECASE | re.MULTILINE)
_LINE_BREAK = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
PRIORITIES = {"urgent": 1, "high": 3, "medium": 5, "low": 9}
"""RFC 5545 section 3.8.1.9: 1 is the highest, 5 is normal, 9 the lowest, 0 none."""


def write(records: Iterable[TaskRecord]) -> bytes:
    return b"".join(_todo(record).to_ical() for record in records)


def _todo(record: TaskRecord) -> Todo:
    todo = Todo()
    todo.add("uid", record.id)
    todo.add("priority", PRIORITIES[record.priority])
    todo.add("status", "COMPLETED" if record.completed else "NEEDS-ACTION")
    for name, text in (("summary", record.title), ("description", record.description)):
        if text and (shown := _shown(text)) != text:
            todo.add(f"x-taskwell-{name}", orjson.dumps(text).decode())
        if text:
            todo.add(name, shown)
    if record.tags:
        todo.add("categories", list(record.tags))
    if record.list:
        todo.add("x-taskwell-list", _shown(record.list))
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


def _shown(text: str) -> str:
    """The text as iCalendar can have it (section 3.3.11)."""
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", text))


def read(content: bytes) -> Iterator[Row]:
    _refuse_long(content)
    try:
        found = Calendar.from_ical(content).walk("VTODO")
    except UNREAD:
        return iter(_one_by_one(content))
    return (_row(number, todo) for number, todo in enumerate(found, start=1))


def _refuse_long(content: bytes) -> None:
    """Judges the size of a file before it is read, which takes a thousand times as long."""
    if sum(1 for _ in _BEGIN.finditer(content)) > MAX_ROWS:
        raise too_many_rows()
    folded = content.count(b"\n ") + content.count(b"\n\t")
    if content.count(b"\n") - folded > MAX_LINES:
        raise Invalid.field("rows", f"A calendar may hold {MAX_LINES} lines; split it.", "too_many_lines")


def _one_by_one(content: bytes) -> list[Row]:
    """The rows of a file that cannot be read as a whole, because some of them cannot."""
    rows = [_alone(number, todo) for number, todo in enumerate(_todos(content), start=1)]
    if not any(row.flaw for row in rows):
        raise MalformedBody("The file is not iCalendar (RFC 5545).")
    return rows


def _todos(content: bytes) -> Iterator[bytes]:
    lines: list[bytes] = []
    for line in content.splitlines(keepends=True):
        mark = line.strip().upper()
        if mark == b"BEGIN:VTODO":
            lines = []
        lines.append(line)
        if mark == b"END:VTODO":
            yield b"".join(lines)
            lines = []


def _alone(number: int, todo: bytes) -> Row:
    try:
        return _row(number, Todo.from_ical(todo))
    except UNREAD:
        return Row(number, {}, UNREADABLE)


def _row(number: int, todo: Component) -> Row:
    try:
        return Row(number, _values(todo))
    except UNREAD:
        return Row(number, {}, UNREADABLE)


def _text(todo: Component, name: str) -> str:
    """The first of that name; as Taskwell wrote it, where no other program has changed it since."""
    shown, exact = (str(each[0] if isinstance(each, list) else each) for each in _both(todo, name))
    try:
        kept = str(orjson.loads(exact))
    except orjson.JSONDecodeError:
        return shown
    return kept if _shown(kept) == shown else shown


def _both(todo: Component, name: str) -> tuple[Any, Any]:
    return todo.get(name, ""), todo.get(f"x-taskwell-{name}", "")


def _values(todo: Component) -> dict[str, Any]:
    due = _moment(todo, "due")
    status = str(todo.get("status", "")).upper()
    return {
        "id": str(todo.get("uid", "")),
        "title": _text(todo, "summary"),
        "description": _text(todo, "description"),
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
    ranges = (("urgent", 2), ("high", 4), ("medium", 5), ("low", 10))
    name = next((name for name, upper in ranges if number <= upper), None)
    if name is None:
        raise ValueError(number)
    return name


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
