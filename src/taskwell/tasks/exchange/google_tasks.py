"""Reads ``Tasks.json`` of Google Takeout. Google stores only the day of a due date."""

from collections.abc import Iterator
from typing import Any

from taskwell.database import now
from taskwell.tasks.exchange import jsons
from taskwell.tasks.exchange.moments import due, instant
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import Row

LISTS, TASKS = "tasks#taskLists", "tasks#tasks"
_MIDNIGHTS = ("T00:00:00Z", "T00:00:00.000Z")
_READ = frozenset({"id", "title", "notes", "status", "due", "completed", "created", "deleted"})
_BOOKKEEPING = frozenset({"kind", "etag", "updated", "selfLink", "webViewLink", "task_type", "hidden"})


def recognises(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.get("kind") in (LISTS, TASKS)
        and isinstance(document.get("items", []), list)
    )


def read(document: Any, reading: Reading) -> Iterator[Row]:
    lists = document.get("items", []) if document["kind"] == LISTS else [document]
    jsons.tell_members(document, {"kind", "items", "etag", "title", "id", "updated", "selfLink"}, reading)
    number = 0
    for index, each in enumerate(lists):
        if not isinstance(each, dict) or not isinstance(each.get("items", []), list):
            reading.left_out.add("lists that cannot be read", each)
            continue
        jsons.tell_members(each, {"items", "title", "id"} | _BOOKKEEPING, reading)
        key = f"list {index}"
        if each.get("title"):
            reading.add_list(key, {"name": each["title"]})
        for task in each.get("items", []):
            number += 1
            yield _row(number, task, reading, key, each.get("title"))


def _row(number: int, task: Any, reading: Reading, list_key: str, list_name: Any) -> Row:
    if not isinstance(task, dict):
        return jsons.not_an_object(number)
    for name in task.keys() - _READ - _BOOKKEEPING:
        if task[name] not in (None, "", [], False):
            reading.left_out.add(name, task[name])
    day = task.get("due")
    for midnight in _MIDNIGHTS:
        day = day.removesuffix(midnight) if isinstance(day, str) else day
    values = {
        "id": f"google:{task['id']}" if task.get("id") else None,
        "title": task.get("title"),
        "description": task.get("notes"),
        "completed": task.get("status") == "completed",
        "completed_at": _instant(task.get("completed"), reading),
        "created_at": _instant(task.get("created"), reading),
        "deleted_at": now().isoformat() if task.get("deleted") is True else None,
        "list": list_name,
        **(due(day, reading.zone) if isinstance(day, str) and day else {"due_date": day, "due_at": None}),
    }
    return Row(number, values, name=f"id {task['id']}" if task.get("id") else "", list_key=list_key)


def _instant(value: Any, reading: Reading) -> Any:
    return instant(value, reading.zone) if isinstance(value, str) and value else value
