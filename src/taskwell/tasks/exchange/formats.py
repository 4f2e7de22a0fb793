"""The file formats: how a record becomes text, and how a file is told from the others by what is in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from taskwell.errors import Invalid, MalformedBody
from taskwell.tasks.exchange import (
    calendars,
    columns,
    delimited,
    encodings,
    google_tasks,
    icalendars,
    jsons,
    own_export,
    todoist,
)
from taskwell.tasks.exchange.reading import Reading, unknown_file
from taskwell.tasks.exchange.record import Row, TaskRecord
from taskwell.tasks.exchange.tables import tables


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format to take tasks out in.

    Attributes:
        write: The text of some records.
        between: What stands between two such texts.
    """

    media_type: str
    extension: str
    start: bytes
    write: Callable[[Iterable[TaskRecord]], bytes]
    between: bytes
    end: bytes


EXPORTERS: Mapping[str, Exporter] = {
    "json": Exporter("application/json", "json", jsons.START, jsons.write, jsons.BETWEEN, jsons.END),
    "csv": Exporter("text/csv; charset=utf-8", "csv", delimited.START, delimited.write, b"", b""),
    "ics": Exporter("text/calendar; charset=utf-8", "ics", icalendars.START, icalendars.write, b"", icalendars.END),
}


@dataclass(frozen=True, slots=True)
class Importer:
    """One format to bring tasks in from.

    Attributes:
        syntax: What the file is written in: that of JSON, CSV or iCalendar.
        recognises: Whether a document of this syntax is of this format.
        read: The document's rows; it raises ``MalformedBody`` where it turns out not to be of its syntax.
    """

    syntax: str
    recognises: Callable[[Any], bool]
    read: Callable[[Any, Reading], Iterable[Row]]


IMPORTERS: Mapping[str, Importer] = {
    "export": Importer("json", own_export.recognises, own_export.read),
    "google": Importer("json", google_tasks.recognises, google_tasks.read),
    "json": Importer("json", jsons.recognises, jsons.read),
    "ics": Importer("ics", lambda _: True, calendars.read),
    "todoist": Importer("csv", todoist.recognises, todoist.read),
    "csv": Importer("csv", columns.recognises, columns.read),
}
"""The first that recognises a file reads it. A name that is a syntax too stands for every format of that syntax."""

_UNKNOWN = {
    "json": "The file is JSON, but no array of tasks with a 'title', and no export that Taskwell knows.",
    "csv": (
        "Taskwell does not know this kind of file. Send JSON or iCalendar, or CSV whose first line names its columns,"
        " 'title' among them; ?columns=title:Name says which column has the titles."
    ),
}


def rows(content: bytes, name: str, named_columns: Mapping[str, str], reading: Reading) -> Iterable[Row]:
    """The rows of a file.

    Args:
        name: One of ``IMPORTERS``, or ``auto``.

    Raises:
        MalformedBody: it is broken, or not text.
        Invalid: it is none of the formats that it may be.
    """
    plain = encodings.utf8(content)
    syntax = _syntax(plain)
    candidates = [
        each
        for known, each in IMPORTERS.items()
        if each.syntax == syntax and (name in ("auto", known, syntax) and (not named_columns or known == "csv"))
    ]
    if not candidates and named_columns and syntax != "csv":
        raise Invalid.field("columns", "Only CSV has columns that can be named.", "no_columns", location="query")
    for document in _documents(plain, syntax, named_columns):
        for each in candidates:
            if each.recognises(document):
                return each.read(document, reading)
    if name not in ("auto", syntax) and not candidates:
        raise unknown_file(f"The file is not of the format {name!r}; leave the format out, or name another.")
    if named_columns and "title" in named_columns:
        raise columns.unknown_column(named_columns["title"])
    raise unknown_file(_UNKNOWN[syntax])


def _syntax(content: bytes) -> str:
    start = content[:4096].lstrip()
    if start.startswith((b"{", b"[")):
        return "json"
    return "ics" if start[:15].upper() == b"BEGIN:VCALENDAR" else "csv"


def _documents(content: bytes, syntax: str, named_columns: Mapping[str, str]) -> Iterator[Any]:
    """What the content may be; a table may be one in several ways."""
    if syntax == "json":
        yield jsons.loaded(content)
    elif syntax == "ics":
        yield content
    elif b"\x00" in content[:4096]:
        raise MalformedBody("The file is not text.")
    else:
        yield from tables(encodings.text(content), named_columns)
