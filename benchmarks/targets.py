"""What Taskwell means to reach beside its peers, and whether a run has reached it."""

from dataclasses import dataclass

from benchmarks.load import Measured

Found = dict[tuple[str, str], Measured]
ONE, TWO, EMBEDDED = "taskwell postgresql", "taskwell postgresql, 2 workers", "taskwell sqlite"
FLOOR, USUAL, POCKETBASE, BUN = "floor postgresql", "usual postgresql", "pocketbase", "bun"
MEBIBYTES_PER_WORKER = 150
READY_SECONDS = 1.5
TAIL = 3


@dataclass(frozen=True)
class Target:
    """Attributes:
    holds: None where this run did not measure it.
    """

    words: str
    measured: str
    holds: bool | None


def targets(found: Found, ready: dict[str, float]) -> list[Target]:
    tails = [_tail(found, operation) for operation in ("list", "get", "create")]
    return [each for each in [*_rates(found), *tails, *_costs(found, ready)] if each.holds is not None]


def _rates(found: Found) -> list[Target]:
    asked = [
        *(("list", ONE, FLOOR, 0.70), ("get", ONE, FLOOR, 0.55), ("create", ONE, FLOOR, 0.60)),
        *(("list", ONE, USUAL, 6), ("get", ONE, USUAL, 6), ("create", ONE, USUAL, 4)),
        *(("list", ONE, POCKETBASE, 2), ("create", ONE, POCKETBASE, 1), ("list", EMBEDDED, POCKETBASE, 2)),
        ("create", EMBEDDED, BUN, 0.90),
    ]
    operations = [operation for name, operation in found if name == POCKETBASE]
    asked += [(operation, peer, POCKETBASE, 1) for peer in (TWO, EMBEDDED) for operation in operations]
    return [_ratio(found, *each) for each in asked]


def _ratio(found: Found, operation: str, peer: str, other: str, least: float) -> Target:
    words = f"{operation}: {peer} at least {least:g} x {other}"
    ours, theirs = found.get((peer, operation)), found.get((other, operation))
    if ours is None or theirs is None:
        return Target(words, "-", None)
    ratio = ours.rate / theirs.rate
    return Target(words, f"{ratio:.2f} x", ratio >= least)


def _tail(found: Found, operation: str) -> Target:
    words = f"{operation}: p99 of {ONE} at most {TAIL} x {FLOOR}"
    ours, floor = found.get((ONE, operation)), found.get((FLOOR, operation))
    if ours is None or floor is None:
        return Target(words, "-", None)
    ratio = ours.p99 / floor.p99
    return Target(words, f"{ratio:.2f} x", ratio <= TAIL)


def _costs(found: Found, ready: dict[str, float]) -> list[Target]:
    memory = {
        peer: max(m.memory for (name, _), m in found.items() if name == peer)
        for peer in (ONE, EMBEDDED)
        if peer in ready
    }
    return [
        *(Target(f"memory of {peer}, at most {MEBIBYTES_PER_WORKER} MiB", f"{each:.0f} MiB",
                 each <= MEBIBYTES_PER_WORKER) for peer, each in memory.items()),
        *(Target(f"{peer} is ready within {READY_SECONDS} s", f"{ready[peer]:.2f} s",
                 ready[peer] <= READY_SECONDS) for peer in memory),
    ]  # fmt: skip
