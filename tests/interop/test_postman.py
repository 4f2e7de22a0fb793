"""The Postman collection, run by newman against a live server with the limits that everybody has."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import new_postgres_database
from tests.support import npm
from tests.support.server import serving
from tests.test_postman import FILE

NEWMAN = Path(__file__).parent / "newman"
DATABASES = ["sqlite", "postgresql"] if os.environ.get("REQUIRE_INTEROP") == "1" else ["postgresql"]
"""newman alone takes five seconds and more; what every request does is tested on both in ``tests/api``."""


def requests_in(folder: dict[str, Any]) -> list[str]:
    return [name for each in folder["item"] for name in (requests_in(each) if "item" in each else [each["name"]])]


@pytest.mark.parametrize("kind", DATABASES)
async def test_every_request_of_the_collection_is_answered_as_it_says(tmp_path: Path, kind: str):
    npm.install(NEWMAN)
    if kind == "sqlite":
        ran = run(tmp_path, f"sqlite:///{tmp_path}/taskwell.db")
    else:
        async with new_postgres_database(f"taskwell_newman_{tmp_path.name}") as url:
            ran = run(tmp_path, url)

    failures = [f"{each['source'].get('name')}: {each['error']['message']}" for each in ran["failures"]]
    assert failures == []
    assert [each["item"]["name"] for each in ran["executions"]] == requests_in(json.loads(FILE.read_text()))


def run(folder: Path, database_url: str) -> dict[str, Any]:
    """What newman says of a run."""
    report = folder / "report.json"
    with serving(folder, database_url, WORKER_IN_SERVE="false") as address:
        options = ["--env-var", f"base_url={address}", "--reporters", "json", "--reporter-json-export", str(report)]
        command = ["node", "node_modules/newman/bin/newman.js", "run", str(FILE), *options]
        done = subprocess.run(command, cwd=NEWMAN, capture_output=True, text=True, check=False, timeout=120)
    assert report.is_file(), done.stdout + done.stderr
    return json.loads(report.read_text())["run"]
