"""DATABASE_URL as people have it: copied from Neon, Heroku, RDS or a tutorial."""

import ssl
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import make_url

from taskwell import migrations
from taskwell.database.engine import postgres_arguments, sqlite_path
from taskwell.database_url import parsed
from taskwell.settings import InvalidSettings
from tests.conftest import new_postgres_database, settings_of

NEON = (
    "postgresql://ada:se%40cret@ep-x-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"
)


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_every_scheme_is_postgresql_through_asyncpg(scheme: str):
    url, arguments = postgres_arguments(make_url(f"{scheme}://ada:secret@localhost:5433/tasks"))

    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+asyncpg", "localhost", 5433, "tasks")
    assert arguments == {}


def test_neons_url_works_as_it_is_pasted():
    url, arguments = postgres_arguments(make_url(NEON))

    assert (url.password, dict(url.query)) == ("se@cret", {})
    assert arguments == {"ssl": "require"}


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_mode_without_a_check_is_asyncpgs_own(mode: str):
    assert postgres_arguments(make_url(f"postgresql://h/d?sslmode={mode}"))[1] == {"ssl": mode}


@pytest.mark.parametrize(("mode", "names_count"), [("verify-ca", False), ("verify-full", True)])
def test_a_mode_with_a_check_trusts_the_systems_roots(mode: str, names_count: bool):  # noqa: FBT001
    for suffix in ("", "&sslrootcert=system"):
        context = postgres_arguments(make_url(f"postgresql://h/d?sslmode={mode}{suffix}"))[1]["ssl"]
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, names_count)


def test_what_is_the_servers_reaches_the_server():
    url = make_url("postgresql://h/d?application_name=tasks&options=-c%20search_path%3Dx&connect_timeout=5")

    assert postgres_arguments(url)[1] == {
        "server_settings": {"application_name": "tasks", "options": "-c search_path=x"}
    }


@pytest.mark.parametrize("query", ["sslmode=perhaps", "sslmode=verify-ca&sslrootcert=/no/such/file"])
def test_what_cannot_be_done_is_told(query: str):
    with pytest.raises(InvalidSettings, match="DATABASE_URL"):
        postgres_arguments(make_url(f"postgresql://h/d?{query}"))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///tasks.db", "tasks.db"),
        ("sqlite:////tmp/tasks.db", "/tmp/tasks.db"),
        ("sqlite+aiosqlite:///tasks.db", "tasks.db"),
        ("sqlite+pysqlite:////tmp/tasks.db", "/tmp/tasks.db"),
    ],
)
def test_a_file_is_named_relative_or_absolute(url: str, path: str):
    assert sqlite_path(make_url(url)) == Path(path)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?cache=shared&uri=true"])
def test_a_database_in_memory_would_be_empty_on_every_connection(url: str):
    with pytest.raises(InvalidSettings, match="must name a file"):
        sqlite_path(make_url(url))


@pytest.mark.parametrize(
    "spelling",
    [
        "postgresql:///tasks?host=10.0.0.1&port=5433&user=ada&password=se%40cret",
        "postgresql://eve:x@nowhere:1/other?host=10.0.0.1&port=5433&user=ada&password=se%40cret&dbname=tasks",
        "PostgreSQL://ada:se%40cret@10.0.0.1:5433/tasks",
    ],
)
def test_a_part_may_stand_in_the_query_as_libpq_has_it(spelling: str):
    assert parsed(spelling) == make_url("postgresql://ada:se%40cret@10.0.0.1:5433/tasks")


def test_a_socket_is_a_host_and_what_is_the_servers_stays():
    url = parsed("postgresql:///tasks?host=/run/postgresql&application_name=mine")

    assert (url.host, dict(url.query)) == ("/run/postgresql", {"application_name": "mine"})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql:///tasks?port=many", "'many' is not a number from 1 to 65535"),
        ("mysql://localhost/tasks", "'mysql' is not supported"),
        ("tasks.db", "it is not a database URL such as"),
    ],
)
def test_what_is_no_url_of_ours_is_told(url: str, words: str):
    with pytest.raises(ValueError, match=words):
        parsed(url)


async def test_a_server_is_reached_by_parts_in_the_query(worker_id: str):
    async with new_postgres_database(f"taskwell_parts_{worker_id}") as url:
        there = make_url(url)
        parts = {"host": there.host, "port": there.port, "user": there.username, "password": there.password}
        query = urlencode({name: value for name, value in parts.items() if value is not None})

        assert await migrations.current(settings_of(f"POSTGRESQL:///{there.database}?{query}")) is None
