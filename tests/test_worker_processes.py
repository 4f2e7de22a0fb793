"""``taskwell worker`` and ``taskwell serve`` as processes of their own, which can be killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import orjson
import pytest
from sqlalchemy import bindparam, update

from taskwell import migrations, tasks, users, worker
from taskwell.database import Database, Query, UtcInstant, now, open_database
from taskwell.delivery import log, webhooks
from taskwell.settings import Settings
from taskwell.spaces import SpaceAccess
from taskwell.tasks import TaskDraft, reminders
from taskwell.tasks import reminder_queue as queue
from taskwell.tasks.tables import ReminderRow
from taskwell.users.principal import Principal
from tests.support.command import KNOWN, Forked, measured
from tests.support.deliveries import until
from tests.support.letters import follow, token_of
from tests.support.people import PASSWORD, Person
from tests.support.postgres import PostgresServer
from tests.support.receiver import Receiver
from tests.support.server import serving
from tests.support.smtp import Mailbox


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@contextmanager
def working(folder: Path, settings: Settings, **given: str) -> Iterator[Forked]:
    """A worker's process, ended if the test has not done it."""
    assert settings.secret_key is not None
    environment = {name: value for name, value in os.environ.items() if name in KNOWN} | given
    environment |= {
        "ENVIRONMENT": "test",
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "WEBHOOK_ALLOW_PRIVATE": "true",
        "WORKER_POLL_SECONDS": "0.2",
    }
    log = str(folder / "worker.log")
    process = Forked(folder, ("worker",), environment, (os.devnull, log, log))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def set_two_hundred(database: Database, ada: Person, receiver: Receiver) -> None:
    await webhooks.put(database, ada.principal, receiver.url, allow_private=True)
    for number in range(10):
        task = await tasks.create(database, ada.principal, ada.space, TaskDraft(f"Task {number}"))
        for _ in range(20):
            await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")


async def end_leases_of_the_dead(database: Database, killed_at: datetime) -> None:
    """As if the lease's time had passed for what is held since before the killing."""
    at = bindparam("at", type_=UtcInstant)
    stale = (
        update(ReminderRow).where(ReminderRow.claimed_at < bindparam("before", type_=UtcInstant)).values(fire_at=at)
    )
    await database.rows(Query(stale, lambda *_: None), at=now(), before=killed_at)


def delivered(receiver: Receiver) -> set[str]:
    return {headers["webhook-id"] for _, headers, _ in receiver.requests}


async def assert_all_arrived(database: Database, ada: Person, receiver: Receiver) -> None:
    assert len({orjson.loads(body)["data"]["reminder_id"] for *_, body in receiver.requests}) == 200
    assert len(delivered(receiver)) == 200
    assert len(receiver.requests) - 200 <= worker.SLOTS, "only what the dead one had sent and not marked comes twice"
    async with asyncio.timeout(20):
        while await queue.next_look(database) is not None:  # noqa: ASYNC110  # what has arrived is still to be marked
            await asyncio.sleep(0.05)
    assert {each.status for each in await log.latest(database, ada.principal)} == {"sent"}


async def test_of_two_workers_one_is_killed_and_nothing_is_lost(
    database: Database, settings: Settings, ada: Person, receiver: Receiver, tmp_path: Path
):
    """On SQLite there is one worker, and it is started again."""
    receiver.pause = 0.15
    with working(tmp_path, settings) as doomed, working(tmp_path, settings) as second:
        if settings.is_sqlite:
            second.kill()
        await asyncio.sleep(2)
        await set_two_hundred(database, ada, receiver)
        await until(lambda: len(receiver.requests) >= 60, 60)
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
        killed_at = now()
        await asyncio.sleep(4)  # by then a living worker has marked what it held at that time
        with working(tmp_path, settings) if settings.is_sqlite else nullcontext():
            await end_leases_of_the_dead(database, killed_at)
            await until(lambda: len(delivered(receiver)) >= 200, 90)
            await assert_all_arrived(database, ada, receiver)


async def test_a_worker_that_is_asked_to_stop_finishes_what_it_does(
    database: Database, settings: Settings, ada: Person, receiver: Receiver, tmp_path: Path
):
    receiver.pause = 1
    await webhooks.put(database, ada.principal, receiver.url, allow_private=True)
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Call"))
    await reminders.add(database, ada.principal, ada.space, task.id, remind_at=now(), channel="webhook")
    with working(tmp_path, settings, **measured()) as process:
        await until(lambda: receiver.requests, 20)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 10) == 0

    (delivery,) = await log.latest(database, ada.principal)
    assert delivery.status == "sent"


async def test_a_worker_outlives_its_database(tmp_path: Path, receiver: Receiver):
    server = await asyncio.to_thread(PostgresServer)
    try:
        await asyncio.to_thread(server.start)
        settings = Settings(
            _env_file=None,
            environment="test",
            database_url=server.url("postgres"),
            secret_key="tests-only-0123456789-abcdefghijklmnopqrstuvwxyz",
            webhook_allow_private=True,
            worker_poll_seconds=0.2,
        )
        await migrations.upgrade(settings)
        database = await open_database(settings)
        async with worker.running(database, settings):
            user = await users.sign_up(database, email="ada@example.com", password=PASSWORD, name="Ada")
            await users.confirm(database, user.id)
            ada = Principal(user.id, user.id, "", now())
            space = SpaceAccess.personal(user.id)
            await webhooks.put(database, ada, receiver.url, allow_private=True)
            task = await tasks.create(database, ada, space, TaskDraft("Call"))
            await reminders.add(
                database, ada, space, task.id, remind_at=now() + timedelta(seconds=2), channel="webhook"
            )
            await asyncio.to_thread(server.stop, "fast")
            await asyncio.sleep(2.5)
            assert receiver.requests == []
            await asyncio.to_thread(server.start)
            await until(lambda: receiver.requests, 30)
        await database.close()
    finally:
        await asyncio.to_thread(server.remove)


async def test_serve_on_sqlite_delivers_by_itself(tmp_path: Path):
    async with Mailbox() as mailbox:
        environment = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mailbox.port)}
        server = serving(tmp_path, f"sqlite:///{tmp_path}/taskwell.db", **environment)
        address = await asyncio.to_thread(server.__enter__)
        try:
            async with httpx2.AsyncClient(base_url=address, trust_env=False) as http:
                account = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
                signed_up = (await http.post("/api/v1/auth/signup", json=account)).json()
                http.headers["Authorization"] = f"Bearer {signed_up['access_token']}"
                await until(mailbox.links, 6)
                assert (await follow(http, token_of(mailbox))).status_code == 204
                task = (await http.post("/api/v1/tasks", json={"title": "Call"})).json()
                at = (now() + timedelta(seconds=2)).isoformat()
                made = await http.post(f"/api/v1/tasks/{task['id']}/reminders", json={"remind_at": at})
                assert made.status_code == 201
                await until(lambda: mailbox.of("Call"), 6)
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
