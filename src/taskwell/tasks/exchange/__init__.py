"""Tasks as files: taken out and brought in as JSON, CSV and iCalendar, and brought in from Todoist."""

from taskwell.tasks.exchange.exports import exported
from taskwell.tasks.exchange.formats import EXPORTERS, IMPORTERS, Exporter
from taskwell.tasks.exchange.imports import MAX_ROWS, ImportReport, bring_in

__all__ = ["EXPORTERS", "IMPORTERS", "MAX_ROWS", "Exporter", "ImportReport", "bring_in", "exported"]
