"""What this process takes of its machine, as far as the operating system tells."""

import platform
import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from taskwell import __version__, telemetry

STARTED = time.time()


@dataclass(frozen=True, slots=True)
class Use:
    """Attributes:
    resident_bytes: Memory now on Linux; elsewhere the most that there has been.
    open_files: File descriptors, sockets included; None where that is not told.
    """

    cpu_seconds: float
    resident_bytes: int
    open_files: int | None
    open_files_limit: int


def use() -> Use:
    return Use(time.process_time(), _resident_bytes(), _open_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _resident_bytes() -> int:
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _open_files() -> int | None:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            return sum(1 for _ in Path(folder).iterdir()) - 1  # the listing itself has one open
    return None


def machine_memory() -> tuple[int, int] | None:
    """Total and available bytes of the machine; None where they are not told."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024


def introduce(database: str) -> None:
    """Counts this process among those of its build."""
    telemetry.BUILD.set(1, __version__, platform.python_version(), database)


def look() -> None:
    """Sets the gauges of the process."""
    now = use()
    telemetry.CPU.reach(now.cpu_seconds)
    telemetry.MEMORY.set(now.resident_bytes)
    telemetry.FILES.set(now.open_files or 0)
    telemetry.PROCESSES.set(1)
