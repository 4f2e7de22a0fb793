"""The commands of the operator."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from uuid_utils import uuid7

from taskwell import __version__, migrations
from taskwell.settings import Settings
from tests.conftest import SECRET
from tests.support.command import taskwell
from tests.support.issuer import SHARED, shared_secret_token
from tests.support.people import Person


def test_without_a_command_it_says_what_there_is(tmp_path: Path):
    outcome = taskwell(tmp_path)

    assert all(command in outcome.output + outcome.complaint for command in ("serve", "migrate", "openapi", "token"))


def test_it_knows_its_version(tmp_path: Path):
    for words in (["version"], ["--version"], ["serve", "--version"], ["users", "list", "--version"]):
        assert taskwell(tmp_path, *words).output.strip() == __version__


@pytest.mark.parametrize("command", [[], ["serve"], ["worker"], ["users"], ["users", "list"], ["token"], ["backup"]])
def test_every_command_says_how_it_is_used(tmp_path: Path, command: list[str]):
    short, long = taskwell(tmp_path, *command, "-h"), taskwell(tmp_path, *command, "--help")

    assert (short.code, short.output) == (long.code, long.output)
    assert short.code == 0
    assert "Usage: taskwell" in short.output


def test_it_is_a_module_too(tmp_path: Path):
    command = [sys.executable, "-m", "taskwell", "--version"]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert outcome.stdout.strip() == __version__


def test_migrate_brings_the_schema_to_head_and_then_has_nothing_to_do(tmp_path: Path):
    assert taskwell(tmp_path, "migrate").output == f"The schema went from nothing to {migrations.head()}.\n"
    assert taskwell(tmp_path, "migrate").output == f"The schema is at {migrations.head()}.\n"


def test_a_revision_that_there_is_not_is_told(tmp_path: Path):
    outcome = taskwell(tmp_path, "migrate", "nonsense")

    assert (outcome.code, len(outcome.complaint.splitlines())) == (1, 1)
    assert "nonsense" in outcome.complaint


def test_a_backup_is_restored_into_an_empty_database(tmp_path: Path):
    taskwell(tmp_path, "seed", "--users", "1", "--tasks-per-user", "2")

    written = taskwell(tmp_path, "backup", "diary.backup")
    there = taskwell(tmp_path, "restore", "diary.backup")
    elsewhere = taskwell(tmp_path, "restore", "diary.backup", DATABASE_URL="sqlite:///other.db")

    rows, _, rest = written.output.partition(" ")
    assert (written.code, rest) == (0, "rows are in diary.backup.\n")
    assert (there.code, there.output) == (1, "")
    assert (elsewhere.code, elsewhere.output) == (0, f"{rows} rows were restored from diary.backup.\n")
    assert int(rows) > 3


def test_openapi_prints_a_contracts_document(tmp_path: Path):
    assert json.loads(taskwell(tmp_path, "openapi", "todos").output)["openapi"].startswith("3.")


def test_openapi_of_no_contract_is_told(tmp_path: Path):
    outcome = taskwell(tmp_path, "openapi", "nonsense")

    assert outcome.code == 2
    assert "user_tasks" in outcome.complaint
    assert "Traceback" not in outcome.complaint


async def test_a_token_is_issued_for_an_account_and_can_be_inspected(
    tmp_path: Path, settings: Settings, nobody, ada: Person
):
    where = {"DATABASE_URL": settings.database_url, "SECRET_KEY": SECRET}
    issued = taskwell(tmp_path, "token", "issue", "ADA@example.com", "--days", "1", **where)

    token = issued.output.strip()
    inspected = taskwell(tmp_path, "token", "inspect", "-", stdin=f"{token}\n", **where)

    assert (issued.code, inspected.code) == (0, 0)
    assert ada.id in inspected.output
    me = await nobody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["id"] == ada.id


def test_there_is_no_token_for_nobody(tmp_path: Path, settings: Settings, database):
    where = {"DATABASE_URL": settings.database_url, "SECRET_KEY": SECRET}

    outcome = taskwell(tmp_path, "token", "issue", "nobody@example.com", **where)

    assert (outcome.code, outcome.output) == (1, "")
    assert "nobody@example.com" in outcome.complaint


def test_a_token_that_is_not_ours_is_refused(tmp_path: Path):
    outcome = taskwell(tmp_path, "token", "inspect", "a.b.c", SECRET_KEY=SECRET)

    assert (outcome.code, outcome.output) == (1, "")
    assert "refused" in outcome.complaint


def test_migrate_never_goes_back(tmp_path: Path):
    taskwell(tmp_path, "migrate")

    back = taskwell(tmp_path, "migrate", "base")

    assert (back.code, back.output, len(back.complaint.splitlines())) == (1, "", 1)
    assert f"is at {migrations.head()}; 'taskwell migrate' never goes back to base" in back.complaint


async def test_a_disabled_account_gets_no_token(tmp_path: Path, settings: Settings, ada: Person):
    where = {"DATABASE_URL": settings.database_url, "SECRET_KEY": SECRET}
    taskwell(tmp_path, "users", "disable", ada.email, **where)

    outcome = taskwell(tmp_path, "token", "issue", ada.email, **where)

    assert (outcome.code, outcome.output) == (1, "")
    assert f"run 'taskwell users enable {ada.email}' first" in outcome.complaint


AUTH = {"BETTER_AUTH_SECRET": SHARED, "BETTER_AUTH_ISSUER": "https://a.example", "BETTER_AUTH_AUDIENCE": "tasks"}
GOOD = {"sub": "u1", "iss": "https://a.example", "aud": "tasks"}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"iss": "https://b.example"}, ["Invalid issuer", "iss 'https://b.example'"]),
        ({"aud": ["x"]}, ["Audience doesn't match", "aud ['x']"]),
        ({"exp": 1}, ["expired", "exp 1"]),
        ({"nbf": 4_000_000_000}, ["not yet valid (nbf)"]),
        ({"sub": None}, ["the user is missing"]),
    ],
)
def test_an_operator_is_told_why_a_token_is_refused_and_what_it_says(
    tmp_path: Path, claims: dict[str, Any], words: list[str]
):
    token = shared_secret_token(SHARED, **(GOOD | claims))

    outcome = taskwell(tmp_path, "token", "inspect", "-", stdin=token, SECRET_KEY=SECRET, **AUTH)

    assert (outcome.code, len(outcome.complaint.splitlines())) == (1, 1)
    assert all(word in outcome.complaint for word in words), outcome.complaint


@pytest.mark.parametrize(
    "token",
    [
        shared_secret_token("another-" + SHARED, **GOOD),
        shared_secret_token(SHARED, sub=str(uuid7()), iss="taskwell", aud="taskwell", jti="1", iat=1),
    ],
)
def test_an_operator_is_told_that_the_signature_is_wrong(tmp_path: Path, token: str):
    outcome = taskwell(tmp_path, "token", "inspect", token, SECRET_KEY=SECRET, **AUTH)

    assert "Signature verification failed" in outcome.complaint
