"""Reads CSV of any program. Finds columns by their usual names, or by the names that the caller gives."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from taskwell.errors import Invalid
from taskwell.tasks.exchange.delimited import without_apostrophe
from taskwell.tasks.exchange.moments import due, instant
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import Row
from taskwell.tasks.exchange.tables import Table, named_cells

FIELDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "task", "task name", "name", "subject", "summary", "todo", "to do", "item", "content"),
    "description": ("description", "notes", "note", "details", "body", "comment", "comments", "memo", "text"),
    "priority": ("priority", "importance", "prio", "urgency"),
    "completed": (
        "completed",
        "done",
        "complete",
        "is completed",
        "is done",
        "finished",
        "checked",
        "status",
        "state",
    ),
    "completed_at": (
        *("completed at", "completed on", "completion date", "completed date", "date completed"),
        *("completed time", "done at", "finished at", "done date"),
    ),
    "due_date": ("due date", "due", "due on", "duedate", "deadline", "date due", "due day"),
    "due_at": ("due at", "due time", "due datetime", "due date time"),
    "list": ("list", "list name", "project", "project name", "folder", "section", "board"),
    "tags": ("tags", "tag", "labels", "label", "categories", "category", "keywords"),
    "created_at": (
        *("created at", "created", "created on", "creation date", "created date", "date created"),
        *("created time", "date added", "added"),
    ),
    "updated_at": ("updated at", "updated", "modified", "last modified", "modified at", "last updated"),
    "assignee_id": ("assignee id",),
    "id": ("id", "uid", "uuid", "guid", "task id"),
}
"""The usual column names of each field, the most specific first."""

_DONE = frozenset({"true", "1", "yes", "y", "x", "✓", "✔", "done", "completed", "complete", "finished", "closed"})
_OPEN = frozenset(
    {"", "false", "0", "no", "n", "open", "todo", "to do", "needs action", "needsaction", "not started", "pending"}
    | {"in progress", "in process", "active", "incomplete", "not done", "not completed", "started", "new", "waiting"}
)
_CANCELLED = frozenset({"cancelled", "canceled"})
PRIORITIES = {
    **dict.fromkeys(("urgent", "highest", "critical", "p1"), "urgent"),
    **dict.fromkeys(("high", "p2"), "high"),
    **dict.fromkeys(("medium", "normal", "none", "default", "p3"), "medium"),
    **dict.fromkeys(("low", "lowest", "p4"), "low"),
}
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


def recognises(table: Table) -> bool:
    if "title" in table.named:
        return table.named["title"].casefold() in table.names
    return "title" in _found(table).values()


def read(table: Table, reading: Reading) -> Iterator[Row]:
    fields = _chosen(table)
    for line in table.before:
        reading.left_out.add("lines before the names of the columns", line)
    for number, cells in enumerate(table.rows, start=1):
        found = dict.fromkeys(fields.values(), "") | named_cells(table, fields, cells, reading)
        yield Row(number, _values({name: without_apostrophe(text) for name, text in found.items()}, reading))


def _found(table: Table) -> dict[int, str]:
    """The field of each column with a usual name. If two match a field, the more specific name wins."""
    words = [_BETWEEN_WORDS.sub(" ", name).casefold().strip() for name in table.columns]
    found = {}
    for field, usual in FIELDS.items():
        known = [words.index(name) for name in usual if name in words]
        if known:
            found[known[0]] = field
    return found


def _chosen(table: Table) -> dict[int, str]:
    """The field of each column that the caller names.

    Raises:
        Invalid: the file has no such column.
    """
    names, named = table.names, table.named
    for column in named.values():
        if column.casefold() not in names:
            raise unknown_column(column)
    chosen = {names.index(column.casefold()): field for field, column in named.items()}
    usual = {index: field for index, field in _found(table).items() if field not in named and index not in chosen}
    return usual | chosen


def unknown_column(column: str) -> Invalid:
    return Invalid.field("columns", f"The file has no column {column!r}.", "unknown_column", location="query")


def _values(found: dict[str, str], reading: Reading) -> dict[str, Any]:
    zone = reading.zone
    values: dict[str, Any] = dict(found)
    if "tags" in found:
        values["tags"] = [tag.strip() for tag in found["tags"].split(",") if tag.strip()]
    if "priority" in found:
        values["priority"] = PRIORITIES.get(found["priority"].strip().casefold(), found["priority"])
    if "completed" in found:
        values["completed"] = _completed(found["completed"], reading)
    for name in ("completed_at", "created_at"):
        if name in found:
            values[name] = instant(found[name], zone)
    return values | _due(found, zone)


def _due(found: dict[str, str], zone: ZoneInfo) -> dict[str, str | None]:
    """The due date as a day or an instant, whichever the cells contain. A task has only one."""
    days, instants = found.get("due_date", "").strip(), found.get("due_at", "").strip()
    if days and instants:
        return {}
    if not {"due_date", "due_at"} & found.keys():
        return {}
    return due(days or instants, zone) if days or instants else {"due_date": None, "due_at": None}


def _completed(text: str, reading: Reading) -> bool | str:
    word = _BETWEEN_WORDS.sub(" ", text.casefold()).strip() if text.strip().isascii() else text.strip()
    if word in _CANCELLED:
        reading.left_out.add("that a task is cancelled (it is completed)", text)
    elif word not in _DONE | _OPEN:
        return text
    return word in _DONE | _CANCELLED
