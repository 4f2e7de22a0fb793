"""Reads iCalendar: the fields of a task from a VTODO."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from icalendar import vDuration
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from taskwell.tasks.exchange.calendar_lines import (
    MAX_VALUE,
    NO_END,
    Property,
    Todo,
    refuse_long,
    several,
    todos,
    unescaped,
)
from taskwell.tasks.exchange.moments import instant_of
from taskwell.tasks.exchange.reading import Reading, tag
from taskwell.tasks.exchange.record import Row, RowError, printable
from taskwell.tasks.fields import UUID
from taskwell.users.time_zones import is_time_zone

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_BOOKKEEPING = frozenset({"DTSTAMP", "SEQUENCE", "LAST-MODIFIED"})
_STATUS = {"NEEDS-ACTION": False, "IN-PROCESS": False, "COMPLETED": True, "CANCELLED": True}
UNREAD = (ValueError, KeyError, TypeError, OverflowError)


class Unreadable(Exception):
    """A property has an impossible value.

    Attributes:
        name: The name of the property.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(problem)
        self.name = name


def read(content: bytes, reading: Reading) -> Iterator[Row]:
    """The tasks of the file; an occurrence of a series follows the series."""
    refuse_long(content)
    found = sorted(todos(content, reading), key=lambda each: bool(each.first("RECURRENCE-ID")))
    return (_row(each, reading) for each in found)


def _row(todo: Todo, reading: Reading) -> Row:
    uid = printable(todo.first("UID"))
    name = f"UID {uid}" if uid else ""
    try:
        if todo.unreadable:
            line = printable(todo.unreadable[0])
            if line == NO_END:
                raise Unreadable("VTODO", f"has no {NO_END}")
            raise Unreadable(line.partition(":")[0], "is no line of iCalendar in UTF-8")
        return Row(todo.number, _Values(todo, reading).all(), name=name)
    except Unreadable as error:
        message = f"{error.name} {error}{f' ({name})' if name else ''}."
        return Row(todo.number, {}, RowError(todo.number, error.name, message))


class _Values:
    """Collects the values of one VTODO from its properties."""

    def __init__(self, todo: Todo, reading: Reading) -> None:
        self._todo, self._reading = todo, reading
        self._first: dict[str, Property] = {}
        self._tags: list[str] = []
        for each in todo.properties:
            if each.name in _USED and len(each.value) > MAX_VALUE:
                raise Unreadable(each.name, "is too long")
            if each.name == "CATEGORIES":
                self._tags += [tag(found) for found in several(each.value) if tag(found)]
            elif each.name in _USED and each.name not in self._first:
                self._first[each.name] = each
            elif each.name not in _BOOKKEEPING and not _says_nothing(each, todo):
                reading.left_out.add(each.name, unescaped(each.value))

    def all(self) -> dict[str, Any]:
        if "SUMMARY" not in self._first:
            raise Unreadable("SUMMARY", "is missing")
        uid = self._todo.first("UID")
        found_list = self._text("X-TASKWELL-LIST") or self._todo.calendar
        return {
            "id": uid if UUID.fullmatch(uid) or not uid else f"uid:{uid}",
            "title": self._text("SUMMARY"),
            "description": self._text("DESCRIPTION"),
            "priority": self._value("PRIORITY", _priority),
            "completed": self._completed(),
            "completed_at": self._instant("COMPLETED"),
            **self._due(),
            **({"list": found_list} if found_list else {}),
            "tags": self._tags,
            "created_at": self._instant("CREATED"),
        }

    def _text(self, name: str) -> str:
        return unescaped(self._first[name].value) if name in self._first else ""

    def _value(self, name: str, read: Callable[[str], Any]) -> Any:
        if name not in self._first:
            return None
        try:
            return read(self._first[name].value.strip())
        except UNREAD:
            value = printable(self._first[name].value)
            raise Unreadable(name, f"cannot be read: {value!r}") from None

    def _completed(self) -> bool:
        status = self._text("STATUS").strip().upper()
        if status and status not in _STATUS:
            raise Unreadable("STATUS", f"cannot be read: {printable(status)!r}")
        if status == "CANCELLED":
            self._reading.left_out.add("STATUS:CANCELLED (the task is completed)", self._text("SUMMARY"))
        elif status == "IN-PROCESS":
            self._reading.left_out.add("STATUS:IN-PROCESS (the task is open)", self._text("SUMMARY"))
        return _STATUS.get(status, False) or "COMPLETED" in self._first

    def _instant(self, name: str) -> str | None:
        found = self._moment(name)
        return None if found is None else instant_of(found, self._reading.zone)

    def _due(self) -> dict[str, str | None]:
        found = self._moment("DUE")
        if found is None and "DTSTART" in self._first and "DURATION" in self._first:
            found = self._value("DURATION", lambda text: _after(self._moment("DTSTART"), _duration(text)))
            self._reading.left_out.add("DTSTART (with its DURATION it is the due)", self._first["DTSTART"].value)
        else:
            for name in self._first.keys() & {"DTSTART", "DURATION"}:
                self._reading.left_out.add(name, self._first[name].value)
        if isinstance(found, datetime):
            return {"due_date": None, "due_at": instant_of(found, self._reading.zone)}
        return {"due_date": found.isoformat() if found else None, "due_at": None}

    def _moment(self, name: str) -> date | datetime | None:
        """A day or an instant. A local time keeps its zone, so a duration of days ends at the same time of day."""
        found: date | datetime | None = self._value(name, _moment)
        if isinstance(found, datetime) and found.tzinfo is None:
            zone = self._zone(self._first[name].parameters.get("TZID", ""))
            found = self._value(name, lambda text: _in_zone(text, zone))
        return found

    def _zone(self, name: str) -> ZoneInfo:
        """The zone of a time: by name, Windows name or path. A floating time is in the user's zone."""
        parts = name.strip("/").split("/")
        for known in (name, WINDOWS_TO_OLSON.get(name, ""), "/".join(parts[-3:]), "/".join(parts[-2:]), parts[-1]):
            if is_time_zone(known):
                return ZoneInfo(known)
        if name:
            self._reading.left_out.add(f"TZID={name} (unknown: its times are read in your time zone)", name)
        return self._reading.zone


