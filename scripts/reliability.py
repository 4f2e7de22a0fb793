"""Writes the figures of docs/reliability.md from what ``make chaos``, ``faults``, ``races`` and ``soak`` found.

Each of them leaves one file in ``docs/reliability`` and runs this; ``tests/test_reliability_page.py`` fails while the
page differs.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
RUN = re.compile(r"<!-- make (?P<name>\w+) -->\n.*?<!-- end of make (?P=name) -->", re.DOTALL)


def runs() -> set[str]:
    """The commands whose figures the page has."""
    return {match["name"] for match in RUN.finditer(PAGE.read_text(encoding="utf-8"))}


def page() -> str:
    """The page, with the figures as the runs left them."""
    return RUN.sub(lambda match: _figures(match["name"]), PAGE.read_text(encoding="utf-8"))


def _figures(name: str) -> str:
    path = ROOT / "docs" / "reliability" / f"{name}.json"
    shown = _table(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else "It has not been run yet."
    return f"<!-- make {name} -->\n{shown}\n<!-- end of make {name} -->"


def _table(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{each} {version}" for each, version in results["versions"].items())
    when = f"Last run at {results['at']}, for {results['seconds']} seconds, with {versions}."
    rows = "\n".join(_row(test) for test in results["tests"])
    return f"{textwrap.fill(when, 118)}\n\n| Tried | Outcome | Figures |\n|---|---|---|\n{rows}"


def _row(test: dict[str, Any]) -> str:
    figures = "; ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in test["figures"].items())
    return f"| {test['tried']} | {test['outcome']} | {figures} |"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
