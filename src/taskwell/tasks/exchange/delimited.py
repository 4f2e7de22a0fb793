"""CSV (RFC 4180), with a header line; safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from taskwell.errors import MalformedBody
from taskwell.tasks.exchange.record import Row, TaskRecord

COLUMNS = (
    "id", "title", "description", "priority", "completed", "completed_at", "due_date", "due_at", "list", "tags",
    "created_at", "updated_at",
)  # fmt: skip
START = (",".join(COLUMNS) + "\r\n").encode()

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""A cell that begins so is run as a formula by spreadsheets; an apostrophe before it makes it text again. A cell
that begins with an apostrophe gets another, so that reading the file gives back what was written."""

MAX_CELL = 100_000
MAX_COLUMNS = 100
"""A line becomes a dictionary of all of them, however short it is itself."""


def write(records: Iterable[TaskRecord]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(name, getattr(record, name)) for name in COLUMNS] for record in records)
    return text.getvalue().encode()


def read(content: bytes) -> Iterator[Row]:
    return (Row(number, _values(cells)) for number, cells in enumerate(lines(content, "title"), start=1))


def lines(content: bytes, required: str) -> Iterator[dict[str, str]]:
    """The lines of a CSV file by the names in its header, which have no case here.

    Raises:
        MalformedBody: it is not UTF-8, not CSV as far as it is read, has no column of the required name, or has
            more columns than any file of tasks.
    """
    csv.field_size_limit(MAX_CELL)
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip().lower() for name in next(reader, [])]
        if required not in header:
            raise MalformedBody(f"The file's first line must name its columns, {required!r} among them.")
        if len(header) > MAX_COLUMNS:
            raise MalformedBody(f"The file's first line may name {MAX_COLUMNS} columns at most.")
        for cells in reader:
            if any(cells):
                yield dict(zip_longest(header, cells[: len(header)], fillvalue=""))
    except (UnicodeDecodeError, csv.Error):
        raise MalformedBody("The file is not CSV in UTF-8.") from None


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "tags":
        value = ",".join(value)
    elif hasattr(value, "isoformat"):
        value = value.isoformat().replace("+00:00", "Z")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _values(cells: dict[str, str]) -> dict[str, Any]:
    plain: dict[str, Any] = {name: _without_apostrophe(text) for name, text in cells.items()}
    plain["tags"] = [tag.strip() for tag in str(plain.get("tags", "")).split(",") if tag.strip()]
    return plain


def _without_apostrophe(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
