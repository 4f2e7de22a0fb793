"""Todoist's CSV, as its export and its template have it.

A section becomes a list, labels (``@errand`` at the end of a title) become tags, a note is added to the
description of the task above it. What Taskwell cannot say, such as "every Monday", is kept in the description.
"""

import re
from collections.abc import Iterator
from typing import Any

from taskwell.errors import MalformedBody
from taskwell.tasks.exchange.delimited import lines
from taskwell.tasks.exchange.record import Row

PRIORITIES = {"1": "urgent", "2": "high", "3": "medium", "4": "low"}
_LABEL = re.compile(r"@[^\s@,]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def read(content: bytes) -> Iterator[Row]:
    found = lines(content, "content")
    if found and "type" not in found[0]:
        raise MalformedBody("The file has no column TYPE, so it is not Todoist's.")
    return (Row(number, values) for number, values in enumerate(_tasks(found), start=1))


def _tasks(found: list[dict[str, str]]) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = []
    section = ""
    for line in found:
        kind, text = line["type"].strip().lower(), line.get("content", "").strip()
        if kind == "section":
            section = text
        elif kind == "note" and tasks:
            tasks[-1]["description"] = _joined(tasks[-1]["description"], text)
        elif kind == "task":
            tasks.append(_task(line, text, section))
    return tasks


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
