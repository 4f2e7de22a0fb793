"""Reads Todoist's CSV export or template, and its backup of several files.

A section becomes a list, and labels (``@errand`` at the end of a title) become tags. A note becomes a part of the
description of the task above it. A date in words, such as "every Monday", goes to the description.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from taskwell.tasks.exchange import encodings
from taskwell.tasks.exchange.moments import due, moment
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import Row
from taskwell.tasks.exchange.tables import Table, named_cells, tables
from taskwell.users.time_zones import is_time_zone

PRIORITIES = {"1": "urgent", "2": "high", "3": "medium", "4": "low"}
_READ = frozenset({"type", "content", "description", "priority", "date", "deadline", "timezone", "indent"})
_OF_DATES = frozenset({"date_lang", "deadline_lang"})
_NUMBER = re.compile(r" \[\d+\]$")
_LABEL = re.compile(r"@[^\s@,]+")


def recognises(table: Table) -> bool:
    return {"type", "content"} <= set(table.names)


def read(table: Table, reading: Reading) -> Iterator[Row]:
    """The tasks of the file. A task is complete when the next one begins, since notes follow their task."""
    fields = {index: name for index, name in enumerate(table.names) if name in _READ | _OF_DATES}
    section, number = "", 0
    task: Row | None = None
    notes: list[str] = []
    for cells in table.rows:
        line = dict.fromkeys(_READ, "") | named_cells(table, fields, cells, reading)
        kind, text = line["type"].strip().lower(), line["content"].strip()
        if kind == "section":
            section = text
        elif kind == "note" and task is not None:
            notes.append(text)
        elif kind == "task":
            if task is not None:
                yield _with(notes, task)
            number += 1
            task, notes = Row(number, _task(line, text, section, reading)), []
        else:
            reading.left_out.add(
                "notes of the project" if kind == "note" else f"lines of type {kind or '(none)'}", text
            )
    if task is not None:
        yield _with(notes, task)


def _with(notes: list[str], task: Row) -> Row:
    return replace(task, values={**task.values, "description": _joined(task.values["description"], *notes)})


def _task(line: dict[str, str], text: str, section: str, reading: Reading) -> dict[str, Any]:
    title, tags = _without_labels(text)
    zone = ZoneInfo(line["timezone"].strip()) if is_time_zone(line["timezone"].strip()) else reading.zone
    dates = [each for each in (line["date"].strip(), line["deadline"].strip()) if each]
    readable = [each for each in dates if moment(each, zone) is not None]
    in_words = [each for each in dates if each not in readable]
    for words in in_words:
        reading.left_out.add("DATE in words, such as a repeat (it is in the description)", words)
    for second in readable[1:]:
        reading.left_out.add("DEADLINE beside a DATE", second)
    if line["indent"].strip() not in ("", "1"):
        reading.left_out.add("INDENT: that a task is part of another", title)
    return {
        "title": title,
        "description": _joined(line["description"], *in_words),
        "priority": PRIORITIES.get(line["priority"].strip(), "medium"),
        **(due(readable[0], zone) if readable else {"due_date": None, "due_at": None}),
        "list": section,
        "tags": tags,
    }


def _without_labels(text: str) -> tuple[str, list[str]]:
    """The title without the labels at its end, and the labels."""
    words = text.split()
    count = next((n for n, word in enumerate(reversed(words[1:])) if not _LABEL.fullmatch(word)), len(words[1:]))
    if not count:
        return text, []
    return text.rsplit(maxsplit=count)[0], [label[1:] for label in words[-count:]]


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def recognises_files(files: Mapping[str, bytes]) -> bool:
    return any(_table(content) is not None for name, content in files.items() if name.lower().endswith(".csv"))


def read_files(files: Mapping[str, bytes], reading: Reading) -> Iterator[Row]:
    """Reads a backup. Each file is a project, such as ``Home [123].csv``, and becomes a list."""
    number = 0
    for name, content in files.items():
        table = _table(content) if name.lower().endswith(".csv") else None
        if table is None:
            reading.left_out.add("other files in the ZIP file", name)
            continue
        project = _NUMBER.sub("", PurePosixPath(name).stem)
        for row in read(table, reading):
            number += 1
            section = row.values["list"]
            found_list = f"{project}: {section}" if section else project
            yield replace(row, number=number, values={**row.values, "list": found_list})


def _table(content: bytes) -> Table | None:
    found = tables(encodings.text(encodings.utf8(content)), {})
    return next((table for table in found if recognises(table)), None)
