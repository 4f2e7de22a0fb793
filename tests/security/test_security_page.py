"""SECURITY.md says which test shows what; each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_threat_names_tests_that_there_are():
    page = (ROOT / "SECURITY.md").read_text()
    threats = [line for line in page.splitlines() if line.startswith("| ") and "tests/" in line]

    assert len(threats) > 25
    for path in set(re.findall(r"`(tests/[\w/]+\.py)`", page)):
        assert "def test_" in (ROOT / path).read_text(), path
