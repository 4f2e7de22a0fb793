"""The guides' examples, run as they are printed: a server answers what the guides say it does."""

from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from pathlib import Path

from scripts import examples
from tests.conftest import new_postgres_database
from tests.support.server import serving


def differences(address: str) -> list[str]:
    """What the guides say and this server does not, or the other way round; runs every example."""
    found: list[str] = []
    with ThreadPoolExecutor() as readers:  # each page has an account of its own
        answers = readers.map(lambda page: (page, examples.answered(page, address)), examples.pages())
    for page, given in answers:
        written = page.read_text()
        if examples.steady(written) != examples.steady(given):
            found += unified_diff(written.splitlines(), given.splitlines(), page.name, "as answered", lineterm="")
    return found


def test_the_examples_are_answered_as_printed_on_sqlite(tmp_path: Path):
    with serving(tmp_path, f"sqlite:///{tmp_path}/taskwell.db", RATE_LIMIT_PER_MINUTE="0") as address:
        assert differences(address) == [], "look at each; if the guide is wrong, run 'make examples'"


async def test_the_examples_are_answered_as_printed_on_postgresql(tmp_path: Path, worker_id: str):
    async with new_postgres_database(f"examples_{worker_id}") as url:
        with serving(tmp_path, url, RATE_LIMIT_PER_MINUTE="0") as address:
            assert differences(address) == [], "look at each; if the guide is wrong, run 'make examples'"


def test_there_are_examples_of_every_contract():
    pages = {page.name for page in examples.pages()}

    assert {"v1.md", "v1-many-tasks.md", "import-export.md", "v1-by-user.md", "todos.md", "user-tasks.md"} <= pages
