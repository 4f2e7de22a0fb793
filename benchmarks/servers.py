"""The servers under test, each over the same rows."""

import argparse
import asyncio
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import bindparam, select

from benchmarks.load import wait_for
from benchmarks.operations import Account, Dialect, PocketBaseDialect, Taskwell
from benchmarks.peers.bun.rows import copy_rows
from benchmarks.peers.pocketbase import PocketBase
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
UNASKED: dict[str, set[str]] = {
    "taskwell": set(), "floor": {"bulk"}, "usual": {"bulk"}, "bun": {"stats"}, "elysia": {"stats"},
    "pocketbase": {"stats"},
}  # fmt: skip
"""What a peer has nothing for; of the floor, what would be Taskwell's own code and nothing else."""

BUN = {"bun": "bare", "elysia": "elysia"}
"""The peers that run in Bun, and the file of each."""

PER_ACCOUNT = 50
"""Tasks of each account that requests name."""

_USERS: Query[str] = Query(select(UserRow.id).order_by(UserRow.email), str)
_TASKS: Query[str] = Query(
    select(TaskRow.id).where(TaskRow.space_id == bindparam("user_id")).order_by(TaskRow.id).limit(PER_ACCOUNT), str
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
    ready: float


def peers(stack: ExitStack, folder: Path, asked: argparse.Namespace) -> Iterator[Peer]:
    """Starts every peer that was asked for; the stack ends them."""

    def is_chosen(name: str) -> bool:
        return not asked.peers or name.startswith(tuple(asked.peers))

    for kind in ("postgresql", "sqlite"):
        commands = {name: command for name, command in _commands(kind).items() if is_chosen(name)}
        if commands:
            url = postgres(stack) if kind == "postgresql" else f"sqlite:///{folder}/taskwell.db"
            accounts = asyncio.run(seeded(url, asked.users, asked.tasks_per_user))
            for name, command in commands.items():
                yield started(stack, name, command, _own(name, url), accounts)
    if is_chosen("pocketbase"):
        yield _pocketbase(stack, folder / "pocketbase", asked)


def _commands(kind: str) -> dict[str, list[str]]:
    taskwell, floor = {f"taskwell {kind}": serve()}, {f"floor {kind}": _uvicorn("benchmarks.peers.floor:app")}
    if kind == "sqlite":  # one process serves SQLite, and the usual build is an asynchronous one on PostgreSQL
        bun = {name: [_command("bun"), f"benchmarks/peers/bun/{file}.ts"] for name, file in BUN.items()}
        return taskwell | floor | bun
    several = {f"taskwell {kind}, 2 workers": serve("--workers", "2")}
    return taskwell | several | floor | {f"usual {kind}": _uvicorn("benchmarks.peers.usual:app")}


def _own(name: str, url: str) -> str:
    """Each peer's own file on SQLite: nobody reads through another's log, or indexes the words of another."""
    scheme, kind = "sqlite:///", name.split(maxsplit=1)[0]
    if not url.startswith(scheme) or kind == "taskwell":
        return url
    source = Path(url.removeprefix(scheme))
    target = source.with_name(f"{kind}.db")
    if kind in BUN:
        copy_rows(source, target)
    else:
        with closing(sqlite3.connect(source)) as rows, closing(sqlite3.connect(target)) as copy:
            rows.backup(copy)
    return f"{scheme}{target}"


def postgres(stack: ExitStack) -> str:
    """A server as durable as it comes, with memory for these rows."""
    server = PostgresServer("-c shared_buffers=512MB -c max_wal_size=4GB -c fsync=on -c synchronous_commit=on")
    server.start()
    stack.callback(server.remove)
    return server.url("postgres")


def serve(*options: str) -> list[str]:
    return [_command("taskwell"), "serve", *options, "--port"]


def _command(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _uvicorn(app: str) -> list[str]:
    return [_command("uvicorn"), app, "--no-access-log", "--log-level", "warning", "--port"]


def started(stack: ExitStack, name: str, command: list[str], url: str, accounts: list[Account]) -> Peer:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "DATABASE_URL": url, "SECRET_KEY": SECRET, "ENVIRONMENT": "production", "RATE_LIMIT_PER_MINUTE": "0",
        "LOG_LEVEL": "INFO", "PYTHONPATH": "src:.",
    }  # fmt: skip
    process = subprocess.Popen([*command, str(port)], env=environment, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    server = f"http://127.0.0.1:{port}"
    ready = wait_for(server)
    print(f"{name}: ready after {ready:.2f} s", flush=True)
    unasked = UNASKED[name.split(maxsplit=1)[0]]
    return Peer(name, server, process, Taskwell(), accounts, tuple(n for n in OPERATIONS if n not in unasked), ready)


async def seeded(url: str, users: int, tasks_per_user: int) -> list[Account]:
    """The same users and tasks in an empty database, and a token for each user."""
    settings = Settings(_env_file=None, database_url=url, secret_key=SECRET, slow_query_milliseconds=0)
    await migrations.upgrade(settings)
    database = await open_database(settings)
    try:
        await seed(database, users=users, tasks_per_user=tasks_per_user, on_progress=lambda _: None)
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
    ready = wait_for(peer.url)
    print(f"pocketbase: ready after {ready:.2f} s", flush=True)
    accounts = [
        Account(user["id"], user["token"], [str(row["id"]) for row in tasks[:PER_ACCOUNT]])
        for user, tasks in zip(users, rows, strict=True)
    ]
    operations = tuple(each for each in OPERATIONS if each not in UNASKED["pocketbase"])
    return Peer("pocketbase", peer.url, process, PocketBaseDialect(), accounts, operations, ready)


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
        sys.exit(f"make bench needs {program}; in Debian: apt-get install {program}")
    return found
