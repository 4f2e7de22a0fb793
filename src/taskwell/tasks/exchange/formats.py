"""The file formats: how each is written, and how a file's content shows its format."""

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
    outlook,
    own_export,
    taskwarrior,
    ticktick,
    todoist,
    todotxt,
    trello,
    vikunja,
    zips,
)
from taskwell.tasks.exchange.reading import Reading, unknown_file
from taskwell.tasks.exchange.record import Row, TaskRecord
from taskwell.tasks.exchange.tables import tables


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format for an export.

    Attributes:
        write: Makes the text of some records.
        between: The separator of two such texts.
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
    """One format for an import.

    Attributes:
        syntax: The syntax of the file, such as JSON.
        recognises: Whether a document of this syntax has this format.
        read: Reads the rows of a document; raises ``MalformedBody`` if its syntax is broken.
    """

    syntax: str
    recognises: Callable[[Any], bool]
    read: Callable[[Any, Reading], Iterable[Row]]


IMPORTERS: Mapping[str, Importer] = {
    "export": Importer("json", own_export.recognises, own_export.read),
    "google": Importer("json", google_tasks.recognises, google_tasks.read),
    "taskwarrior": Importer("json", taskwarrior.recognises, taskwarrior.read),
    "trello": Importer("json", trello.recognises, trello.read),
    "vikunja": Importer("json", vikunja.recognises, vikunja.read),
    "json": Importer("json", jsons.recognises, jsons.read),
    "ics": Importer("ics", lambda _: True, calendars.read),
    "todoist": Importer("csv", todoist.recognises, todoist.read),
    "ticktick": Importer("csv", ticktick.recognises, ticktick.read),
    "outlook": Importer("csv", outlook.recognises, outlook.read),
    "csv": Importer("csv", columns.recognises, columns.read),
    "todotxt": Importer("text", todotxt.recognises, todotxt.read),
    "vikunja_zip": Importer("zip", vikunja.recognises_files, vikunja.read_files),
    "todoist_zip": Importer("zip", todoist.recognises_files, todoist.read_files),
}
"""The first format that recognises a file reads it. A name of a syntax means every format of this syntax."""

_UNKNOWN = {
    "json": "The file is JSON, but no array of tasks with a 'title', and no export that Taskwell knows.",
    "zip": "The file is a ZIP file, but no backup of Todoist's or Vikunja's, and no Takeout with Google's tasks.",
}
_UNKNOWN_TEXT = (
    "Taskwell does not know this kind of file. Send JSON or iCalendar, or CSV whose first line names its columns,"
    " 'title' among them; ?columns=title:Name says which column has the titles."
)


def rows(content: bytes, name: str, named_columns: Mapping[str, str], reading: Reading) -> Iterable[Row]:
    """The rows of a file.

    Args:
        name: ``auto``, a syntax, or one of ``IMPORTERS`` without ``_zip``.

    Raises:
        MalformedBody: the file is broken, or not text.
        Invalid: the file has none of the possible formats.
    """
    plain = encodings.utf8(content)
    syntax = ""
    for syntax, document in _documents(plain, named_columns):
        for each, importer in IMPORTERS.items():
            is_meant = name in ("auto", syntax, each.removesuffix("_zip")) and (not named_columns or each == "csv")
            if importer.syntax == syntax and is_meant and importer.recognises(document):
                return importer.read(document, reading)
    raise _refusal(syntax, name, named_columns)


def _refusal(syntax: str, name: str, named_columns: Mapping[str, str]) -> Invalid:
    if named_columns and syntax in ("json", "ics", "zip"):
        return Invalid.field("columns", "Only CSV has columns that can be named.", "no_columns", location="query")
    if "title" in named_columns:
        return columns.unknown_column(named_columns["title"])
    if name not in ("auto", "csv"):
        return unknown_file(f"The file is not of the format {name!r}; leave the format out, or name another.")
    return unknown_file(_UNKNOWN.get(syntax, _UNKNOWN_TEXT))


def _documents(content: bytes, named_columns: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Each document that the content can be, with its syntax. Text may be a table in several ways."""
    start = content[:4096].lstrip()
    if content.startswith(b"PK\x03\x04"):
        files = zips.unpacked(content)
        takeouts = [each for each in files if each.rpartition("/")[2] == "Tasks.json"]
        for takeout in takeouts[:1]:
            yield "json", jsons.loaded(files[takeout])
        yield "zip", files
    elif start.startswith((b"{", b"[")):
        yield "json", jsons.loaded(content)
    elif start[:15].upper() == b"BEGIN:VCALENDAR":
        yield "ics", content
    elif b"\x00" in content[:4096]:
        raise MalformedBody("The file is not text.")
    else:
        text = encodings.text(content)
        for table in tables(text, named_columns):
            yield "csv", table
        yield "text", text
