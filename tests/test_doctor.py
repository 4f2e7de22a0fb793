"""One line for each thing that Taskwell needs, and what to do where it is not well."""

import asyncio
import os
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskwell import doctor, migrations
from taskwell.database import now
from taskwell.doctor import Finding, examine
from taskwell.settings import Settings
from tests.conftest import SECRET, new_postgres_database
from tests.support.command import taskwell
from tests.support.issuer import KEYS, Issuer
from tests.support.openid import Peer
from tests.support.postgres import free_port
from tests.support.receiver import Receiver
from tests.support.redis import RedisServer
from tests.support.smtp import Mailbox


def settings(database_url: str, **changes: Any) -> Settings:
    values: dict[str, Any] = {"environment": "test", "secret_key": SECRET, "database_url": database_url}
    return Settings(_env_file=None, **values | changes)


async def findings(database_url: str, **changes: Any) -> dict[str, Finding]:
    return {each.part: each async for each in examine(settings(database_url, **changes))}


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/taskwell.db"


async def test_all_is_well(database_url: str, app):
    found = await findings(database_url)

    asked = ["redis", "smtp", "mail", "better auth", "providers"]
    assert list(found) == ["settings", "database", "schema", "clock", "disk", *asked]
    noted = {"settings"} | ({"database"} if "SQLite 3.51.3" in found["database"].sentence else set())
    assert {each.state for part, each in found.items() if part not in noted} == {"ok"}
    assert (found["settings"].state, "ENVIRONMENT=production" in found["settings"].sentence) == ("note", True)
    assert not any("\n" in each.sentence for each in found.values())


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
async def test_a_version_of_sqlite_that_may_lose_commits_is_named(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], *, is_affected: bool
):
    await migrations.upgrade(settings(sqlite_url))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)

    found = (await findings(sqlite_url))["database"]

    assert (found.state, "SQLite 3.51.3" in found.sentence) == (("note", True) if is_affected else ("ok", False))


async def test_a_database_that_is_not_made_yet_is_no_fault_and_is_not_made(sqlite_url: str, tmp_path: Path):
    found = await findings(sqlite_url)

    assert (found["database"].state, found["schema"].state) == ("note", "note")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_a_schema_that_is_missing_names_the_command(sqlite_url: str):
    await migrations.upgrade(settings(sqlite_url))
    await migrations.downgrade(settings(sqlite_url), "base")
    async with new_postgres_database("taskwell_doctor") as url:
        for each in (sqlite_url, url):
            here = (await findings(each))["schema"]
            there = (await findings(each, environment="production", mail_from="a@b.example"))["schema"]
            assert [here.state, there.state] == ["note", "bad"], "in development the next start makes it"
            assert all("'taskwell migrate'" in finding.sentence for finding in (here, there))


async def test_a_schema_of_a_later_version_is_noted(sqlite_url: str, tmp_path: Path):
    await migrations.upgrade(settings(sqlite_url))
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    found = (await findings(sqlite_url))["schema"]

    assert (found.state, "from a later version" in found.sentence) == ("note", True)


async def test_a_schema_from_before_the_first_release_is_bad(sqlite_url: str, tmp_path: Path):
    await migrations.upgrade(settings(sqlite_url))
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0012'")

    found = (await findings(sqlite_url))["schema"]

    assert (found.state, "from before the first release" in found.sentence) == ("bad", True)


