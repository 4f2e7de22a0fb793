"""The worker's daily duties; what it delivers is in tests/delivery."""

from datetime import timedelta

import pytest

from taskwell import tasks, worker
from taskwell.database import Database, Query, now
from taskwell.tasks import TaskDraft
from taskwell.tasks.tables import TaskRow
from taskwell.users import events, idempotency, revocation
from taskwell.users.events import SecurityEvent
from taskwell.users.idempotency import StoredAnswer
from tests.support.deliveries import alter
from tests.support.people import Person


async def test_the_worker_removes_what_has_had_its_time(database: Database, ada: Person):
    old, young, living = [
        await tasks.create(database, ada.principal, ada.space, TaskDraft(name)) for name in ("a", "b", "c")
    ]
    await tasks.delete(database, ada.principal, ada.space, old.id)
    await alter(database, TaskRow, deleted_at=now() - timedelta(days=30, seconds=1))
    await tasks.restore(database, ada.principal, ada.space, young.id)
    await tasks.restore(database, ada.principal, ada.space, living.id)
    await tasks.delete(database, ada.principal, ada.space, young.id)

    assert (await worker.purge(database))["tasks"] == 1

    trash = await tasks.page(database, ada.principal, ada.space, tasks.PageRequest(in_trash=True), tasks.AS_TASK)
    assert [each.id for each in trash.items] == [young.id]
    assert (await tasks.get(database, ada.principal, ada.space, living.id)).title == "c"


async def test_what_has_had_its_time_goes_a_little_at_a_time_and_in_nobodys_way(
    database: Database, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    """One statement for a million of them would outlast the worker's time limit, each day again."""
    await worker.purge(database)
    monkeypatch.setattr(idempotency, "KEPT_FOR", timedelta(seconds=-1))
    for number in range(5):
        name = str(number)
        await idempotency.keep(database, ada.principal, "/api/v1/tasks", name, StoredAnswer("", 201, "{}", b"", ()))
        await revocation._add(database, name, ada.id, now() - timedelta(hours=1))
    old = now() - events.KEPT_FOR - timedelta(days=1)
    await events.keep(database, [SecurityEvent("sign_in", ada.id, None, at=old) for _ in range(5)])
    await events.keep(database, [SecurityEvent("sign_in", ada.id, None) for _ in range(events.KEPT_OF_A_USER + 5)])
    monkeypatch.setattr(worker, "PURGE_BATCH", 2)
    ran: list[tuple[Query[object], int]] = []
    rows = database.rows

    async def watched(query: Query[object], /, **values: object) -> list[object]:
        found = await rows(query, **values)
        ran.append((query, len(found)))
        return found

    monkeypatch.setattr(database, "rows", watched)

    removed = await worker.purge(database)

    assert (removed["idempotency_keys"], removed["revoked_tokens"], removed["security_events"]) == (5, 5, 10)
    assert max(count for _, count in ran) == 2
    assert all(query.is_heavy for query, _ in ran)
