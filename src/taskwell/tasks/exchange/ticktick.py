"""Reads TickTick's CSV backup. The items of a checklist are in the content of their task."""

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from taskwell.tasks.exchange.moments import day_in, due, instant
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import Row
from taskwell.tasks.exchange.tables import Table, named_cells
from taskwell.users.time_zones import is_time_zone

PRIORITIES = {"5": "high", "3": "medium", "1": "low"}
_READ = frozenset(
    {"list name", "title", "tags", "content", "is check list", "due date", "priority", "status", "created time"}
    | {"completed time", "timezone", "is all day", "taskid", "parentid", "folder name"}
)
_OF_VIEWS = frozenset({"kind", "order", "is floating", "column order", "view mode"})
_ITEM = re.compile(r"\s*([▫▪])\s*(.+)")


def recognises(table: Table) -> bool:
    return {"list name", "title", "is check list"} <= set(table.names)


def read(table: Table, reading: Reading) -> Iterator[Row]:
    fields = {index: name for index, name in enumerate(table.names) if name in _READ | _OF_VIEWS}
    number = 0
    for cells in table.rows:
        line = dict.fromkeys(_READ, "") | named_cells(table, fields, cells, reading)
        task, items = _task(line, reading)
        for values in (task, *items):
            number += 1
            yield Row(number, values)


def _task(line: dict[str, str], reading: Reading) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    zone = ZoneInfo(line["timezone"]) if is_time_zone(line["timezone"]) else reading.zone
    content, items = line["content"], []
    if line["is check list"].strip().upper() == "Y":
        lines = content.splitlines()
        items = [found for each in lines if (found := _ITEM.fullmatch(each))]
        content = "\n".join(each for each in lines if not _ITEM.fullmatch(each))
    if line["parentid"]:
        reading.left_out.add("parentId", line["parentid"])
    if items:
        reading.left_out.add("that a checklist's item is part of a task", items[0][2], len(items))
    if line["folder name"]:
        reading.left_out.add("Folder Name", line["folder name"])
    found_due = line["due date"]
    if line["is all day"].strip().lower() == "true":
        found_due = day_in(found_due, zone)
    name = f"ticktick:{line['taskid']}:{line['created time']}" if line["taskid"] and line["created time"] else None
    task = {
        "id": name,
        "title": line["title"],
        "description": content.strip(),
        "priority": PRIORITIES.get(line["priority"].strip(), "medium"),
        "completed": line["status"].strip() in ("1", "2"),
        "completed_at": instant(line["completed time"], zone),
        "created_at": instant(line["created time"], zone),
        **(due(found_due, zone) if found_due else {"due_date": None, "due_at": None}),
        "list": line["list name"],
        "tags": [each.strip() for each in line["tags"].split(",") if each.strip()],
    }
    return task, [
        {
            "id": name and f"{name}:{index}",
            "title": each[2],
            "completed": each[1] == "▪" or task["completed"],
            "list": task["list"],
        }
        for index, each in enumerate(items)
    ]
