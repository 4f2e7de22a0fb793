"""Todoist's CSV, as its export and its template have it.

A section becomes a list, labels (``@errand`` at the end of a title) become tags, a note is added to the
description of the task above it. What Taskwell cannot say, such as "every Monday", is kept in the description.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from taskwell.errors import MalformedBody
from taskwell.tasks.exchange.delimited import lines
from taskwell.tasks.exchange.record import Row

PRIORITIES = {"1": "urgent", "2": "high", "3": "medium", "4": "low"}
_LABEL = re.compile(r"@[^\s@,]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def read(content: bytes) -> Iterator[Row]:
    tasks = _tasks(lines(content, "content"))
    return (Row(number, values) for number, values in enumerate(tasks, start=1))


def _tasks(found: Iterable[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """A task is whole once the next one begins, since its notes come after it."""
    section = ""
    task: dict[str, Any] = {}
    notes: list[str] = []
    for line in found:
        if "type" not in line:
            raise MalformedBody("The file has no column TYPE, so it is not Todoist's.")
        kind, text = line["type"].strip().lower(), line.get("content", "").strip()
        if kind == "section":
            section = text
        elif kind == "note":
            notes.append(text)
        elif kind == "task":
            if task:
                yield _with(notes, task)
            task, notes = _task(line, text, section), []
    if task:
        yield _with(notes, task)


def _with(notes: list[str], task: dict[str, Any]) -> dict[str, Any]:
    return task | {"description": _joined(task["description"], *notes)}


def _task(line: dict[str, str], text: str, section: str) -> dict[str, Any]:
    title, tags = _without_labels(text)
    date = line.get("date", "").strip()
    day = _DAY.match(date)
    return {
        "title": title,
        "description": _joined(line.get("description", ""), "" if day and day[0] == date else date),
        "priority": PRIORITIES.get(line.get("priority", "").strip(), "medium"),
        "due_date": day[0] if day else None,
        "list": section,
        "tags": tags,
    }


def _without_labels(text: str) -> tuple[str, list[str]]:
    """The title before the labels at its end, and these."""
    words = text.split()
    count = next((n for n, word in enumerate(reversed(words[1:])) if not _LABEL.fullmatch(word)), len(words[1:]))
    if not count:
        return text, []
    return text.rsplit(maxsplit=count)[0], [label[1:] for label in words[-count:]]


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())
