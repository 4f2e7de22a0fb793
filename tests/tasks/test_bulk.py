"""Many writes as one."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from taskwell import tasks
from taskwell.database import Database, new_id
from taskwell.database.sqlite import DIALECT
from taskwell.errors import AppError, Invalid, NotFound, PreconditionFailed
from taskwell.spaces.precondition import Precondition
from taskwell.spaces.revision import REVISION
from taskwell.tasks import AS_TASK, PageRequest, Priority, Task, TaskChanges, TaskDraft, lists
from taskwell.tasks.bulk import Create, Outcome, Rewrite, bulk
from taskwell.tasks.bulk_queries import REWRITE
from tests.support.counting import CountingLane
from tests.support.people import Person

EVERYTHING = TaskDraft(
    title='Ünï "quoted" \\ back\nslash 🦆',
    description="a\tb",
    priority=Priority.urgent,
    completed=True,
    tags=("Größe", 'say "hi"'),
)


def _changing(task: Task, changes: TaskChanges, *, if_match: int | None = None) -> Rewrite:
    accepted = None if if_match is None else Precondition(frozenset({if_match}))
    return Rewrite(task.id, lambda before, now: before.changed(changes, now), accepted)


def _tasks(outcomes: list[Outcome]) -> list[Task]:
    assert not [each for each in outcomes if isinstance(each, AppError)]
    return [each for each in outcomes if isinstance(each, Task)]


async def _revision(database: Database, person: Person) -> int | None:
    return await database.row(REVISION, space=person.id)


async def _living(database: Database, person: Person) -> list[Task]:
    return (await tasks.page(database, person.principal, person.space, PageRequest(limit=None), AS_TASK)).items


async def test_mixed_operations_are_one_write_with_one_revision(database: Database, ada: Person):
    home = await lists.create(database, ada.principal, ada.space, name="Home")
    old, gone, trashed = [
        await tasks.create(database, ada.principal, ada.space, TaskDraft(title)) for title in ("A", "B", "C")
    ]
    await tasks.delete(database, ada.principal, ada.space, trashed.id)
    before = await _revision(database, ada)
    assert before is not None

    outcomes = await bulk(
        database,
        ada.principal,
        ada.space,
        [
            Create(replace(EVERYTHING, list_id=home.id)),
            _changing(old, {"title": "A2", "tags": ("x",)}, if_match=old.revision),
            Rewrite(gone.id, Task.deleted),
            Rewrite(trashed.id, Task.restored, in_trash=True),
        ],
    )

    new, changed, deleted, restored = _tasks(outcomes)
    assert {task.revision for task in (new, changed, deleted, restored)} == {before + 1}
    assert await _revision(database, ada) == before + 1
    for task in (new, changed, restored):
        assert await tasks.get(database, ada.principal, ada.space, task.id) == task
    with pytest.raises(NotFound):
        await tasks.get(database, ada.principal, ada.space, deleted.id)
    assert (new.title, new.tags, new.list_id) == (EVERYTHING.title, EVERYTHING.tags, home.id)


async def test_operations_on_one_task_apply_in_their_order_and_compare_with_the_revision_before(
    database: Database, ada: Person
):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("A"))

    outcomes = await bulk(
        database,
        ada.principal,
        ada.space,
        [
            _changing(task, {"title": "B"}, if_match=task.revision),
            _changing(task, {"completed": True}, if_match=task.revision),
            Rewrite(task.id, Task.deleted),
            _changing(task, {"title": "C"}),
            Rewrite(task.id, Task.restored, in_trash=True),
        ],
        atomic=False,
    )

    assert isinstance(outcomes[3], NotFound)
    assert outcomes[4] == await tasks.get(database, ada.principal, ada.space, task.id)
    assert [each.title for each in outcomes if isinstance(each, Task)] == ["B", "B", "B", "B"]


async def test_an_atomic_bulk_that_fails_does_nothing_and_names_its_operation(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("A"))
    before = await _revision(database, ada)

    with pytest.raises(PreconditionFailed) as failure:
        await bulk(
            database,
            ada.principal,
            ada.space,
            [Create(TaskDraft("New")), _changing(task, {"title": "B"}, if_match=task.revision + 1)],
        )

    assert failure.value.index == 1
    assert await _living(database, ada) == [task]
    assert await _revision(database, ada) == before


async def test_a_bulk_that_is_not_atomic_fails_only_where_it_must(database: Database, ada: Person, eve: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("A"))
    hers = await tasks.create(database, eve.principal, eve.space, TaskDraft("Hers"))
    her_list = await lists.create(database, eve.principal, eve.space, name="Hers")

    outcomes = await bulk(
        database,
        ada.principal,
        ada.space,
        [
            Create(TaskDraft("Into her list", list_id=her_list.id)),
            Create(TaskDraft("Into no list", list_id=new_id())),
            _changing(task, {"list_id": her_list.id}),
            _changing(hers, {"title": "Mine"}),
            Rewrite(task.id, Task.restored, in_trash=True),
            Create(TaskDraft("Good")),
        ],
        atomic=False,
    )

    assert [type(each) for each in outcomes] == [Invalid, Invalid, Invalid, NotFound, NotFound, Task]
    refused = outcomes[1]
    assert isinstance(refused, Invalid)
    assert [each.field for each in refused.errors] == ["operations.1.data.list_id"]
    assert [each.title for each in await _living(database, ada)] == ["Good", "A"]
    assert await tasks.get(database, eve.principal, eve.space, hers.id) == hers


async def test_a_bulk_that_changes_nothing_takes_no_revision(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("A"))

    outcomes = await bulk(database, ada.principal, ada.space, [_changing(task, {"title": "A"}), _changing(task, {})])

    assert outcomes == [task, task]
    assert await _revision(database, ada) == task.revision


async def test_any_number_of_operations_costs_the_same_few_statements(database: Database, ada: Person):
    counted = []
    for size in (1, 200):
        lane = CountingLane(database)
        new = _tasks(
            await bulk(lane, ada.principal, ada.space, [Create(TaskDraft(f"Task {n}")) for n in range(size)])
        )
        await bulk(
            lane, ada.principal, ada.space, [_changing(task, {"title": "Changed", "tags": ("x",)}) for task in new]
        )
        await bulk(
            lane,
            ada.principal,
            ada.space,
            [_changing(task, {"completed": True}) for task in new] + [Create(EVERYTHING)],
        )
        counted.append(lane.statements)

    assert counted == [16, 16]


def test_sqlite_looks_the_changed_tasks_up_by_their_ids(database_url: str, database: Database):
    if database.name != "sqlite":
        pytest.skip("PostgreSQL plans by what it knows of the tables")
    (step,) = REWRITE.steps(DIALECT)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {step.text}", [None] * len(step.parameters)).fetchall()

    assert [line for *_, line in plan if "tasks" in line] == [
        "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (space_id=? AND id=?)"
    ]


async def test_the_tasks_of_a_bulk_are_listed_in_the_order_they_were_created(database: Database, ada: Person):
    new = _tasks(await bulk(database, ada.principal, ada.space, [Create(TaskDraft(f"Task {n}")) for n in range(50)]))

    assert await _living(database, ada) == new[::-1]
