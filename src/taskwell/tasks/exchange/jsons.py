"""JSON: ``{"tasks": […]}``, a bare array, or a page of v1."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import orjson

from taskwell.errors import Invalid, MalformedBody
from taskwell.tasks.exchange.record import Row, TaskRecord

START, BETWEEN, END = b'{"tasks":[\n', b",\n", b"]}\n"


def write(records: Iterable[TaskRecord]) -> bytes:
    return BETWEEN.join(orjson.dumps(dict(record), option=orjson.OPT_UTC_Z) for record in records)


def read(content: bytes) -> Iterator[Row]:
    try:
        found = _loaded(content)
    except (ValueError, RecursionError):
        raise MalformedBody("The file is not valid JSON.") from None
    if isinstance(found, dict):
        found = found.get("tasks", found.get("items"))
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Invalid.field("tasks", "It must be an array of tasks, or an object with one as 'tasks'.", "list_type")
    return (Row(number, values) for number, values in enumerate(found, start=1))


def _loaded(content: bytes) -> Any:
    """The standard library takes lone surrogates, which are JSON; then the row that holds one can be named."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content.decode(), parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
