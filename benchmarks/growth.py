"""``make growth``: what a request costs at 10,000 and at 1,000,000 tasks, and the hundredth page beside the first."""

import argparse
import asyncio
import json
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import Request, measure
from benchmarks.operations import Account, requests_for
from benchmarks.report import write_table
from benchmarks.servers import Peer, postgres, seeded, serve, started

OPERATIONS = ("list", "get", "create", "search")
LAST_PAGE = 100
PAGE = 10
"""Short enough that everybody's tasks fill a hundred of them."""


def main() -> None:
    asked = _arguments()
    lines = ["| database | what | few, p50 ms | many, p50 ms | ratio |", "| --- | --- | ---: | ---: | ---: |"]
    for kind in asked.databases:
        few, many = (_measured(kind, users, asked) for users in (asked.few, asked.many))
        for what in few:
            ratio = many[what] / few[what]
            lines.append(f"| {kind} | {what} | {few[what]:.2f} | {many[what]:.2f} | {ratio:.2f} |")
    per_user = asked.tasks_per_user
    words = f"{asked.few * per_user:,} and {asked.many * per_user:,} tasks, {per_user:,} of each user."
    write_table("growth", words, lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", nargs="+", default=["postgresql", "sqlite"])
    parser.add_argument("--few", type=int, default=10, help="Users.")
    parser.add_argument("--many", type=int, default=1000, help="Users.")
    parser.add_argument("--tasks-per-user", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def _measured(kind: str, users: int, asked: argparse.Namespace) -> dict[str, float]:
    """The best median of several rounds, in milliseconds: what a shared machine adds is not the database's."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taskwell-growth-")))
        url = postgres(stack) if kind == "postgresql" else f"sqlite:///{folder}/taskwell.db"
        accounts = asyncio.run(seeded(url, users, asked.tasks_per_user))
        peer = started(stack, f"taskwell {kind}", serve(), url, accounts)
        plays = {each: requests_for(each, peer.dialect, peer.accounts) for each in OPERATIONS}
        plays["first page"] = [_page(account, "") for account in accounts[:10]]
        last = min(LAST_PAGE, asked.tasks_per_user // PAGE)
        plays[f"page {last}"] = [_page(account, _cursor(peer, account, last)) for account in accounts[:10]]
        rounds = [_round(peer, plays) for _ in range(asked.rounds)]
    return {what: min(each[what] for each in rounds) for what in plays}


def _round(peer: Peer, plays: dict[str, list[Request]]) -> dict[str, float]:
    """One connection, so that nobody queues."""
    return {
        what: measure(peer.url, requests, peer.process.pid, seconds=1, connections=1).p50
        for what, requests in plays.items()
    }


def _page(account: Account, cursor: str) -> Request:
    return Request("GET", f"/api/v1/tasks?limit={PAGE}&cursor={cursor}", f"Bearer {account.token}")


def _cursor(peer: Peer, account: Account, page: int) -> str:
    """Where the page before that page ends."""
    cursor = ""
    for _ in range(page - 1):
        request = urllib.request.Request(peer.url + _page(account, cursor).path)
        request.add_header("Authorization", f"Bearer {account.token}")
        with urllib.request.urlopen(request) as answer:
            cursor = json.load(answer)["next_cursor"]
    return cursor


if __name__ == "__main__":
    main()
