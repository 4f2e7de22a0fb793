"""The metrics that Prometheus reads at ``/metrics``.

Values of labels must come from a short list in the code, never from a request.
"""

import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

import psutil

from taskwell import __version__

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The folder in which the processes of ``serve --workers`` share metrics; the supervisor creates it empty."""

if multiprocessing.current_process().name == "MainProcess":
    os.environ.pop(FOLDER, None)  # only the supervisor's folder is emptied at a start
IS_SHARED = FOLDER in os.environ

# prometheus-client reads the variable when it is imported.
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest  # noqa: E402
from prometheus_client import metrics as prometheus  # noqa: E402
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead  # noqa: E402

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REGISTRY = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]


def _counter(name: str, description: str, *labels: str) -> prometheus.Counter:
    return prometheus.Counter(name, description, labels, registry=REGISTRY)


def _gauge(name: str, description: str, *labels: str, of_all: str = "sum") -> prometheus.Gauge:
    """Defines a gauge.

    Args:
        of_all: How the values of all living processes become one, such as ``sum``.
    """
    return prometheus.Gauge(name, description, labels, registry=REGISTRY, multiprocess_mode=f"live{of_all}")  # type: ignore[arg-type]


def _histogram(name: str, description: str, *labels: str) -> prometheus.Histogram:
    return prometheus.Histogram(name, description, labels, registry=REGISTRY, buckets=SECONDS)


REQUESTS = _histogram(
    "taskwell_request_duration_seconds",
    "Requests, by method, route template and status; how long they took.",
    "method",
    "route",
    "status",
)


@lru_cache(maxsize=4096)  # prometheus-client takes two microseconds to find a label
def request_duration(method: str, route: str, status: int) -> prometheus.Histogram:
    return REQUESTS.labels(method, route, str(status))


IN_FLIGHT = _gauge("taskwell_requests_in_flight", "Requests that are being answered.")
QUERIES = _histogram("taskwell_query_duration_seconds", "Statements, by kind; how long the database took.", "kind")
SLOW_QUERIES = _counter("taskwell_slow_queries_total", "Statements over SLOW_QUERY_MILLISECONDS.")
POOL_CONNECTIONS = _gauge("taskwell_database_pool_connections", "PostgreSQL connections, by state.", "state")
POOL_LIMIT = _gauge("taskwell_database_pool_limit", "How many PostgreSQL connections there may be.")
POOL_WAITING = _gauge("taskwell_database_pool_waiting", "Who waits for a PostgreSQL connection.")
POOL_WAITS = _histogram("taskwell_database_pool_wait_seconds", "How long was waited, where there was none to be had.")
SECURITY_EVENTS = _counter("taskwell_security_events_total", "Security events, by kind.", "kind")
SECURITY_EVENTS_LOST = _counter("taskwell_security_events_lost_total", "Security events that could not be stored.")
RATE_LIMITED = _counter("taskwell_rate_limited_total", "Requests answered 429, by limit.", "limit")
LIMIT_STORE_FAILURES = _counter("taskwell_limit_store_failures_total", "Times that Redis did not answer.")
REMINDERS_DUE = _counter("taskwell_reminders_due_total", "Reminders that were taken up because they are due.")
REMINDERS = _counter("taskwell_reminders_total", "Attempts to deliver, by channel and outcome.", "channel", "outcome")
REMINDER_LAG = _gauge(
    "taskwell_reminder_lag_seconds", "For how long the reminder that is due longest has waited.", of_all="max"
)
UNEXPECTED = _counter("taskwell_unexpected_errors_total", "Errors that are our fault; each has its log line.")
CPU = _counter("taskwell_process_cpu_seconds_total", "Processor time of all processes.")
MEMORY = _gauge("taskwell_process_resident_memory_bytes", "Memory of the living processes.")
FILES = _gauge("taskwell_process_open_files", "Open file descriptors of the living processes.")
PROCESSES = _gauge("taskwell_processes", "Living processes.")
BUILD = _gauge("taskwell_build_info", "How many living processes are of this build.", "version", "python", "database")


_refreshers: list[Callable[[], None]] = []
_refreshing = Lock()
_counted_cpu = 0.0


@contextmanager
def observing_process(database: str, refresh: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Reports this process and refreshes its gauges while the block runs.

    Args:
        refresh: Sets the caller's gauges.
    """
    BUILD.labels(__version__, platform.python_version(), database).set(1)
    _refreshers.append(refresh)
    try:
        yield
    finally:
        _refreshers.remove(refresh)


def refresh_gauges() -> None:
    """Sets the gauges that have no event of their own. With several processes, each calls this every second."""
    global _counted_cpu  # noqa: PLW0603  # a counter takes the difference
    process = psutil.Process()
    MEMORY.set(process.memory_info().rss)
    FILES.set(process.num_fds())
    PROCESSES.set(1)
    with _refreshing:  # several threads may call this in the worker
        used = time.process_time()
        CPU.inc(used - _counted_cpu)
        _counted_cpu = used
    for refresh in _refreshers:
        refresh()


def exposition() -> bytes:
    """All metrics in Prometheus' text format 0.0.4."""
    registry = REGISTRY
    if IS_SHARED:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_gauges(process_id: int | None) -> None:
    """Drops the gauges of a dead process; its counters stay."""
    mark_process_dead(process_id)  # type: ignore[no-untyped-call]
