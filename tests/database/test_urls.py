"""DATABASE_URL as people have it: copied from Neon, Heroku, RDS or a tutorial."""

import ssl
from pathlib import Path

import pytest
from sqlalchemy import make_url

from taskwell.database.engine import postgres_arguments, sqlite_path
from taskwell.settings import InvalidSettings

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
