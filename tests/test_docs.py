"""The guides are true: what they name exists, what exists is named, and the tour works as it is printed."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from scripts import reference, site
from taskwell.api.failures import FAILURES
from taskwell.errors import AppError
from taskwell.settings import Settings
from tests.conftest import new_postgres_database
from tests.support.server import serving

ROOT = Path(__file__).parents[1]
UNREAD = {".venv", "node_modules", ".git", ".pytest_cache", "site"}
GUIDES = sorted(path for path in ROOT.rglob("*.md") if not UNREAD & set(path.relative_to(ROOT).parts))


def kinds_of(error: type[AppError]) -> set[type[AppError]]:
    return {error}.union(*(kinds_of(kind) for kind in error.__subclasses__()))


def anchors(guide: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of headings, and those that it sets itself."""
    text = guide.read_text()
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles} | set(
        re.findall(r"id='([^']+)'", text)
    )


@pytest.mark.parametrize("path", reference.PAGES)
def test_a_page_that_the_code_knows_best_is_as_the_code_says(path: str):
    assert (ROOT / path).read_text() == reference.PAGES[path](), "run 'make reference' and commit it"


def test_every_setting_is_in_the_example_file():
    assert reference.documented_settings() == reference.known_settings()


def test_the_example_file_shows_the_defaults():
    shown = {name.lower(): value for name, value in dotenv_values(ROOT / ".env.example").items()}

    assert Settings(_env_file=None, **shown) == Settings(_env_file=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_the_example_file_as_taskwell_does(shell: str, tmp_path: Path):
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    script = "set -eua; . ./.env; env -0"

    read = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path, env={})

    seen = dict(line.split("=", 1) for line in read.stdout.split("\0") if line)
    assert dotenv_values(tmp_path / ".env").items() <= seen.items()


def test_no_example_has_a_comment_behind_a_value():
    """A shell and systemd would take it for a part of the value, or for a command."""
    examples = [ROOT / ".env.example", *(ROOT / "deploy").rglob("*.env.example"), *GUIDES]

    behind = {
        path.name: re.findall(r"^[A-Z][A-Z0-9_]*=\S+ +# .*$", path.read_text(), re.MULTILINE) for path in examples
    }

    assert {name: lines for name, lines in behind.items() if lines} == {}


def test_every_error_has_its_code_explained():
    assert {kind.code for kind in kinds_of(AppError)} == set(FAILURES)


def test_every_command_says_what_it_does_and_shows_an_example():
    sections = reference.commands().split("\n## ")[1:]

    assert sections
    for section in sections:
        assert "```sh\n" in section, section.partition("\n")[0]
        assert "|  |\n" not in section, f"an option without help: {section}"


@pytest.mark.parametrize("guide", GUIDES, ids=[str(guide.relative_to(ROOT)) for guide in GUIDES])
def test_every_link_of_a_guide_leads_somewhere(guide: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", guide.read_text()):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = guide if not path else guide.parent / path
        assert found.exists(), target
        assert not anchor or found.suffix != ".md" or anchor in anchors(found), target


@pytest.mark.parametrize("guide", GUIDES, ids=[str(guide.relative_to(ROOT)) for guide in GUIDES])
def test_every_table_of_a_guide_is_whole(guide: Path):
    assert site.broken_tables(guide.read_text()) == []


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("| a | b |\n|---|---:|\n| 1 | 2 |\n", []),
        ("| a \\| b | c |\n| :-- | - |\n| 1 | 2 |", []),
        ("| a | b |\n|---|---|\n\n| 1 | 2 |\n", ["| 1 | 2 |"]),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n", ["| a | b |"]),
        ("| a | b |\n| 1 | 2 |\n", ["| a | b |"]),
        ("```sh\n| sort\n```\n", []),
    ],
)
def test_a_row_that_a_reader_would_not_see_in_a_table_is_found(text: str, broken: list[str]):
    assert site.broken_tables(text) == broken


def tour() -> str:
    """The commands of the README's five calls."""
    section = (ROOT / "README.md").read_text().partition("## Five calls")[2]
    return section.partition("```sh\n")[2].partition("```")[0]


def take(address: str) -> list[str]:
    """What the commands print; none may complain."""
    commands = tour().replace("http://127.0.0.1:8000", address)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def works_again_and_again(address: str) -> bool:
    return all(is_the_tour(*take(address)) for _ in range(3))


def is_the_tour(listed: str, completed: str, status: str) -> bool:
    (task,) = json.loads(listed)["items"]
    return task["title"] == "Buy milk" and json.loads(completed)["completed"] and status == "204"


def test_the_tour_works_again_and_again_as_printed_on_sqlite(tmp_path: Path):
    with serving(tmp_path, f"sqlite:///{tmp_path}/taskwell.db") as address:
        assert works_again_and_again(address)


async def test_the_tour_works_again_and_again_as_printed_on_postgresql(tmp_path: Path, worker_id: str):
    async with new_postgres_database(f"tour_{worker_id}") as url:
        with serving(tmp_path, url) as address:
            assert works_again_and_again(address)
