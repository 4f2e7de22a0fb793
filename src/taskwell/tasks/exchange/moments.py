"""Reads days and instants in the spellings of programs and people, without guessing."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

_FORM = re.compile(
    r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})"
    r"(?:(?:\s*T\s*|,?\s+)(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?([AP]M)?\s?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def moment(text: str, zone: ZoneInfo, *, month_first: bool | None = None) -> date | datetime | None:
    """A day, or an instant in UTC; None where the text is neither.

    Args:
        zone: The zone of a time that names none.
        month_first: Whether ``5/6/2026`` begins with the month. If None, such a text is read only if it is clear.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    try:
        day = _day(found, month_first=month_first)
        return day if day is None or found[5] is None else _instant(day, found, zone)
    except (ValueError, OverflowError):
        return None


def _day(found: re.Match[str], *, month_first: bool | None) -> date | None:
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4 and len(found[4]) <= 2:
        return date(first, second, third)
    if len(found[4]) != 4 or len(found[1]) > 2:
        return None
    if found[2] == ".":
        return date(third, second, first)
    if first > 12 or first == second or month_first is False:
        return date(third, second, first)
    if second > 12 or month_first:
        return date(third, first, second)
    return None


def _instant(day: date, found: re.Match[str], zone: ZoneInfo) -> datetime:
    hour, minute, second = int(found[5]), int(found[6]), int(found[7] or 0)
    if found[9]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if found[9].upper() == "PM" else 0)
    at = datetime.combine(day, time(hour, minute, second, int((found[8] or "0").ljust(6, "0")[:6])))
    return at.replace(tzinfo=_offset(found[10]) if found[10] else zone).astimezone(UTC)


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def instant_of(value: date | datetime, zone: ZoneInfo) -> str:
    """The instant in JSON's spelling; for a day, its beginning."""
    aware = value if isinstance(value, datetime) else datetime.combine(value, time(), zone)
    return aware.astimezone(UTC).isoformat()


def instant(text: str, zone: ZoneInfo, *, month_first: bool | None = None) -> str:
    """The instant of a text in JSON's spelling; the text itself if it is not one."""
    found = moment(text, zone, month_first=month_first)
    try:
        return text if found is None else instant_of(found, zone)
    except OverflowError:
        return text


def due(text: str, zone: ZoneInfo, *, month_first: bool | None = None) -> dict[str, str | None]:
    """The due date of a text as fields of a task; if the text is unreadable, the text itself as the day."""
    found = moment(text, zone, month_first=month_first)
    if isinstance(found, datetime):
        return {"due_date": None, "due_at": found.isoformat()}
    return {"due_date": text.strip() if found is None else found.isoformat(), "due_at": None}


def day_in(text: str, zone: ZoneInfo) -> str:
    """The day of an instant in a zone; the text itself if it is not an instant."""
    found = moment(text, zone)
    return found.astimezone(zone).date().isoformat() if isinstance(found, datetime) else text