async def test_a_damaged_database_is_told(sqlite_url: str, tmp_path: Path):
    await migrations.upgrade(settings(sqlite_url))
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database:
        ((page,),) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'").fetchall()
        ((size,),) = database.execute("PRAGMA page_size").fetchall()
        database.execute("PRAGMA journal_mode=DELETE")
    with (tmp_path / "taskwell.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    found = (await findings(sqlite_url))["database"]

    assert (found.state, "restore a backup with 'taskwell restore'" in found.sentence) == ("bad", True)


async def test_keys_of_better_auth_are_counted_and_there_may_be_none_yet(sqlite_url: str):
    async with Issuer() as issuer:
        some = (await findings(sqlite_url, better_auth_url=issuer.url))["better auth"]
        issuer.keys = []
        none = (await findings(sqlite_url, better_auth_url=issuer.url))["better auth"]

    assert (some.state, some.sentence.split(" at ")[0]) == ("ok", f"{len(KEYS)} key(s)")
    assert (none.state, "has no usable key" in none.sentence) == ("note", True)


async def test_providers_are_discovered_and_shown_where_they_send_people_back_to(sqlite_url: str):
    async with Peer() as peer:
        good = {"oidc_providers": peer.setting(), "github_client_id": "x", "github_client_secret": "y"}
        found = (await findings(sqlite_url, **good, public_url="https://tasks.example.com"))["providers"]
        wrong = (await findings(sqlite_url, oidc_providers=peer.setting(issuer=f"{peer.url}/")))["providers"]
    down = (await findings(sqlite_url, oidc_providers=peer.setting()))["providers"]

    assert found.state == "ok"
    assert "https://tasks.example.com/api/v1/auth/lab/callback" in found.sentence
    assert "https://tasks.example.com/api/v1/auth/github/callback" in found.sentence
    assert (wrong.state, "it calls itself" in wrong.sentence) == ("bad", True)
    assert (down.state, "check the issuer" in down.sentence) == ("bad", True)


async def test_what_answers_too_late_is_told(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.3)
    async with Issuer() as issuer:
        issuer.delay = 1
        found = (await findings(sqlite_url, better_auth_url=issuer.url))["better auth"]

    assert (found.state, "look at the network between" in found.sentence) == ("bad", True)


async def test_a_database_that_is_away_is_told_once(database_url: str):
    found = await findings(f"postgresql://nobody@127.0.0.1:{free_port()}/taskwell")

    assert found["database"].state == "bad"
    assert "start it, or correct DATABASE_URL" in found["database"].sentence
    assert {"schema", "clock"}.isdisjoint(found)


async def test_a_pool_that_is_larger_than_the_server_allows_is_told():
    found = await findings(os.environ["TEST_DATABASE_URL"], database_pool_size=900)

    assert found["database"].state == "bad"
    assert "lower DATABASE_POOL_SIZE" in found["database"].sentence


async def test_a_damaged_file_is_told(tmp_path: Path):
    (tmp_path / "taskwell.db").write_bytes(b"this is no database at all, and never was" * 100)

    found = await findings(f"sqlite:///{tmp_path}/taskwell.db")

    assert found["database"].state == "bad"


async def test_a_file_that_another_process_holds_is_told(sqlite_url: str, tmp_path: Path, monkeypatch):
    await migrations.upgrade(settings(sqlite_url))
    with sqlite3.connect(tmp_path / "taskwell.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        found = await findings(sqlite_url)
    other.close()

    assert (found["database"].state, found["database"].sentence) == ("bad", "database is locked")


async def test_a_clock_that_is_wrong_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "now", lambda: now() + timedelta(seconds=30))

    found = (await findings(os.environ["TEST_DATABASE_URL"]))["clock"]

    assert found.state == "bad"
    assert "30.0 s ahead of the database" in found.sentence


async def test_a_full_disk_is_told(sqlite_url: str, monkeypatch):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100 * doctor.MIB, 99 * doctor.MIB, doctor.MIB))

    found = (await findings(sqlite_url))["disk"]

    assert (found.state, "make room" in found.sentence) == ("bad", True)


async def test_redis_mail_and_better_auth_are_asked(sqlite_url: str):
    redis = RedisServer()
    await asyncio.to_thread(redis.start)
    try:
        async with Mailbox() as mailbox, Receiver(status="200 OK") as server:
            changes: dict[str, Any] = {
                "redis_url": redis.url,
                "smtp_host": "127.0.0.1",
                "smtp_port": mailbox.port,
                "better_auth_url": f"http://127.0.0.1:{server.port}",
            }
            found = await findings(sqlite_url, **changes)
    finally:
        await asyncio.to_thread(redis.remove)

    assert (found["redis"].state, found["smtp"].state) == ("ok", "ok")
    assert server.requests[0][0] == "GET /api/auth/jwks HTTP/1.1"
    assert found["better auth"].state == "bad", "this one has no keys"
    assert "check BETTER_AUTH_URL" in found["better auth"].sentence


async def test_what_does_not_answer_is_told(sqlite_url: str):
    port = free_port()
    found = await findings(
        sqlite_url,
        redis_url=f"redis://:hunter2@127.0.0.1:{port}/0",
        smtp_host="127.0.0.1",
        smtp_port=port,
        better_auth_url=f"http://127.0.0.1:{port}",
    )

    for part in ("redis", "smtp", "better auth"):
        assert found[part].state == "bad"
    assert "hunter2" not in str(found)


async def test_production_is_told_what_is_open(sqlite_url: str):
    production: dict[str, Any] = {"environment": "production", "allowed_origins": ("https://app.example.com",)}
    every: list[dict[str, Any]] = [
        {},
        {"allowed_hosts": ("api.example.com",)},
        {"allowed_hosts": ("api.example.com",), "metrics_token": "secret"},
    ]
    sentences = []
    for each in every:
        async for finding in examine(settings(sqlite_url).model_copy(update=production | each)):
            if finding.part == "settings":
                sentences.append((finding.state, finding.sentence.split("=")[0].split()[0]))

    assert sentences == [("note", "ALLOWED_HOSTS"), ("note", "METRICS_TOKEN"), ("ok", "ENVIRONMENT")]


def test_a_misspelt_setting_in_the_env_file_is_noted(tmp_path: Path):
    (tmp_path / ".env").write_text("RATE_LIMT_PER_MINUTE=3\nPORT=8000\nFOO=1\n")

    first = taskwell(tmp_path, "doctor").output.splitlines()[0]

    assert first.startswith("note  settings")
    assert first.endswith("is ignored: RATE_LIMT_PER_MINUTE (RATE_LIMIT_PER_MINUTE?), FOO")


def test_the_command_says_a_line_each_and_fails_where_something_is_bad(tmp_path: Path):
    well = taskwell(tmp_path, "doctor")
    ill = taskwell(tmp_path, "doctor", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    unset = taskwell(tmp_path, "doctor", ENVIRONMENT="production")

    assert (well.code, ill.code, unset.code) == (0, 1, 1)
    assert len(well.output.splitlines()) == len(ill.output.splitlines()) == 10
    assert unset.output.startswith("bad   settings     SECRET_KEY is missing")
    for done in (well, ill, unset):
        assert done.complaint == ""
        assert all(line.startswith(("ok  ", "note", "bad ")) for line in done.output.splitlines())
