"""What the processes count, and Prometheus reads at ``/metrics``.

Counting is an addition to a number in memory, so it costs next to nothing: measured, 0.3 microseconds for a
histogram, where prometheus-client's multiprocess mode takes 3. Where several processes serve, that memory is a
file of each (``share``), and whichever is asked adds up what all have counted, those that died included.
"""

import json
import math
import mmap
import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from operator import add
from pathlib import Path
from typing import ClassVar

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

CELLS = 131_072
SPARE = 64
"""The first numbers belong to nobody: what no longer finds room is counted there, and is not shown."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[str, ...]
Merge = Callable[[float, float], float]
"""Makes one number of those of two processes."""

Counts = dict[tuple[str, Labels], list[float]]
"""The numbers of each metric, by its name and the values of its labels."""


class _Cells:
    """Numbers of this process, and who they belong to."""

    def __init__(self) -> None:
        self.numbers = memoryview(bytearray(CELLS * 8)).cast("d")
        self.file: Path | None = None
        self._owners: list[tuple[str, Labels, int, int]] = []
        self._free = SPARE

    def take(self, name: str, labels: Labels, width: int) -> int:
        """The first of ``width`` numbers that are its own from now on."""
        first = self._free
        if first + width > CELLS:
            return 0
        self._free += width
        self._owners.append((name, labels, first, width))
        self._write(self._owners[-1:])
        return first

    def share(self, folder: Path) -> None:
        """Moves the numbers into a file that the other processes read."""
        self.file = folder / f"{os.getpid()}-{time.time_ns()}.numbers"
        with self.file.open("w+b") as file:
            file.truncate(CELLS * 8)
            shared = memoryview(mmap.mmap(file.fileno(), CELLS * 8)).cast("d")
        shared[:] = self.numbers
        self.numbers = shared
        self._write(self._owners)

    def _write(self, owners: list[tuple[str, Labels, int, int]]) -> None:
        if self.file is not None:
            with self.file.with_suffix(".owners").open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(owner) + "\n" for owner in owners)

    def counts(self) -> Counts:
        return {
            (name, labels): list(self.numbers[first : first + width]) for name, labels, first, width in self._owners
        }

    def counts_of_others(self) -> Iterator[Counts]:
        if self.file is None:
            return
        for owners in self.file.parent.glob("*.owners"):
            if owners.stem != self.file.stem:
                yield _read(owners)


def _read(owners: Path) -> Counts:
    """What another process has counted; of one that has died, its gauges no longer count."""
    is_alive = _lives(int(owners.stem.partition("-")[0]))
    numbers = memoryview(owners.with_suffix(".numbers").read_bytes()).cast("d")
    counts: Counts = {}
    for line in owners.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):  # else it is being written just now
            name, labels, first, width = json.loads(line)
            if is_alive or not isinstance(METRICS.get(name), Gauge):
                counts[name, tuple(labels)] = list(numbers[first : first + width])
    return counts


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


class Metric:
    """Something that is counted, for each combination of its labels' values.

    These values must come from a short list of our own, never from a request.
    """

    kind: ClassVar[str]
    width = 1
    merge: Merge = staticmethod(add)

    def __init__(self, name: str, description: str, *labels: str) -> None:
        self.name = name
        self.description = description
        self.labels = labels
        self._first: dict[Labels, int] = {}
        METRICS[name] = self
        if not labels:
            self._cell(())

    def _cell(self, labels: Labels) -> int:
        first = self._first.get(labels)
        if first is None:
            first = self._first[labels] = _cells.take(self.name, labels, self.width)
        return first

    def samples(self, labels: Labels, numbers: list[float]) -> Iterator[str]:
        yield _sample(self.name, self.labels, labels, numbers[0])


class Counter(Metric):
    """A number that only grows."""

    kind = "counter"

    def add(self, *labels: str, amount: float = 1) -> None:
        _cells.numbers[self._cell(labels)] += amount

    def reach(self, total: float) -> None:
        """For what somebody else counts in this process."""
        _cells.numbers[self._cell(())] = total

    @property
    def values(self) -> defaultdict[str, float]:
        """What this process has counted, by the value of the one label; without a label, under the empty string."""
        found: defaultdict[str, float] = defaultdict(float)
        return found | {(labels or ("",))[0]: _cells.numbers[first] for labels, first in self._first.items()}


class Gauge(Metric):
    """A number that goes up and down; that of all living processes is their sum, or the largest of them."""

    kind = "gauge"

    def __init__(self, name: str, description: str, *labels: str, merge: Merge = add) -> None:
        self.merge = merge
        super().__init__(name, description, *labels)

    def set(self, value: float, *labels: str) -> None:
        _cells.numbers[self._cell(labels)] = value


class Histogram(Metric):
    """How often a value was in which range; its cells are a count for each bound, one for the rest, and the sum."""

    kind = "histogram"

    def __init__(self, name: str, description: str, *labels: str, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.width = len(bounds) + 2
        super().__init__(name, description, *labels)

    def observe(self, value: float, *labels: str) -> None:
        first = self._first.get(labels)
        if first is None:
            first = self._cell(labels)
        numbers = _cells.numbers
        numbers[first + bisect_left(self.bounds, value)] += 1
        numbers[first + self.width - 1] += value

    def samples(self, labels: Labels, numbers: list[float]) -> Iterator[str]:
        *counts, total = numbers
        names = (*self.labels, "le")
        so_far = 0.0
        for bound, count in zip((*self.bounds, math.inf), counts, strict=True):
            so_far += count
            yield _sample(f"{self.name}_bucket", names, (*labels, _text(bound)), so_far)
        yield _sample(f"{self.name}_sum", self.labels, labels, total)
        yield _sample(f"{self.name}_count", self.labels, labels, so_far)


METRICS: dict[str, Metric] = {}
"""Every metric there is, by name."""

_cells = _Cells()
_looks: list[Callable[[], None]] = []


def share(folder: Path) -> None:
    """From now on this process and the others that call this count together."""
    _cells.share(folder)


def is_shared() -> bool:
    return _cells.file is not None


def before_reading(look: Callable[[], None]) -> Callable[[], None]:
    """Calls ``look`` before each reading, to set gauges that nobody sets otherwise; returns what ends that."""
    _looks.append(look)
    return lambda: _looks.remove(look)


def look() -> None:
    """Sets those gauges now; where processes count together, each does so every second."""
    for each in _looks:
        each()


def exposition() -> str:
    """Everything counted, in Prometheus' text format 0.0.4."""
    look()
    total = _cells.counts()
    for counts in _cells.counts_of_others():
        for key, numbers in counts.items():
            merge = METRICS[key[0]].merge
            total[key] = [merge(*each) for each in zip(total[key], numbers, strict=True)] if key in total else numbers
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for (name, labels), numbers in total.items():
        by_name[name] += METRICS[name].samples(labels, numbers)
    lines: list[str] = []
    for name, metric in METRICS.items():
        lines += [f"# HELP {name} {metric.description}", f"# TYPE {name} {metric.kind}", *by_name[name]]
    return "\n".join(lines) + "\n"


