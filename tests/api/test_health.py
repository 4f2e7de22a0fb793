"""Whether the service lives, is ready, and reaches its database."""

import pytest
from sqlalchemy import Text, bindparam, column, select, table, update

from taskwell import __version__
from taskwell.api.gateway import Gateway
from taskwell.database import Database, Query
from taskwell.errors import Unavailable


async def test_it_answers_without_touching_the_database(app: Gateway, nobody, database: Database, monkeypatch):
    monkeypatch.setattr(type(database), "rows", None)

    response = await nobody.get("/health")

    assert response.status_code == 200
    health = response.json()
    assert (set(health), health["version"]) == ({"status", "version", "timestamp"}, __version__)
    assert health["timestamp"].endswith("Z")
    assert response.headers["cache-control"] == "no-store"
    assert (await nobody.get("/health/live")).status_code == 200


@pytest.mark.parametrize("path", ["/health/database", "/health/db"])
async def test_the_database_answers(nobody, database: Database, path: str):
    response = await nobody.get(path)

    assert response.status_code == 200
    health = response.json()
    assert set(health) == {"status", "database", "dialect", "latency_ms"}
    assert (health["database"], health["dialect"]) == ("connected", database.name)
    assert 0 < health["latency_ms"] < 5000


async def test_it_is_ready_once_it_has_started(nobody):
    assert (await nobody.get("/health/ready")).status_code == 200


async def test_it_is_not_ready_while_it_drains(app: Gateway, nobody):
    assert app.services is not None
    app.services.is_ready = False
    try:
        response = await nobody.get("/health/ready")
    finally:
        app.services.is_ready = True

    assert (response.status_code, response.headers["retry-after"]) == (503, "2")


@pytest.fixture
def lost_database(database: Database, monkeypatch):
    async def lost(*_, **__):
        raise Unavailable("The database cannot be reached.")

    monkeypatch.setattr(type(database), "rows", lost)


@pytest.mark.parametrize("path", ["/health/ready", "/health/database", "/health/db"])
async def test_without_its_database_it_is_not_ready(nobody, lost_database: None, path: str):
    response = await nobody.get(path)

    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert (await nobody.get("/health")).status_code == 200
    assert (await nobody.get("/health/live")).status_code == 200


@pytest.mark.parametrize("found", ["0000", "nonsense"])
async def test_on_an_old_schema_it_is_not_ready(nobody, database: Database, found: str):
    before = await _set_revision(database, found)
    try:
        response = await nobody.get("/health/ready")
    finally:
        await _set_revision(database, before)

    assert response.status_code == 503
    assert (await nobody.get("/health/ready")).status_code == 200


async def test_on_the_schema_of_the_next_version_it_stays_ready(nobody, database: Database):
    """A rolling upgrade migrates first; the old processes serve until they are replaced."""
    before = await _set_revision(database, "9999")
    try:
        response = await nobody.get("/health/ready")
    finally:
        await _set_revision(database, before)

    assert response.status_code == 200


VERSION = table("alembic_version", column("version_num", Text))
READ = Query(select(VERSION.c.version_num), str)
WRITE = Query(update(VERSION).values(version_num=bindparam("revision")).returning(VERSION.c.version_num), str)


async def _set_revision(database: Database, revision: str) -> str:
    """Writes another revision, and gives the one before."""
    (before,) = await database.rows(READ)
    await database.rows(WRITE, revision=revision)
    return before


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/health/db", "/health/database"])
async def test_probes_may_ask_with_anything(nobody, path: str):
    for suffix in ("/", "?probe=1&x=%FF"):
        assert (await nobody.get(path + suffix)).status_code == 200
    assert (await nobody.get(path, headers={"Authorization": "Bearer nonsense"})).status_code == 200
