"""The table, the JSON file and the chart of a benchmark run."""

import json
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from benchmarks.load import Measured

COLORS = {"taskwell": "#1971c2", "floor": "#adb5bd", "usual": "#f08c00", "pocketbase": "#ae3ec9"}
ROW, LABEL, BAR = 20, 190, 420


@dataclass(frozen=True)
class Result:
    peer: str
    operation: str
    measured: Measured


def write(results: list[Result], machine: dict[str, str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "results": [asdict(result) for result in results]}
    (folder / "latest.json").write_text(json.dumps(content, indent=2) + "\n")
    (folder / "latest.md").write_text(table(results))
    (folder / "latest.svg").write_text(chart(results))
    print(f"\n{machine}\n\n{table(results)}")


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
