"""Reads the CSV of Outlook and Microsoft To Do. The dates are in the format of the machine that wrote them."""

import re
from collections.abc import Iterator
from typing import Any

from taskwell.tasks.exchange.moments import due, instant
from taskwell.tasks.exchange.reading import Reading
from taskwell.tasks.exchange.record import MAX_ROWS, Row, too_many_rows
from taskwell.tasks.exchange.tables import Table, named_cells

PRIORITIES = {"high": "high", "normal": "medium", "low": "low", "2": "high", "1": "medium", "0": "low"}
_READ = frozenset(
    {"subject", "due date", "date completed", "% complete", "categories", "notes", "priority", "status"}
    | {"reminder on/off", "private", "start date"}
)
_DATES = ("start date", "due date", "date completed")
_SAYS_NOTHING = {"reminder on/off": {"", "false"}, "private": {"", "false"}, "start date": {""}}
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}")
_EMPTY = {"", "0", "normal", "false"}


def recognises(table: Table) -> bool:
    return {"subject", "due date", "% complete"} <= set(table.names)


def read(table: Table, reading: Reading) -> Iterator[Row]:
    """Reads all lines first, since only together they show whether the day or the month comes first."""
    fields = {index: name for index, name in enumerate(table.names) if name in _READ}
    lines: list[dict[str, str]] = []
    for cells in table.rows:
        if len(lines) == MAX_ROWS:
            raise too_many_rows()
        unread = [cell if index in fields or cell.lower() not in _EMPTY else "" for index, cell in enumerate(cells)]
        lines.append(dict.fromkeys(_READ, "") | named_cells(table, fields, unread, reading))
    month_first = _month_first(lines, reading)
    for number, line in enumerate(lines, start=1):
        yield Row(number, _values(line, reading, month_first=month_first))


def _month_first(lines: list[dict[str, str]], reading: Reading) -> bool:
    dates = [line[name] for line in lines for name in _DATES if line[name]]
    found = [(int(each[1]), int(each[2])) for date in dates if (each := _SLASHED.match(date))]
    if any(first > 12 for first, _ in found):
        return False
    if found and not any(second > 12 for _, second in found):
        reading.left_out.add("whether the day or the month comes first in dates (read as the month)", dates[0])
    return True


def _values(line: dict[str, str], reading: Reading, *, month_first: bool) -> dict[str, Any]:
    for name, nothing in _SAYS_NOTHING.items():
        if line[name].strip().lower() not in nothing:
            reading.left_out.add(name, line[name])
    done = line["date completed"]
    is_done = line["status"].strip().lower() in ("completed", "2") or bool(done)
    if not is_done and line["% complete"].strip(" %") not in ("", "0"):
        reading.left_out.add("% complete", line["% complete"])
    return {
        "title": line["subject"],
        "description": line["notes"].strip(),
        "priority": PRIORITIES.get(line["priority"].strip().lower(), "medium"),
        "completed": is_done,
        "completed_at": instant(done, reading.zone, month_first=month_first),
        "tags": [each.strip() for each in line["categories"].split(";") if each.strip()],
        **(
            due(line["due date"], reading.zone, month_first=month_first)
            if line["due date"].strip()
            else {"due_date": None, "due_at": None}
        ),
    }
