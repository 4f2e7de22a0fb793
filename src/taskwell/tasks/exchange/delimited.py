"""Writes our CSV (RFC 4180) with a header line, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from taskwell.tasks.exchange.record import TaskRecord

COLUMNS = (
    "id", "title", "description", "priority", "completed", "completed_at", "due_date", "due_at", "list", "tags",
    "created_at", "updated_at", "assignee_id",
)  # fmt: skip
START = (",".join(COLUMNS) + "\r\n").encode()

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""A spreadsheet runs a cell with such a beginning as a formula; an apostrophe before it makes it text. A cell that
begins with an apostrophe gets a second one, so that an import restores the original text."""


def write(records: Iterable[TaskRecord]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(name, getattr(record, name)) for name in COLUMNS] for record in records)
    return text.getvalue().encode()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "tags":
        value = ",".join(value)
    elif hasattr(value, "isoformat"):
        value = value.isoformat().replace("+00:00", "Z")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def without_apostrophe(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
