"""Reads JSON: ``{"tasks": […]}``, a bare array, or a page of v1."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import orjson

from taskwell.errors import MalformedBody
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import ReadTask, Row, RowError, TaskRecord

START, BETWEEN, END = b'{"tasks":[\n', b",\n", b"]}\n"
SERVER_OWNED = frozenset({"user_id", "revision", "updated_at", "space_id", "created_by", "completed_by"})
"""Members of a page of v1 that have no meaning in another space."""


def write(records: Iterable[TaskRecord]) -> bytes:
    return BETWEEN.join(orjson.dumps(dict(record), option=orjson.OPT_UTC_Z) for record in records)


def loaded(content: bytes) -> Any:
    """The document of a file. The standard library accepts lone surrogates, so the report can name their row."""
    try:
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            return json.loads(content.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MalformedBody("The file is not valid JSON.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def recognises(document: Any) -> bool:
    tasks = _tasks(document)
    return isinstance(tasks, list) and (
        not tasks or any(isinstance(each, dict) and "title" in each for each in tasks)
    )


def _tasks(document: Any) -> Any:
    return document.get("tasks", document.get("items")) if isinstance(document, dict) else document


def read(document: Any, reading: Reading) -> Iterator[Row]:
    if isinstance(document, dict):
        tell_members(document, {"tasks" if "tasks" in document else "items", "next_cursor"}, reading)
    for number, values in enumerate(_tasks(document), start=1):
        yield row(number, values, reading, SERVER_OWNED)


def row(number: int, values: Any, reading: Reading, silent: frozenset[str]) -> Row:
    """A task in Taskwell's own format."""
    if not isinstance(values, dict):
        return not_an_object(number)
    for name, value in values.items():
        if name not in ReadTask.model_fields and name not in silent and value not in (None, "", []):
            reading.left_out.add(name, value)
    return Row(number, values)


def objects(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def not_an_object(number: int) -> Row:
    return Row(number, {}, RowError(number, "", "It must be an object with the fields of a task."))


def tell_members(document: dict[str, Any], known: set[str], reading: Reading) -> None:
    """Reports the members of a document other than its tasks."""
    for name, value in document.items():
        if name not in known and value not in (None, "", [], {}):
            several = value if isinstance(value, list) else [value]
            reading.left_out.add(name, several[0], len(several))
