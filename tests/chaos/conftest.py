"""What the chaos tests have tried, for docs/reliability.md."""

import json
import os
from pathlib import Path

import pytest


@pytest.fixture
def report_chaos():
    """Adds a line of figures to the file that CHAOS_REPORT names; does nothing without it."""

    def report(what: str, **figures: object) -> None:
        if path := os.environ.get("CHAOS_REPORT"):
            with Path(path).open("a") as file:
                file.write(json.dumps({"what": what, **figures}) + "\n")

    return report
