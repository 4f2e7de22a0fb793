"""Reads Vikunja's export: a ZIP file with ``data.json``, or ``data.json`` alone."""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from taskwell.tasks.exchange import jsons
from taskwell.tasks.exchange.moments import due, instant
from taskwell.tasks.exchange.reading import Reading, tag
from taskwell.tasks.exchange.record import Row

DATA = "data.json"
PRIORITIES = {"1": "low", "2": "medium", "3": "high", "4": "urgent", "5": "urgent"}
NEVER = "0001-01-01T00:00:00Z"
_READ = frozenset({"id", "title", "description", "done", "done_at", "due_date", "priority", "labels", "created"})
_BOOKKEEPING = frozenset(
    {"updated", "index", "identifier", "project_id", "list_id", "bucket_id", "position", "kanban_position"}
    | {
        "created_by",
        "created_by_id",
        "cover_image_attachment_id",
        "is_favorite",
        "subscription",
        "uid",
        "max_permission",
    }
)
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<br\s*/?>|</(?:p|li|h\d|div)>", re.IGNORECASE)


def recognises(document: Any) -> bool:
    return isinstance(document, list) and any(
        isinstance(each, dict) and "title" in each and isinstance(each.get("tasks"), list) for each in document
    )


def recognises_files(files: Mapping[str, bytes]) -> bool:
    return DATA in files and recognises(jsons.loaded(files[DATA]))


def read_files(files: Mapping[str, bytes], reading: Reading) -> Iterator[Row]:
    for name in files.keys() - {DATA, "VERSION"}:
        reading.left_out.add("other files in the ZIP file", name)
    return read(jsons.loaded(files[DATA]), reading)


def read(document: Any, reading: Reading) -> Iterator[Row]:
    number = 0
    for index, project in enumerate(document):
        if not isinstance(project, dict) or not isinstance(project.get("tasks") or [], list):
            reading.left_out.add("projects that cannot be read", project)
            continue
        if project.get("description"):
            reading.left_out.add("descriptions of projects", project["description"])
        key = f"project {index}"
        reading.add_list(key, {"name": project.get("title")})
        for task in project.get("tasks") or []:
            number += 1
            if isinstance(task, dict):
                yield Row(number, _values(task, project.get("title"), reading), list_key=key)
            else:
                yield jsons.not_an_object(number)


def _values(task: dict[str, Any], project: Any, reading: Reading) -> dict[str, Any]:
    for name in task.keys() - _READ - _BOOKKEEPING:
        if task[name] not in (None, "", [], {}, 0, False, NEVER):
            reading.left_out.add(name, task[name])
    found_due, done_at, created = (_moment(task.get(name)) for name in ("due_date", "done_at", "created"))
    return {
        "id": f"vikunja:{task['id']}:{created}" if task.get("id") and created else None,
        "title": task.get("title"),
        "description": _plain(task.get("description")),
        "priority": PRIORITIES.get(str(task.get("priority")), "medium"),
        "completed": task.get("done") is True,
        "completed_at": instant(done_at, reading.zone) if done_at else None,
        "created_at": instant(created, reading.zone) if created else None,
        "list": project,
        "tags": [tag(each.get("title")) for each in jsons.objects(task.get("labels"))],
        **(due(found_due, reading.zone) if found_due else {"due_date": None, "due_at": None}),
    }


def _moment(value: Any) -> str:
    return "" if value in (None, NEVER) else str(value)


def _plain(description: Any) -> Any:
    """The plain text of a description, which Vikunja stores as HTML."""
    if not isinstance(description, str) or "<" not in description:
        return description
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", description))).strip()
