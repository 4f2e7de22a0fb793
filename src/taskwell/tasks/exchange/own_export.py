"""Reads our own ``GET /users/me/export``: tasks (also in the trash), lists and reminders."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from taskwell.tasks.exchange import jsons
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import ListRecord, ReminderRecord, Row
from taskwell.tasks.reminders import MAX_REMINDERS

_READ = {"exported_at", "lists", "tasks", "reminders"}


def recognises(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and "exported_at" in document
        and all(isinstance(document.get(name, []), list) for name in _READ - {"exported_at"})
        and isinstance(document.get("tasks"), list)
    )


def read(document: Any, reading: Reading) -> Iterator[Row]:
    jsons.tell_members(document, _READ, reading)
    names = {each.key: each.name for each in _lists(document, reading)}
    reminders = _reminders(document, reading)
    silent = jsons.SERVER_OWNED | {"list_id"}
    for number, values in enumerate(document["tasks"], start=1):
        found = jsons.row(number, values, reading, silent)
        list_id = str(found.values.get("list_id") or "")
        if list_id in names:
            found = replace(found, values={**values, "list": names[list_id]}, list_key=list_id)
        elif list_id:
            reading.left_out.add("list_id", list_id)
        yield replace(found, reminders=tuple(reminders.pop(str(found.values.get("id")), ())))
    for task_id, lost in reminders.items():
        reading.left_out.add("reminders of no task in the file", task_id, len(lost))


def _lists(document: Any, reading: Reading) -> list[ListRecord]:
    for each in document.get("lists", []):
        if isinstance(each, dict) and isinstance(each.get("id"), str):
            reading.add_list(each["id"], each)
        else:
            reading.left_out.add("lists that cannot be read", each)
    reading.lists.sort(key=lambda found: found.position or 0)
    return reading.lists


def _reminders(document: Any, reading: Reading) -> dict[str, list[ReminderRecord]]:
    found: dict[str, list[ReminderRecord]] = defaultdict(list)
    for each in document.get("reminders", []):
        try:
            reminder, task_id = ReminderRecord.model_validate(each), str(each["task_id"])
        except (ValidationError, TypeError, KeyError):
            reading.left_out.add("reminders that cannot be read", each)
            continue
        if len(found[task_id]) < MAX_REMINDERS:
            found[task_id].append(reminder)
        else:
            reading.left_out.add(f"reminders beyond {MAX_REMINDERS} of a task", each)
    return found
