"""DATABASE_URL as people have it: copied from Neon, Heroku, RDS or a tutorial."""

import ssl
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import make_url

from taskwell import migrations
from taskwell.database.engine import sqlite_path, tls_context
from taskwell.database_url import plain, without_passwords
from taskwell.settings import InvalidSettings
from tests.conftest import new_postgres_database, settings_of
from tests.support.postgres import free_port


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "PostgreSQL", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"],
)
def test_every_scheme_is_postgresql_through_asyncpg(scheme: str):
    assert plain(f"{scheme}://ada:secret@localhost:5433/tasks") == "postgresql://ada:secret@localhost:5433/tasks"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?sslmode=require&channel_binding=require", "?sslmode=require"),
        ("?channel_binding=require", ""),
        ("?connect_timeout=5&application_name=tasks&gssencmode=disable", "?application_name=tasks"),
        ("?options=-c%20search_path%3Dx", "?options=-c%20search_path%3Dx"),
        ("", ""),
    ],
)
def test_what_is_the_clients_does_not_reach_the_server(query: str, kept: str):
    assert plain(f"postgresql://ada:se%40cret@ep-x-pooler.example/neondb{query}").partition("/neondb")[2] == kept


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_mode_without_a_check_is_asyncpgs_own(mode: str):
    assert tls_context(f"postgresql://h/d?sslmode={mode}") is None


@pytest.mark.parametrize(("mode", "names_count"), [("verify-ca", False), ("verify-full", True)])
def test_a_mode_with_a_check_trusts_the_systems_roots(mode: str, names_count: bool):  # noqa: FBT001
    for suffix in ("", "&sslrootcert=system"):
        context = tls_context(f"postgresql://h/d?sslmode={mode}{suffix}")
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, names_count)


def test_roots_that_cannot_be_read_are_told():
    with pytest.raises(InvalidSettings, match="DATABASE_URL names an sslrootcert"):
        tls_context("postgresql://h/d?sslmode=verify-ca&sslrootcert=/no/such/file")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///tasks.db", "tasks.db"),
        ("sqlite:////tmp/tasks.db", "/tmp/tasks.db"),
        ("sqlite+aiosqlite:///tasks.db", "tasks.db"),
        ("SQLite+pysqlite:////tmp/tasks.db?timeout=5", "/tmp/tasks.db"),
    ],
)
def test_a_file_is_named_relative_or_absolute(url: str, path: str):
    assert sqlite_path(plain(url)) == Path(path)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?cache=shared&uri=true"]
)
def test_a_database_in_memory_would_be_empty_on_every_connection(url: str):
    with pytest.raises(InvalidSettings, match="must name a file"):
        sqlite_path(plain(url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/tasks", "'mysql' is not supported"),
        ("tasks.db", "it is not a database URL"),
        ("postgresql://ada:hun/ter2@db/x", "its host or port cannot be read"),
        ("postgresql://ada:hun@ter2@db/x", "its host or port cannot be read"),
        ("postgresql://ada:x@a:1,db:hunter2/x", "its host or port cannot be read"),
    ],
)
def test_what_is_no_url_of_ours_is_told_without_its_password(url: str, words: str):
    with pytest.raises(ValueError, match=words) as told:
        plain(url)

    assert "ter2" not in str(told.value)


@pytest.mark.parametrize("place", ["db", "db:5433", "a,b:2", "[::1]:5432", "ada@[::1]", "ada:s%40t@db", "", "ada@"])
def test_hosts_may_be_several_and_have_ports(place: str):
    assert plain(f"postgres://{place}/x") == f"postgresql://{place}/x"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:hunter2@db:5432/tasks", "postgresql://ada:***@db:5432/tasks"),
        ("postgresql://ada:hun@ter/2@db/tasks?a=b", "postgresql://ada:***@db/tasks?a=b"),
        ("postgresql://ada@db:5432/tasks", "postgresql://ada@db:5432/tasks"),
        ("postgresql:///t?user=ada&password=hunter2&host=db", "postgresql:///t?user=ada&password=***&host=db"),
        ("postgresql://:hunter2@a:1,b:2/t?sslpassword=hunter2", "postgresql://:***@a:1,b:2/t?sslpassword=***"),
        ("sqlite:////tmp/tasks.db", "sqlite:////tmp/tasks.db"),
    ],
)
def test_a_url_is_shown_without_its_passwords(url: str, shown: str):
    assert without_passwords(url) == shown


@pytest.mark.parametrize("query", ["sslmode=perhaps", "port=many", "host=a,b,c&port=1,2", "nonsense"])
async def test_parameters_that_cannot_be_read_are_told(query: str):
    with pytest.raises(InvalidSettings, match="DATABASE_URL cannot be used"):
        await migrations.current(settings_of(f"postgresql:///x?{query}"))


async def test_a_server_is_reached_in_each_of_libpqs_ways(worker_id: str, tmp_path: Path, monkeypatch):
    async with new_postgres_database(f"taskwell_parts_{worker_id}") as url:
        there = make_url(url)
        parts = {"host": there.host, "port": there.port, "user": there.username, "password": there.password}
        given = {name: str(value) for name, value in parts.items() if value is not None}
        service = "\n".join(f"{name}={value}" for name, value in (given | {"dbname": there.database}).items())
        (tmp_path / "pg_service.conf").write_text(f"[tasks]\n{service}\n")
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "pg_service.conf"))
        port = there.port or 5432

        for spelling in (
            f"POSTGRESQL:///{there.database}?{urlencode(given)}",
            "postgresql:///?service=tasks",
            url.replace(f"{there.host}:{port}", f"127.0.0.1:{free_port()},{there.host}:{port}"),
        ):
            assert await migrations.current(settings_of(spelling)) is None, without_passwords(spelling)
