"""The rules of a task's values, as types that every contract's wire models are made of."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from taskwell.tasks.task import (
    FIRST_INSTANT,
    LAST_INSTANT,
    MAX_DESCRIPTION,
    MAX_LIST_NAME,
    MAX_TAG,
    MAX_TAGS,
    MAX_TITLE,
    without_twins,
)
from taskwell.text import shows_something

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_BARE_PLUS = re.compile(r" (?=\d\d:\d\d$)", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOST_SPELLINGS = 5 * MAX_TAGS
"""Of tags in one body, which are judged one by one; most of them must be duplicates."""

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def without_nul(text: str) -> str:
    """Also without lone surrogates, which a plain string of Pydantic's may hold."""
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "It must not hold NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "It must be text without lone surrogates") from None
    return text


def visible(text: str) -> str:
    if not shows_something(text):
        raise PydanticCustomError("invisible", "It must hold a character that can be seen")
    return text


def parse_day(value: Any) -> date:
    """A day as ``YYYY-MM-DD`` and nothing else: no instant, no number of seconds."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("invalid_date", "It must be a day such as 2026-12-24")


def parse_instant(value: Any) -> datetime:
    """An RFC 3339 instant with its offset, in UTC."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            instant = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        else:
            if FIRST_INSTANT <= instant <= LAST_INSTANT:
                return instant
    raise PydanticCustomError("invalid_instant", "It must be an instant with an offset, such as 2026-12-24T18:00:00Z")


def parse_due(value: Any) -> date | datetime:
    """A day or an instant."""
    return parse_day(value) if isinstance(value, str) and _DAY.fullmatch(value) else parse_instant(value)


def parse_bound(value: Any) -> date | datetime:
    """A day or an instant of a query, where the plus of an offset that was not encoded has become a space."""
    return parse_due(_BARE_PLUS.sub("+", value) if isinstance(value, str) else value)


def _parse_list_id(value: Any) -> str:
    """A list's id as it is stored; what is not a UUID is no list."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "It must be an id")
    if not UUID.fullmatch(value):
        raise PydanticCustomError("unknown_list", "There is no such list.")
    return value.lower()


def _parse_task_id(value: Any) -> str:
    """A UUID of any version, as it is stored."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "It must be an id")
    if not UUID.fullmatch(value):
        raise PydanticCustomError("invalid_id", "It must be a UUID such as 01a21422-2ae7-7096-8fb7-1ba26924aa4b")
    return value.lower()


def _fit_for_a_tag(tag: str) -> str:
    if "," in tag or _CONTROL.search(tag):
        raise PydanticCustomError("invalid_tag", "A tag must not hold commas or control characters")
    if tag in (".", ".."):  # every client takes them out of the path /tags/{name}
        raise PydanticCustomError("invalid_tag", "A tag must not be '.' or '..'")
    return tag


def _not_many(tags: Any) -> Any:
    """Before each is looked at; duplicates count as one only afterwards, so there may be some more."""
    if isinstance(tags, list) and len(tags) > MOST_SPELLINGS:
        raise PydanticCustomError("too_long", "There must be at most {most} tags", {"most": MAX_TAGS})
    return tags


Text = Annotated[str, AfterValidator(without_nul)]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE),
    AfterValidator(without_nul),
    AfterValidator(visible),
]
ListName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LIST_NAME),
    AfterValidator(without_nul),
    AfterValidator(visible),
]
Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION), AfterValidator(without_nul)]
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TAG),
    AfterValidator(_fit_for_a_tag),
    AfterValidator(visible),
]
Tags = Annotated[list[Tag], BeforeValidator(_not_many), AfterValidator(without_twins), Field(max_length=MAX_TAGS)]
DayField = Annotated[
    date,
    BeforeValidator(parse_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-12-24"]}),
]
InstantField = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-12-24T18:00:00Z"]}),
]
DueField = Annotated[
    date | datetime,
    BeforeValidator(parse_due),
    WithJsonSchema({"type": "string", "examples": ["2026-12-24"]}),
]
BoundField = Annotated[
    date | datetime,
    BeforeValidator(parse_bound),
    WithJsonSchema({"type": "string", "examples": ["2026-12-24", "2026-12-24T18:00:00Z"]}),
]
ListId = Annotated[str, BeforeValidator(_parse_list_id), WithJsonSchema({"type": "string", "format": "uuid"})]
TaskId = Annotated[str, BeforeValidator(_parse_task_id), WithJsonSchema({"type": "string", "format": "uuid"})]
Flag = StrictBool
