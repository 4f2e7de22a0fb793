"""``make crowd``: what 32 connections do at once, while others sign in without a pause; p95 of every GET."""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from benchmarks.operations import Account, Taskwell
from benchmarks.report import write_table
from benchmarks.servers import postgres, seeded, serve, started
from taskwell.seed import PASSWORD, sample_email
from tests.support.load import Connection

MIX = ("list",) * 6 + ("get",) * 4 + ("search", "stats", "create", "update", "complete")

Seconds = dict[str, list[float]]


def main() -> None:
    asked = _arguments()
    lines = ["| database | what | requests | p50 ms | p95 ms |", "| --- | --- | ---: | ---: | ---: |"]
    for kind in asked.databases:
        for what, seconds in sorted(_measured(kind, asked).items()):
            p50, p95 = statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=20)[-1] * 1000
            lines.append(f"| {kind} | {what} | {len(seconds)} | {p50:.1f} | {p95:.1f} |")
    words = (
        f"{asked.connections} connections without a pause for {asked.seconds} seconds, beside "
        f"{asked.sign_ins} that sign in; {asked.users} users with {asked.tasks_per_user} tasks each, one worker."
    )
    write_table("crowd", words, lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", nargs="+", default=["postgresql", "sqlite"])
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--tasks-per-user", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--sign-ins", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=15)
    return parser.parse_args()


def _measured(kind: str, asked: argparse.Namespace) -> Seconds:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taskwell-crowd-")))
        url = postgres(stack) if kind == "postgresql" else f"sqlite:///{folder}/taskwell.db"
        accounts = asyncio.run(seeded(url, asked.users, asked.tasks_per_user))
        peer = started(stack, f"taskwell {kind}", serve(), url, accounts)
        return asyncio.run(_crowd(int(peer.url.rpartition(":")[2]), accounts, asked))


async def _crowd(port: int, accounts: list[Account], asked: argparse.Namespace) -> Seconds:
    seconds: Seconds = defaultdict(list)
    end = time.monotonic() + asked.seconds
    async with asyncio.TaskGroup() as group:
        for number in range(asked.connections):
            group.create_task(_work(port, accounts, random.Random(number), end, seconds))
        for number in range(asked.sign_ins):
            group.create_task(_sign_in(port, number, end, seconds))
    return seconds


async def _work(port: int, accounts: list[Account], dice: random.Random, end: float, seconds: Seconds) -> None:
    connection = await Connection.open(port)
    while time.monotonic() < end:
        what = dice.choice(MIX)
        request = Taskwell().request(what, dice.choice(accounts), dice)
        token = request.token.removeprefix("Bearer ")
        answer = await connection.ask(request.method, request.path, token, json.loads(request.body or "null"))
        assert answer.status < 500, answer
        seconds[f"{request.method} {what}"].append(answer.seconds)
    connection.writer.close()


async def _sign_in(port: int, number: int, end: float, seconds: Seconds) -> None:
    connection = await Connection.open(port)
    body = {"email": sample_email(number), "password": PASSWORD}
    while time.monotonic() < end:
        answer = await connection.ask("POST", "/api/v1/auth/login", body=body)
        assert answer.status == 200, answer
        seconds["POST login"].append(answer.seconds)
    connection.writer.close()


if __name__ == "__main__":
    main()
