"""Export of tasks as JSON, CSV and iCalendar; import from these formats and from other programs."""

from taskwell.tasks.exchange.columns import FIELDS as COLUMN_FIELDS
from taskwell.tasks.exchange.exports import exported
from taskwell.tasks.exchange.formats import EXPORTERS, IMPORTERS, Exporter
from taskwell.tasks.exchange.imports import ImportFile, ImportReport, OnExisting, import_file, read_file
from taskwell.tasks.exchange.record import MAX_ROWS, TaskRecord

__all__ = [
    "COLUMN_FIELDS",
    "EXPORTERS",
    "IMPORTERS",
    "MAX_ROWS",
    "Exporter",
    "ImportFile",
    "ImportReport",
    "OnExisting",
    "TaskRecord",
    "exported",
    "import_file",
    "read_file",
]
