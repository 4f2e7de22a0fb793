"""Sample data, as ``taskwell seed`` adds it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from taskwell.security.passwords import is_password
from tests.conftest import SECRET
from tests.support.command import taskwell


async def test_sample_people_have_tasks_and_are_printed_with_what_they_sign_in_with(tmp_path: Path):
    outcome = taskwell(tmp_path, "seed", "--users", "2", "--tasks-per-user", "3")

    (email, password), (other, _) = (line.split("\t") for line in outcome.output.splitlines())
    assert (outcome.code, outcome.complaint) == (0, "")
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database:
        counted = "SELECT email, count(*), password_hash FROM users JOIN tasks ON space_id = users.id GROUP BY email"
        found = {who: (tasks, password_hash) for who, tasks, password_hash in database.execute(counted)}
    assert {who: tasks for who, (tasks, _) in found.items()} == {email: 3, other: 3}
    assert await is_password(password, found[email][1])

    again = taskwell(tmp_path, "seed", "--users", "2", "--tasks-per-user", "3")
    assert (again.code, again.complaint.count("has the sample users already")) == (2, 1)


def test_there_are_no_sample_people_in_production(tmp_path: Path):
    safe = {"ENVIRONMENT": "production", "SECRET_KEY": SECRET, "ALLOWED_ORIGINS": "https://app.example.com"}

    outcome = taskwell(tmp_path, "seed", **safe)

    assert (outcome.code, outcome.complaint) == (
        2,
        "taskwell: ENVIRONMENT is production; sample data has no place there\n",
    )
