"""The house keeps its shape: who may import whom, how long things get, and what never gets into the tree."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import order

ROOT = Path(__file__).parent.parent
PYTHON = sorted(path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 300, 50
FOREIGN = re.compile(
    r"https?://[\w.-]*(?:pypi|pythonhosted|artifactory|jfrog|nexus|devpi|verdaccio|npmmirror|tuna\.tsinghua)[\w.-]*"
    r"|--(?:extra-)?index-url|registry\.npmjs\.org|(?:^|[\s'\"=(])/(?:work|home/\w+|root|Users/\w+)/",
    re.MULTILINE,
)
"""Addresses of package indexes, which differ from place to place, and paths of one machine."""


def test_imports_run_down_only():
    lint_imports = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_page_of_the_house_shows_its_layers_and_names_what_is_there():
    page = (ROOT / "docs" / "architecture.md").read_text()
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [set(re.findall(r"taskwell\.(\w+)", layer)) for layer in rules[0]["layers"]]
    picture = page.split("## Layers")[1].split("```")[1]
    shown = [set(re.split(r"  +", line)[0].split(" | ")) for line in picture.strip().splitlines()]

    assert shown == [layer - {"worker_metrics"} for layer in layers if layer != {"__main__"}]
    for name in re.findall(r"`([\w/]+(?:\.py|/))`", page):
        assert any((ROOT / "src" / "taskwell").rglob(name.rstrip("/"))), name


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path):
    source = path.read_text()
    if path.parent.name == "versions":
        return  # a revision reads from top to bottom, and is never changed again
    assert len(source.splitlines()) <= MAX_FILE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name


def test_the_tests_that_come_first_are_there():
    there = {path.relative_to(order.TESTS).as_posix() for path in order.TESTS.rglob("test_*.py")}

    assert [name for name in order.SECONDS if not any(path.startswith(name) for path in there)] == []
    assert there >= order.ON_SQLITE_ALONE


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_nothing_names_a_package_index_or_a_machine():
    found = []
    for path in tracked():
        if not path.is_file() or path == Path(__file__):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group().strip()}" for match in FOREIGN.finditer(text)]

    assert found == []


def test_every_package_says_what_it_is():
    for path in (ROOT / "src").rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path
