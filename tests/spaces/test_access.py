"""Who acts and whose things they are: a write under a role that may have changed stores nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from taskwell import tasks, users
from taskwell.database import Database, Query
from taskwell.spaces.revision import REVISION, AccessChanged
from taskwell.spaces.tables import MembershipRow, SpaceRow
from taskwell.tasks import TaskDraft, bulk, lists, tags
from taskwell.tasks.bulk import Create, Rewrite
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import Task
from tests.support.people import Person

WHO: Query[tuple[str, str | None]] = Query(select(TaskRow.created_by, TaskRow.completed_by), lambda *row: row)
MILK = TaskDraft("Buy milk", tags=("home",))


async def test_everybody_has_a_space_of_their_own_from_the_start(database: Database, ada: Person):
    columns = (SpaceRow.id, SpaceRow.kind, SpaceRow.name, SpaceRow.created_by, MembershipRow.user_id)
    query: Query[tuple[str, ...]] = Query(
        select(*columns, MembershipRow.role)
        .join(MembershipRow, MembershipRow.space_id == SpaceRow.id)
        .where(MembershipRow.user_id == ada.id),
        lambda *row: row,
    )

    assert await database.rows(query) == [(ada.id, "personal", "Personal", ada.id, ada.id, "owner")]

    await users.delete(database, ada.id)
    assert await database.rows(query) == []


async def test_who_made_and_who_completed_a_task_is_known(database: Database, ada: Person, eve: Person):
    """As if eve were a member of ada's space."""
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    assert await database.rows(WHO) == [(ada.id, None)]

    for completed, reopened in (
        (lambda who: tasks.toggle(database, who, ada.space, task.id),) * 2,
        tuple(
            lambda who, done=done: tasks.change(database, who, ada.space, task.id, {"completed": done})
            for done in (True, False)
        ),
        tuple(
            lambda who, done=done: tasks.change(database, who, ada.space, task.id, lambda _: {"completed": done})
            for done in (True, False)
        ),
    ):
        await completed(eve.principal)
        await tasks.change(database, ada.principal, ada.space, task.id, {"title": "Buy oats", "completed": True})
        rename = Rewrite(task.id, lambda found, at: replace(found, title="Buy milk", updated_at=at))
        await bulk.bulk(database, ada.principal, ada.space, [rename])
        assert await database.rows(WHO) == [(ada.id, eve.id)], "whoever completed it first"
        await reopened(ada.principal)
        assert await database.rows(WHO) == [(ada.id, None)]

    await bulk.bulk(
        database,
        eve.principal,
        ada.space,
        [Rewrite(task.id, lambda found, at: found.changed({"completed": True}, at))],
    )
    assert await database.rows(WHO) == [(ada.id, eve.id)]


async def test_under_an_older_access_nothing_is_stored(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, MILK)
    trashed = await tasks.create(database, ada.principal, ada.space, MILK)
    await tasks.delete(database, ada.principal, ada.space, trashed.id)
    before = await database.row(REVISION, space=ada.id)
    await database.rows(Query(update(SpaceRow).values(access=1), lambda *_: None))
    who = (database, ada.principal, ada.space)

    for attempt in (
        tasks.create(*who, MILK),
        tasks.change(*who, task.id, {"title": "Mine"}),
        tasks.change(*who, task.id, lambda _: {"title": "Mine"}),
        tasks.toggle(*who, task.id),
        tasks.delete(*who, task.id),
        tasks.restore(*who, trashed.id),
        tasks.erase(*who, task.id),
        bulk.bulk(*who, [Create(MILK), Rewrite(task.id, Task.deleted)]),
        lists.create(*who, name="Home"),
        tags.rename(*who, "home", "garden"),
        tasks.move_to_zone(*who, "Europe/Berlin"),
    ):
        with pytest.raises(AccessChanged):
            await attempt

    assert await database.row(REVISION, space=ada.id) == before
    assert await tasks.get(*who, task.id) == task
