"""Observes every statement: its time, a log line if it was slow, a span if tracing is on."""

import sys
import time

import structlog

from taskwell.database.query import Step
from taskwell.observability import tracing
from taskwell.observability.metrics import QUERIES, SLOW_QUERIES

log = structlog.get_logger("taskwell.database")

LONGEST_SHOWN = 1_000

_READS, _WRITES = QUERIES.labels("read"), QUERIES.labels("write")


class StatementWatch:
    """Both lanes report each statement here, from the event loop or from a thread."""

    def __init__(self, system: str, slow_milliseconds: float) -> None:
        """Watches one database.

        Args:
            system: OpenTelemetry's name, ``sqlite`` or ``postgresql``.
            slow_milliseconds: The time from which a statement is slow; 0 for never.
        """
        self._system = system
        self._slow_seconds = slow_milliseconds / 1000 or float("inf")

    def ended(self, step: Step, started: float) -> None:
        """Records a statement that has just ended. ``sys.exception()`` tells whether it failed.

        Args:
            started: A time of ``time.perf_counter``.
        """
        seconds = time.perf_counter() - started
        (_READS if step.is_read else _WRITES).observe(seconds)
        if seconds >= self._slow_seconds:
            SLOW_QUERIES.inc()
            statement = " ".join(step.text.split())[:LONGEST_SHOWN]
            log.warning("slow query", milliseconds=round(seconds * 1000, 1), statement=statement)
        if tracing.tracer is not None:
            tracing.record_query(self._system, step.text, seconds, sys.exception())
