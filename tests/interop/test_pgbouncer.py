"""Behind PgBouncer in transaction mode, without prepared statements (1.18, as Debian 12 has it): everything works."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from taskwell import migrations
from taskwell.api.gateway import Gateway
from taskwell.app import create_app
from taskwell.database.engine import _is_pooled
from taskwell.errors import Unavailable
from taskwell.settings import InvalidSettings, Settings
from tests.conftest import SECRET, SERVER_URL, new_postgres_database, running
from tests.support.people import Person, arrive
from tests.support.pgbouncer import PASSWORD, PgBouncer, require_pgbouncer

NUMBERS = count()


@pytest.fixture(scope="module")
def bouncer() -> Iterator[PgBouncer]:
    require_pgbouncer()
    bouncer = PgBouncer(os.environ[SERVER_URL])
    bouncer.start()
    yield bouncer
    bouncer.remove()


@pytest.fixture
async def direct_url(worker_id: str) -> AsyncIterator[str]:
    """Another name each time: the pooler refuses one for a while that it has just seen vanish."""
    async with new_postgres_database(f"taskwell_bounced_{worker_id}_{next(NUMBERS)}") as url:
        yield url


def settings_of(url: str) -> Settings:
    return Settings(_env_file=None, environment="test", secret_key=SECRET, database_url=url, database_wait_seconds=0)


@pytest.fixture
async def service(bouncer: PgBouncer, direct_url: str) -> AsyncIterator[Gateway]:
    """Migrated through the pooler too."""
    async with running(create_app(settings_of(bouncer.url(direct_url.rsplit("/", 1)[1])))) as app:
        yield app


@pytest.fixture
async def ada(service: Gateway) -> Person:
    return await arrive(service, "ada")


async def test_a_pooler_is_noticed(bouncer: PgBouncer, direct_url: str):
    assert not await _is_pooled(settings_of(direct_url))
    assert await _is_pooled(settings_of(bouncer.url(direct_url.rsplit("/", 1)[1])))


async def test_the_schema_is_migrated_through_it(service: Gateway, direct_url: str):
    assert await migrations.current(settings_of(direct_url)) == migrations.head()


async def test_a_day_of_tasks_goes_through_it(ada: Person):
    http = ada.http
    task = (await http.post("/api/v1/tasks", json={"title": "Buy milk", "tags": ["home"]})).json()
    path = f"/api/v1/tasks/{task['id']}"

    assert (await http.get(path)).json() == task
    assert (await http.patch(path, json={"priority": "high"})).status_code == 200
    assert (await http.patch(f"{path}/complete")).json()["completed"] is True
    assert (await http.get("/api/v1/tasks?status=completed&include_total=true&tag=home")).json()["total"] == 1
    assert (await http.put(path, json={"title": "Buy bread"}, headers={"If-Match": '"1"'})).status_code == 412
    assert (await http.delete(path)).status_code == 204
    assert (await http.post(f"{path}/restore")).status_code == 200
    assert (await http.get("/health/database")).status_code == 200
    assert (await http.post("/api/v1/auth/logout")).status_code == 200
    assert (await http.get(path)).status_code == 401


async def test_forty_clients_at_once_never_see_each_others_statements(service: Gateway):
    people = [await arrive(service, f"user{n}") for n in range(8)]

    async def work(person: Person, turn: int) -> None:
        title = f"{person.email} {turn}"
        created = await person.http.post("/api/v1/tasks", json={"title": title, "tags": [str(turn)]})
        assert (created.status_code, created.json()["title"]) == (201, title)
        read = await person.http.get(created.headers["location"])
        assert read.json() == created.json()
        found = await person.http.get(f"/api/v1/tasks?tag={turn}&sort=title&priority=medium")
        assert title in [task["title"] for task in found.json()["items"]]
        assert all(task["user_id"] == person.id for task in found.json()["items"])

    at_once = asyncio.Semaphore(40)

    async def in_turn(person: Person, turn: int) -> None:
        async with at_once:
            await work(person, turn)

    await asyncio.gather(*(in_turn(person, turn) for turn in range(20) for person in people))

    for person in people:
        assert (await person.http.get("/api/v1/tasks?include_total=true&limit=1")).json()["total"] == 20


async def test_an_idempotent_request_is_done_once_through_it(ada: Person):
    answers = await asyncio.gather(
        *(
            ada.http.post("/api/v1/tasks", json={"title": "Buy milk"}, headers={"Idempotency-Key": "k"})
            for _ in range(20)
        )
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert (await ada.http.get("/api/v1/tasks?include_total=true")).json()["total"] == 1


async def test_of_twenty_writers_with_one_etag_one_wins_through_it(ada: Person):
    created = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})
    path, headers = created.headers["location"], {"If-Match": created.headers["etag"]}

    writes = [ada.http.patch(path, json={"title": f"By {n}"}, headers=headers) for n in range(20)]

    assert sorted(answer.status_code for answer in await asyncio.gather(*writes)) == [200] + [412] * 19


async def test_a_bulk_is_all_or_nothing_through_it(ada: Person):
    operations = [{"op": "create", "data": {"title": str(n)}} for n in range(100)]
    assert (await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations})).status_code == 200

    broken = [*operations, {"op": "delete", "id": "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"}]
    assert (await ada.http.post("/api/v1/tasks/bulk", json={"operations": broken})).status_code == 404
    assert (await ada.http.get("/api/v1/tasks?include_total=true&limit=1")).json()["total"] == 100


@pytest.fixture(scope="module")
def neon() -> Iterator[PgBouncer]:
    """A pooler that asks for TLS and a password, like Neon's."""
    require_pgbouncer()
    neon = PgBouncer(os.environ[SERVER_URL], is_guarded=True)
    neon.start()
    yield neon
    neon.remove()


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=require&channel_binding=require",
        "sslmode=require",
        "sslmode=prefer",
        "",
        "sslmode=verify-full&sslrootcert={root}",
        "sslmode=verify-ca&sslrootcert={root}",
    ],
)
async def test_a_url_as_neon_shows_it_works(neon: PgBouncer, direct_url: str, query: str):
    url = neon.guarded_url(direct_url.rsplit("/", 1)[1]) + "?" + query.format(root=neon.root_certificate)

    async with running(create_app(settings_of(url))) as app:
        ada = await arrive(app, "ada")
        assert (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).status_code == 201


@pytest.mark.parametrize(
    ("query", "password", "refusal"),
    [
        ("sslmode=require", "wrong", InvalidSettings),
        ("sslmode=disable", PASSWORD, InvalidSettings),
        ("sslmode=verify-full", PASSWORD, Unavailable),
        ("sslmode=verify-full&sslrootcert=system", PASSWORD, Unavailable),
    ],
)
async def test_what_it_refuses_is_told(neon: PgBouncer, direct_url: str, query: str, password: str, refusal):
    url = neon.guarded_url(direct_url.rsplit("/", 1)[1], password) + "?" + query

    with pytest.raises(refusal, match="DATABASE_URL") as told:
        await migrations.prepare(settings_of(url))

    assert password not in str(told.value)
