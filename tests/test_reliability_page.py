"""The page of what was tried says what the runs found, and names tests that there are."""

import re
from pathlib import Path

from scripts import reliability

ROOT = Path(__file__).parents[1]


def test_the_page_is_as_the_runs_left_it():
    assert reliability.PAGE.read_text() == reliability.page(), "run 'python -m scripts.reliability' and commit it"


def test_every_promise_names_tests_that_there_are():
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", reliability.PAGE.read_text())

    assert len(named) > 10
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(), name


def test_every_run_of_the_page_is_a_target():
    targets = set(re.findall(r"RELIABILITY_RESULTS=docs/reliability/(\w+)\.json", (ROOT / "Makefile").read_text()))

    assert targets == reliability.runs() == {"chaos", "faults", "races", "soak"}