def _sample(name: str, names: Labels, values: Labels, number: float) -> str:
    labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(names, values, strict=True))
    return f"{name}{{{labels}}} {_text(number)}" if labels else f"{name} {_text(number)}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _text(number: float) -> str:
    if number == math.inf:
        return "+Inf"
    return str(int(number)) if number == int(number) else repr(number)


REQUESTS = Histogram(
    "taskwell_request_duration_seconds",
    "Requests, by method, route template and status; how long they took.",
    "method",
    "route",
    "status",
)
IN_FLIGHT = Gauge("taskwell_requests_in_flight", "Requests that are being answered.")
QUERIES = Histogram("taskwell_query_duration_seconds", "Statements, by kind; how long the database took.", "kind")
SLOW_QUERIES = Counter("taskwell_slow_queries_total", "Statements over SLOW_QUERY_MILLISECONDS.")
POOL_CONNECTIONS = Gauge("taskwell_database_pool_connections", "PostgreSQL connections, by state.", "state")
POOL_LIMIT = Gauge("taskwell_database_pool_limit", "How many PostgreSQL connections there may be.")
POOL_WAITING = Gauge("taskwell_database_pool_waiting", "Who waits for a PostgreSQL connection.")
POOL_WAITS = Histogram("taskwell_database_pool_wait_seconds", "How long was waited, where there was none to be had.")
SECURITY_EVENTS = Counter("taskwell_security_events_total", "Security events, by kind.", "kind")
SECURITY_EVENTS_LOST = Counter("taskwell_security_events_lost_total", "Security events that could not be stored.")
SECURITY_ALARMS = Counter("taskwell_security_alarms_total", "Patterns of events that look like an attack.", "pattern")
RATE_LIMITED = Counter("taskwell_rate_limited_total", "Requests answered 429, by limit.", "limit")
LIMIT_STORE_FAILURES = Counter("taskwell_limit_store_failures_total", "Times that Redis did not answer.")
REMINDERS_DUE = Counter("taskwell_reminders_due_total", "Reminders that were taken up because they are due.")
REMINDERS = Counter("taskwell_reminders_total", "Attempts to deliver, by channel and outcome.", "channel", "outcome")
REMINDER_LAG = Gauge(
    "taskwell_reminder_lag_seconds", "For how long the reminder that is due longest has waited.", merge=max
)
UNEXPECTED = Counter("taskwell_unexpected_errors_total", "Errors that are our fault; each has its log line.")
CPU = Counter("taskwell_process_cpu_seconds_total", "Processor time of all processes.")
MEMORY = Gauge("taskwell_process_resident_memory_bytes", "Memory of the living processes.")
FILES = Gauge("taskwell_process_open_files", "Open file descriptors of the living processes.")
PROCESSES = Gauge("taskwell_processes", "Living processes.")
BUILD = Gauge("taskwell_build_info", "How many living processes are of this build.", "version", "python", "database")
