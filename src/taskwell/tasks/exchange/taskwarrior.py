"""Reads Taskwarrior's ``task export``."""

import re
from collections.abc import Iterator
from typing import Any

from taskwell.tasks.exchange import jsons
from taskwell.tasks.exchange.moments import due, instant
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import Row

PRIORITIES = {"H": "high", "M": "medium", "L": "low"}
_READ = frozenset(
    {"uuid", "description", "annotations", "priority", "status", "due", "end", "entry", "project", "tags"}
)
_BOOKKEEPING = frozenset({"id", "urgency", "modified", "mask", "imask"})
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)


def recognises(document: Any) -> bool:
    return isinstance(document, list) and any(
        isinstance(each, dict) and {"uuid", "description", "status"} <= each.keys() for each in document
    )


def read(document: Any, reading: Reading) -> Iterator[Row]:
    for number, task in enumerate(document, start=1):
        yield _row(number, task, reading) if isinstance(task, dict) else jsons.not_an_object(number)


def _row(number: int, task: dict[str, Any], reading: Reading) -> Row:
    for name in task.keys() - _READ - _BOOKKEEPING:
        if task[name] not in (None, "", []):
            reading.left_out.add(name, task[name])
    status = task.get("status")
    end = _extended(task.get("end"))
    found_due = _extended(task.get("due"))
    if status not in ("pending", "completed", "deleted"):
        reading.left_out.add(f"status {status} (the task is open)", task.get("description"))
    notes = jsons.objects(task.get("annotations"))
    values = {
        "id": task.get("uuid"),
        "title": task.get("description"),
        "description": "\n\n".join(str(each.get("description", "")) for each in notes),
        "priority": PRIORITIES.get(str(task.get("priority")), "medium"),
        "completed": status == "completed",
        "completed_at": instant(end, reading.zone) if status == "completed" and end else None,
        "deleted_at": instant(end, reading.zone) if status == "deleted" and end else None,
        "created_at": instant(created, reading.zone) if (created := _extended(task.get("entry"))) else None,
        "list": task.get("project"),
        "tags": task.get("tags"),
        **(due(found_due, reading.zone) if found_due else {"due_date": None, "due_at": None}),
    }
    return Row(number, values, name=f"uuid {task.get('uuid')}")


def _extended(value: Any) -> str:
    """The instant in the extended spelling of ISO 8601."""
    found = _BASIC.fullmatch(value) if isinstance(value, str) else None
    return "{}-{}-{}T{}:{}:{}Z".format(*found.groups()) if found else str(value or "")
