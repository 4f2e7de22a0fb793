"""Sample data, as ``taskwell seed`` adds it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from taskwell.security.passwords import is_password
from tests.conftest import SECRET
from tests.support.command import taskwell


async def test_sample_people_have_tasks_and_are_printed_with_what_they_sign_in_with(tmp_path: Path):
    outcome = taskwell(tmp_path, "seed", "--users", "2", "--tasks-per-user", "3")

    printed = [line.split(" ", 1) for line in outcome.output.splitlines()]
    assert (outcome.code, outcome.complaint, len(printed)) == (0, "", 2)
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database:
        counted = "SELECT password_hash, count(*) FROM users JOIN tasks ON user_id = users.id WHERE email = ?"
        for email, password in printed:
            password_hash, tasks = database.execute(counted, [email]).fetchone()
            assert await is_password(password, password_hash)
            assert tasks == 3


def test_there_are_no_sample_people_in_production_and_none_twice(tmp_path: Path):
    production = taskwell(
        tmp_path, "seed", ENVIRONMENT="production", SECRET_KEY=SECRET, ALLOWED_ORIGINS="https://x.example"
    )
    first, second = (taskwell(tmp_path, "seed", "--users", "1", "--tasks-per-user", "0") for _ in range(2))

    assert (production.code, first.code, second.code) == (2, 0, 2)
    assert "ENVIRONMENT" in production.complaint
    assert "has the sample users already" in second.complaint