_USED = frozenset(
    {"SUMMARY", "DESCRIPTION", "PRIORITY", "STATUS", "COMPLETED", "DUE", "DTSTART", "DURATION", "CREATED"}
    | {"X-TASKWELL-LIST", "CATEGORIES", "UID"}
)


def _says_nothing(found: Property, todo: Todo) -> bool:
    """Whether the property only repeats another one, as ``PERCENT-COMPLETE`` often repeats the status."""
    if found.name != "PERCENT-COMPLETE":
        return False
    return found.value.strip() == ("100" if todo.first("STATUS").upper() == "COMPLETED" else "0")


def _moment(text: str) -> date | datetime:
    """Parses a day or an instant, which is in UTC or has no zone yet."""
    found = _MOMENT.fullmatch(text.upper())
    if found is None:
        raise ValueError(text)
    numbers = [int(each) for each in found.groups()[:6] if each is not None]
    if len(numbers) == 3:
        return date(*numbers)
    numbers[5] = min(numbers[5], 59)  # a leap second
    return datetime(*numbers, tzinfo=UTC if found[7] else None)  # type: ignore[misc, arg-type]


def _in_zone(text: str, zone: ZoneInfo) -> datetime:
    found = _moment(text)
    assert isinstance(found, datetime)
    found = found.replace(tzinfo=zone)
    found.astimezone(UTC)  # fails for the first and the last day of Python in some zones
    return found


def _duration(text: str) -> timedelta:
    return cast(timedelta, vDuration.from_ical(text))  # type: ignore[no-untyped-call]


def _after(start: date | datetime | None, duration: timedelta) -> date | datetime:
    assert start is not None, "there is a DTSTART"
    if not isinstance(start, datetime):
        if not duration.seconds:
            return start + duration
        raise ValueError("a time after a day")
    days = start + timedelta(days=duration.days)
    return days.astimezone(UTC) + timedelta(seconds=duration.seconds)


def _priority(text: str) -> str | None:
    """Our priority for a range of the nine levels of RFC 5545."""
    number = int(text)
    ranges = (("urgent", 1, 1), ("high", 2, 4), ("medium", 5, 5), ("low", 6, 9), ("medium", 0, 0))
    name = next((name for name, lower, upper in ranges if lower <= number <= upper), None)
    if name is None:
        raise ValueError(number)
    return name
