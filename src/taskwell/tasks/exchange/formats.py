"""The file formats: how a record becomes text, and text becomes rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from taskwell.tasks.exchange import delimited, icalendars, jsons, todoist
from taskwell.tasks.exchange.record import Row, TaskRecord


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

IMPORTERS: Mapping[str, Callable[[bytes], Iterable[Row]]] = {
    "json": jsons.read,
    "csv": delimited.read,
    "ics": icalendars.read,
    "todoist": todoist.read,
}
"""Each raises ``MalformedBody`` where the file is not of the format, some of them only while their rows are read."""
