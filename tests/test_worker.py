"""The worker's daily duties; what it delivers is in tests/delivery."""

from datetime import timedelta

from taskwell import tasks, worker
from taskwell.database import Database, now
from taskwell.tasks import TaskDraft
from taskwell.tasks.tables import TaskRow
from tests.support.deliveries import alter
from tests.support.people import Person


async def test_the_worker_removes_what_has_had_its_time(database: Database, ada: Person):
    old, young, living = [await tasks.create(database, ada.principal, TaskDraft(name)) for name in ("a", "b", "c")]
    await tasks.delete(database, ada.principal, old.id)
    await alter(database, TaskRow, deleted_at=now() - timedelta(days=30, seconds=1))
    await tasks.restore(database, ada.principal, young.id)
    await tasks.restore(database, ada.principal, living.id)
    await tasks.delete(database, ada.principal, young.id)

    assert (await worker.purge(database))["tasks"] == 1

    trash = await tasks.page(database, ada.principal, tasks.PageRequest(in_trash=True), tasks.AS_TASK)
    assert [each.id for each in trash.items] == [young.id]
    assert (await tasks.get(database, ada.principal, living.id)).title == "c"
