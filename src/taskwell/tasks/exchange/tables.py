"""Reads a table from text: a line of column names, then rows; commas, semicolons or tabs separate cells."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from taskwell.errors import MalformedBody
from taskwell.tasks.exchange.reading import Reading

DELIMITERS = (",", ";", "\t")
MAX_CELL = 100_000
MAX_COLUMNS = 100
"""Each line becomes a dictionary of all columns, so their number is limited."""
MAX_PREAMBLE = 20
"""The most lines before the line of column names."""

_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
"""The first line of a file from Excel, if the separator is not the machine's."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that reads its rows on demand.

    Attributes:
        columns: The column names, unchanged.
        rows: The cells of each row that is not empty.
        before: The lines above the column names.
        named: The column names that the caller gave, by field.
    """

    columns: tuple[str, ...]
    rows: Iterator[list[str]]
    before: tuple[str, ...]
    named: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """The column names in lower case."""
        return [each.casefold() for each in self.columns]


def tables(text: str, named: Mapping[str, str]) -> Iterator[Table]:
    """Each table that the text can be, by separator and by line of column names.

    The column names are in the first line, or in the first line with several cells after a heading.

    Raises:
        MalformedBody: there are too many columns.
    """
    csv.field_size_limit(MAX_CELL)
    declared = _SEPARATOR.match(text)
    start = declared.end() if declared else 0
    for delimiter in (declared[1],) if declared else DELIMITERS:
        beginning = _beginning(text[start : start + 2 * MAX_CELL], delimiter)
        several = next((skipped for skipped, cells in enumerate(beginning) if len(cells) > 1), 0)
        for skipped in sorted({0, several}):
            table = _table(text, start, delimiter, skipped, named)
            if table is not None:
                yield table


def _beginning(text: str, delimiter: str) -> list[list[str]]:
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return list(islice(filter(any, lines), MAX_PREAMBLE))
    except csv.Error:
        return []


def _table(text: str, start: int, delimiter: str, skipped: int, named: Mapping[str, str]) -> Table | None:
    """The table with this delimiter; None if the line of column names is not valid CSV."""
    source = io.StringIO(text, newline="")
    source.seek(start)
    rows = filter(any, _rows(csv.reader(source, delimiter=delimiter, strict=True)))
    try:
        before = tuple(" ".join(cells) for cells in islice(rows, skipped))
        columns = next(rows, [])
    except MalformedBody:
        return None
    if len(columns) > MAX_COLUMNS:
        raise MalformedBody(f"The file's first line may name {MAX_COLUMNS} columns at most.")
    return Table(tuple(name.strip() for name in columns), rows, before, named)


def _rows(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    count = 0
    try:
        for cells in lines:
            yield cells
            count += 1
    except csv.Error:
        raise MalformedBody(f"The file is not CSV: quotes or cells are wrong after its row {count}.") from None


def named_cells(table: Table, fields: Mapping[int, str], cells: Sequence[str], reading: Reading) -> dict[str, str]:
    """The cells of one row by field; reports the cells of other columns as ignored."""
    found: dict[str, str] = {}
    for index, cell in enumerate(cells):
        if index in fields:
            found[fields[index]] = cell
        elif cell.strip():
            named = index < len(table.columns) and table.columns[index]
            reading.left_out.add(f"column {named}" if named else "cells in a column without a name", cell)
    return found
