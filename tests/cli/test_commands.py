"""The commands of the operator."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr
from uuid_utils import uuid7

from taskwell import __version__, migrations
from taskwell.cli.reasons import why_refused
from taskwell.settings import Settings
from tests.conftest import SECRET
from tests.support.command import taskwell
from tests.support.issuer import KEYS, SHARED, shared_secret_token
from tests.support.people import Person


def test_without_a_command_it_says_what_there_is(tmp_path: Path):
    outcome = taskwell(tmp_path)

    assert all(command in outcome.output + outcome.complaint for command in ("serve", "migrate", "openapi", "token"))


def test_it_knows_its_version(tmp_path: Path):
    assert taskwell(tmp_path, "version").output.strip() == __version__


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
        ({"iss": "https://b.example"}, ["iss is 'https://b.example', expected 'https://a.example'"]),
        ({"iss": None, "aud": ["x"]}, ["iss is missing, expected", "aud is ['x'], expected 'tasks'"]),
        ({"exp": 1}, ["exp is 1970-01-01T00:00:01+00:00", "it has expired"]),
        ({"exp": None}, ["exp is missing"]),
        ({"nbf": 4_000_000_000}, ["nbf is 2096-10-02", "one clock is wrong"]),
        ({"nbf": 1e300}, ["nbf is 1e+300"]),
        ({"sub": None}, ["sub is missing"]),
    ],
)
def test_an_operator_is_told_which_claim_keeps_a_token_out(tmp_path: Path, claims: dict[str, Any], words: list[str]):
    token = shared_secret_token(SHARED, **(GOOD | claims))

    outcome = taskwell(tmp_path, "token", "inspect", "-", stdin=token, SECRET_KEY=SECRET, **AUTH)

    assert (outcome.code, len(outcome.complaint.splitlines())) == (1, 1)
    assert all(word in outcome.complaint for word in words), outcome.complaint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "iss is 'https://a.example', expected 'taskwell'; aud is 'tasks', expected 'taskwell'"),
        ({"better_auth_url": "https://b.example:443/"}, "iss is 'https://a.example', expected 'https://b.example'"),
        ({"better_auth_url": "https://a.example"}, "aud is 'tasks', expected 'https://a.example'"),
        (
            {"better_auth_url": "https://a.example", "better_auth_audience": "tasks"},
            "its signature is not by a key at https://a.example, which are for EdDSA",
        ),
    ],
)
def test_what_is_expected_of_a_token_is_what_the_settings_say(settings: dict[str, Any], words: str):
    token = jwt.encode(GOOD | {"exp": 4_000_000_000}, KEYS["EdDSA"], algorithm="EdDSA", headers={"kid": "1"})

    assert words in why_refused(token, Settings(_env_file=None, secret_key=SecretStr(SECRET), **settings))


@pytest.mark.parametrize(
    ("token", "key"),
    [
        (shared_secret_token("another-" + SHARED, **GOOD), "BETTER_AUTH_SECRET"),
        (shared_secret_token(SHARED, sub=str(uuid7()), iss="taskwell", aud="taskwell", jti="1", iat=1), "SECRET_KEY"),
    ],
)
def test_an_operator_is_told_whose_signature_is_missing(tmp_path: Path, token: str, key: str):
    outcome = taskwell(tmp_path, "token", "inspect", token, SECRET_KEY=SECRET, **AUTH)

    assert outcome.complaint.endswith(f"its signature is not by {key}\n")
