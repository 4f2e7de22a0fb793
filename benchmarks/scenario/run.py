"""``make load``: a minute of realistic users, on a server that it starts or one at LOAD_URL; p50, p95 and p99.

Fails where an answer was not the expected one, or the p95 of a GET is over half a second.
"""

import argparse
import asyncio
import csv
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.scenario import ACCOUNTS
from benchmarks.servers import postgres, seeded, serve, started
from taskwell.seed import PASSWORD, sample_email

MOST_MILLISECONDS = 500
PERCENTILES = ("50%", "95%", "99%")


def main() -> int:
    asked = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="taskwell-load-")))
        environment = dict(os.environ)
        url = os.environ.get("LOAD_URL")
        if url is None:
            database = postgres(stack) if asked.database == "postgresql" else f"sqlite:///{folder}/taskwell.db"
            accounts = asyncio.run(seeded(database, asked.users, asked.tasks_per_user))
            url = started(stack, f"taskwell {asked.database}", serve(), database, accounts).url
            lines = [f"{sample_email(number)}\t{PASSWORD}" for number in range(asked.users)]
            (folder / "accounts").write_text("\n".join(lines))
            environment[ACCOUNTS] = str(folder / "accounts")
        code = _locust(url, folder, environment, asked)
        failures = _rows(folder / "load_failures.csv")
        rows = _rows(folder / "load_stats.csv")
    for failure in failures:
        print(f"{failure['Occurrences']} times {failure['Method']} {failure['Name']}: {failure['Error']}")
    return max(_report(rows), code)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--tasks-per-user", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--arriving", type=float, default=2, help="Users that sign in, each second.")
    return parser.parse_args()


def _locust(url: str, folder: Path, environment: dict[str, str], asked: argparse.Namespace) -> int:
    """Locust's exit code: 1 if a request failed."""
    people = Path(__file__).with_name("people.py")
    command = [
        str(Path(sys.executable).parent / "locust"), "--locustfile", str(people), "--headless", "--host", url,
        "--users", str(asked.users), "--spawn-rate", str(asked.arriving), "--run-time", f"{asked.seconds}s",
        "--stop-timeout", "5", "--csv", str(folder / "load"), "--only-summary", "--loglevel", "WARNING",
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return done.returncode


def _report(rows: list[dict[str, str]]) -> int:
    """Prints what was measured; 1 if it is not good enough."""
    print(f"{'':8}{'endpoint':36}{'requests':>9}{'failed':>8}{'p50':>7}{'p95':>7}{'p99':>7}  ms")
    for row in sorted(rows, key=lambda row: (not row["Type"], row["Name"], row["Type"])):
        figures = "".join(f"{float(row[name]):7.0f}" for name in PERCENTILES)
        counts = f"{row['Request Count']:>9}{row['Failure Count']:>8}"
        print(f"{row['Type']:8}{row['Name']:36}{counts}{figures}")
    slow = [row["Name"] for row in rows if row["Type"] == "GET" and float(row["95%"]) > MOST_MILLISECONDS]
    if slow:
        print(f"The p95 is over {MOST_MILLISECONDS} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
