"""Tasks as files: taken out and brought in as JSON, CSV and iCalendar, and brought in from Todoist."""

from taskwell.tasks.exchange.exports import exported
from taskwell.tasks.exchange.formats import EXPORTERS, IMPORTERS, Exporter
from taskwell.tasks.exchange.imports import ImportReport, JudgedFile, bring_in, judged
from taskwell.tasks.exchange.record import MAX_ROWS, TaskRecord

__all__ = [
    "EXPORTERS",
    "IMPORTERS",
    "MAX_ROWS",
    "Exporter",
    "ImportReport",
    "JudgedFile",
    "TaskRecord",
    "bring_in",
    "exported",
    "judged",
]
