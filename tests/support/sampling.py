"""How much a server uses while it is under load, and whether that grows."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Use:
    """Of all processes of a server together."""

    megabytes: float
    open_files: int


def use_of(group: int) -> Use:
    """Args:
    group: The process group, which is the process id of a ``Server``.
    """
    resident, files = 0, 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                resident += int((process / "statm").read_text().split()[1]) * PAGE
                files += sum(1 for _ in (process / "fd").iterdir())
        except OSError:  # it has ended meanwhile
            continue
    return Use(resident / 2**20, files)


@dataclass
class Course:
    """One measure over time, judged by its medians in the third after the start and in the last one.

    The start, a quarter of the time, does not count: caches fill, connections are opened.
    """

    values: list[float] = field(default_factory=list)

    @property
    def early(self) -> float:
        return median(self._thirds()[0])

    @property
    def late(self) -> float:
        return median(self._thirds()[2])

    def grows(self, *, factor: float, allowance: float) -> bool:
        """Whether it is more at the end than the factor and the allowance explain."""
        return self.late > self.early * factor + allowance

    def _thirds(self) -> list[Sequence[float]]:
        counted = self.values[len(self.values) // 4 :]
        size = len(counted) // 3
        return [counted[:size], counted[size:-size], counted[-size:]]


def percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else sum(values)
