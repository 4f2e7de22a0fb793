"""The tables, the JSON file and the chart of a benchmark run, and what the guides show of it."""

import json
import subprocess
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from benchmarks.load import Measured
from benchmarks.targets import targets
from taskwell.database import now

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README, GUIDE = ROOT / "README.md", ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"

SHOWN = {
    "taskwell postgresql": "Taskwell, PostgreSQL, 1 worker",
    "taskwell postgresql, 2 workers": "2 workers",
    "taskwell sqlite": "Taskwell, SQLite",
    "pocketbase": "PocketBase",
    "bun": "Bun",
    "elysia": "Bun, Elysia",
    "usual postgresql": "usual build",
    "floor postgresql": "floor",
}
COLORS = {
    "taskwell": "#1971c2", "floor": "#adb5bd", "usual": "#f08c00", "pocketbase": "#ae3ec9", "bun": "#e03131",
    "elysia": "#e03131",
}  # fmt: skip
ROW, LABEL, BAR = 20, 190, 420

PEERS = (
    "The usual build and the floor run on PostgreSQL. The floor is a bare ASGI function that sends the same SQL to "
    "asyncpg, and promises nothing. PocketBase and Bun run on SQLite."
)


@dataclass(frozen=True)
class Result:
    peer: str
    operation: str
    measured: Measured


def write(results: list[Result], ready: dict[str, float], machine: dict[str, str], folder: Path) -> None:
    """Writes the run; one into the usual folder is shown in the guides as well."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "ready": ready, "results": [asdict(result) for result in results]}
    (folder / "latest.json").write_text(json.dumps(content, indent=2) + "\n")
    text = f"{in_words(machine)}\n\n{table(results)}\n{targets_table(results, ready)}"
    (folder / "latest.md").write_text(f"# The latest run of `make bench`\n\n{text}")
    (folder / "latest.svg").write_text(chart(results))
    if folder == RESULTS:
        _show(README, sentence(results))
        _show(GUIDE, summary(results, machine))
    print(f"\n{text}")


def _show(page: Path, figures: str) -> None:
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{figures}{END}{rest.partition(END)[2]}")


def commit() -> str:
    """The commit that a run measures; ``-dirty`` after it where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write_table(name: str, words: str, lines: list[str]) -> None:
    """Writes and prints the table of ``make growth`` or ``make crowd``, by the target's name."""
    when = f"{now().date()} at commit {commit()}"
    text = f"# The latest run of `make {name}`\n\n{when}: {words}\n\n" + "\n".join(lines) + "\n"
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text)
    print(text)


def in_words(machine: dict[str, str]) -> str:
    m = machine
    return (
        f"Measured on {m['date']} at commit {m['commit']}: Taskwell {m['taskwell']}, Python {m['python']}, "
        f"PostgreSQL {m['postgresql']}, SQLite {m['sqlite']}, PocketBase {m['pocketbase']}, Bun {m['bun']}, "
        f"Elysia {m['elysia']}, FastAPI {m['fastapi']}, SQLAlchemy {m['sqlalchemy']}, asyncpg {m['asyncpg']}; "
        f"{m['cores']} cores of {m['processor']}, which the client and the database share. "
        f"{m['users']} users with {m['tasks_per_user']} tasks each, {m['connections']} connections, medians of "
        f"{m['rounds']} interleaved rounds of {m['seconds']} seconds."
    )


def sentence(results: list[Result]) -> str:
    rates = {each.operation: f"{each.measured.rate:,.0f}" for each in results if each.peer == "taskwell postgresql"}
    return (
        f"One worker on PostgreSQL answers {rates['list']} lists, {rates['get']} reads of one task or "
        f"{rates['create']} creates a second on two shared cores.\n"
    )


def summary(results: list[Result], machine: dict[str, str]) -> str:
    """Requests per second: a row for each operation, a column for each peer."""
    found = {(each.peer, each.operation): each.measured for each in results}
    peers = [peer for peer in SHOWN if any(peer == each.peer for each in results)]
    lines = [f"| requests/s | {' | '.join(SHOWN[each] for each in peers)} |", f"| --- |{' ---: |' * len(peers)}"]
    for operation in dict.fromkeys(each.operation for each in results):
        rates = [found.get((peer, operation)) for peer in peers]
        lines.append(f"| {operation} | {' | '.join(f'{each.rate:,.0f}' if each else '-' for each in rates)} |")
    return f"{in_words(machine)}\n\n{PEERS}\n\n" + "\n".join(lines) + "\n"


def table(results: list[Result]) -> str:
    """One row for each operation and peer; the ratio is to Taskwell on PostgreSQL with one worker."""
    reference = {each.operation: each.measured.rate for each in results if each.peer == "taskwell postgresql"}
    lines = [
        "| operation | peer | requests/s | ratio | p50 ms | p99 ms | CPU µs/request | MiB | failed |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in results:
        m = each.measured
        ratio = f"{m.rate / reference[each.operation]:.2f}" if each.operation in reference else "-"
        lines.append(
            f"| {each.operation} | {each.peer} | {m.rate:,.0f} | {ratio} | {m.p50:.1f} | {m.p99:.1f} "
            f"| {m.cpu:,.0f} | {m.memory:.0f} | {m.failed:.0f} |"
        )
    return "\n".join(lines) + "\n"


def targets_table(results: list[Result], ready: dict[str, float]) -> str:
    found = {(each.peer, each.operation): each.measured for each in results}
    lines = ["| target | measured | reached |", "| --- | ---: | --- |"]
    lines += [f"| {t.words} | {t.measured} | {'yes' if t.holds else 'no'} |" for t in targets(found, ready)]
    return "\n".join(lines) + "\n"


def chart(results: list[Result]) -> str:
    """Bars of requests per second, to a scale of their own for each operation."""
    parts, y = [], 10
    for operation in dict.fromkeys(each.operation for each in results):
        group = [each for each in results if each.operation == operation]
        fastest = max(each.measured.rate for each in group)
        parts.append(f'<text x="10" y="{y + 14}" font-weight="bold">{escape(operation)}</text>')
        y += ROW
        for each in group:
            width = max(1, each.measured.rate / fastest * BAR)
            color = COLORS[each.peer.split()[0]]
            parts.append(f'<text x="10" y="{y + 13}">{escape(each.peer)}</text>')
            parts.append(f'<rect x="{LABEL}" y="{y + 2}" width="{width:.0f}" height="14" fill="{color}"/>')
            parts.append(f'<text x="{LABEL + width + 6:.0f}" y="{y + 13}">{each.measured.rate:,.0f}/s</text>')
            y += ROW
        y += 8
    size = f'width="{LABEL + BAR + 90}" height="{y}"'
    style = 'font-family="sans-serif" font-size="12" fill="#343a40"'
    background = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{background}{"".join(parts)}</svg>\n'
