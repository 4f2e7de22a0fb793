"""A change in one statement leaves what reading, changing and writing would leave."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, select

from taskwell import tasks
from taskwell.database import Database, Query, UuidText
from taskwell.errors import Invalid, NotFound
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import REVISION
from taskwell.tasks import Priority, TaskChanges, TaskDraft
from taskwell.tasks.one_statement import one_statement_change
from taskwell.tasks.tables import TaskRow
from taskwell.tasks.task import end_of
from taskwell.users.principal import Principal
from tests.support.people import Person

DAY, OTHER_DAY = date(2026, 12, 24), date(2027, 1, 6)
INSTANT = datetime(2026, 12, 24, 18, tzinfo=UTC)
EACH_ITS_OWN = {"space_id", "id", "revision", "created_at", "updated_at", "completed_at"}
STORED = [column for column in TaskRow.__table__.columns if column.name not in EACH_ITS_OWN]
STORED_ROW: Query[Any] = Query(
    select(*STORED, TaskRow.completed_at.is_not(None)).where(TaskRow.id == bindparam("id", type_=UuidText)),
    lambda *columns: columns,
)

DRAFTS = [
    TaskDraft("Buy milk"),
    TaskDraft("Buy milk", "Oat.", Priority.high, tags=("Home", "Straße"), due_date=DAY),
    TaskDraft("Straße kehren", completed=True, due_at=INSTANT),
]
CHANGES: list[TaskChanges] = [
    {"title": "STRASSE kehren"},
    {"description": "Oat.", "priority": Priority.urgent},
    {"description": None},
    {"tags": ("home", "Garden")},
    {"tags": ()},
    {"completed": True},
    {"completed": False, "title": "Again"},
    {"due_date": OTHER_DAY},
    {"due_at": INSTANT},
    {"due_date": None},
    {"due_at": None},
    {"due_date": None, "due_at": None},
    {"due_date": None, "due_at": INSTANT},
    TaskDraft("Pay the rent", due_date=OTHER_DAY, tags=("home",)).changes(),
]


@pytest.mark.parametrize("draft", DRAFTS, ids=["plain", "for a day", "completed, for an instant"])
@pytest.mark.parametrize("changes", CHANGES, ids=" ".join)
async def test_it_stores_what_reading_first_would_store(
    database: Database, ada: Person, draft: TaskDraft, changes: TaskChanges
):
    one, other = [await tasks.create(database, ada.principal, ada.space, draft) for _ in range(2)]

    directly = await tasks.change(database, ada.principal, ada.space, one.id, changes)
    by_reading = await tasks.change(database, ada.principal, ada.space, other.id, lambda _: changes)

    rows = [await database.row(STORED_ROW, id=task.id) for task in (one, other)]
    assert rows[0] == rows[1]
    assert directly == await tasks.get(database, ada.principal, ada.space, one.id)
    same = {"id": other.id} | {name: getattr(by_reading, name) for name in EACH_ITS_OWN - {"space_id"}}
    assert replace(directly, **same) == by_reading


def test_only_clearing_one_kind_of_due_depends_on_the_task():
    principal = Principal("u", "u", "t", INSTANT)

    depending = [
        changes for changes in CHANGES if one_statement_change(changes, principal, SpaceAccess.personal("u")) is None
    ]

    assert depending == [{"due_date": None}, {"due_at": None}]


async def test_a_completed_task_that_is_completed_keeps_its_instant_while_its_title_changes(
    database: Database, ada: Person
):
    done = await tasks.create(database, ada.principal, ada.space, TaskDraft("Buy milk", completed=True))

    again = await tasks.change(
        database, ada.principal, ada.space, done.id, {"completed": True, "title": "Buy oat milk"}
    )

    assert (again.title, again.completed_at) == ("Buy oat milk", done.completed_at)


async def test_what_changes_nothing_or_names_nothing_takes_no_revision(database: Database, ada: Person, eve: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Buy milk"))
    before = await database.row(REVISION, space=ada.id), await database.row(REVISION, space=eve.id)

    await tasks.change(database, ada.principal, ada.space, task.id, {"title": "Buy milk", "completed": False})
    await tasks.change(database, ada.principal, ada.space, task.id, {})
    with pytest.raises(NotFound):
        await tasks.toggle(database, eve.principal, eve.space, task.id)
    with pytest.raises(Invalid):
        await tasks.change(database, ada.principal, ada.space, task.id, {"list_id": task.id})

    assert before == (await database.row(REVISION, space=ada.id), await database.row(REVISION, space=eve.id))


async def test_who_has_moved_meanwhile_has_the_due_of_the_new_time_zone(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Buy milk"))
    await tasks.move_to_zone(database, ada.principal, ada.space, "Pacific/Kiritimati")

    await tasks.change(database, ada.principal, ada.space, task.id, {"due_date": DAY})

    (row,) = await database.rows(STORED_ROW, id=task.id)
    assert end_of(DAY, "Pacific/Kiritimati") in row
