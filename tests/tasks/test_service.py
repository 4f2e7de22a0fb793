"""The verbs of single tasks."""

import asyncio

import pytest

from taskwell import tasks
from taskwell.database import Database
from taskwell.errors import NotFound, PreconditionFailed
from taskwell.spaces.precondition import Precondition
from taskwell.tasks import AS_TASK, PageRequest, TaskDraft, TaskFilter
from tests.support.people import Person


async def test_a_new_task_is_found_as_it_was_stored(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk", tags=("Home",)))

    assert await tasks.get(database, ada.principal, ada.space, task.id) == task


async def test_completing_a_task_moves_it_to_the_completed_list(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk"))

    done = await tasks.change(database, ada.principal, ada.space, task.id, {"completed": True})

    completed = await tasks.page(database, ada.principal, ada.space, PageRequest(TaskFilter(completed=True)), AS_TASK)
    pending = await tasks.page(database, ada.principal, ada.space, PageRequest(TaskFilter(completed=False)), AS_TASK)
    assert completed.items == [done]
    assert pending.items == []


async def test_somebody_elses_task_is_not_there(database: Database, ada: Person, eve: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Secret"))

    for attempt in (
        tasks.get(database, eve.principal, eve.space, task.id),
        tasks.change(database, eve.principal, eve.space, task.id, {"title": "Mine"}),
        tasks.delete(database, eve.principal, eve.space, task.id),
        tasks.erase(database, eve.principal, eve.space, task.id),
    ):
        with pytest.raises(NotFound):
            await attempt

    await tasks.delete(database, ada.principal, ada.space, task.id)
    with pytest.raises(NotFound):
        await tasks.restore(database, eve.principal, eve.space, task.id)
    assert (await tasks.page(database, eve.principal, eve.space, PageRequest(in_trash=True), AS_TASK)).items == []


async def test_a_change_of_nothing_takes_no_revision(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk"))
    before = await tasks.version(database, ada.principal, ada.space, PageRequest())

    assert await tasks.change(database, ada.principal, ada.space, task.id, {"title": "Buy milk"}) == task
    assert await tasks.version(database, ada.principal, ada.space, PageRequest()) == before


async def test_of_twenty_writers_with_one_revision_one_wins(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk"))
    expected = Precondition(frozenset({task.revision}))

    outcomes = await asyncio.gather(
        *(
            tasks.change(database, ada.principal, ada.space, task.id, {"title": f"By {n}"}, if_match=expected)
            for n in range(20)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, PreconditionFailed) for outcome in outcomes) == 19


async def test_every_verb_that_may_name_a_revision_refuses_another(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk"))
    user, space, former = ada.principal, ada.space, Precondition(frozenset({task.revision - 1}))

    for attempt in (
        tasks.change(database, user, space, task.id, {"title": "Buy oats"}, if_match=former),
        tasks.toggle(database, user, space, task.id, if_match=former),
        tasks.delete(database, user, space, task.id, if_match=former),
        tasks.erase(database, user, space, task.id, if_match=former),
    ):
        with pytest.raises(PreconditionFailed):
            await attempt
    assert await tasks.get(database, user, space, task.id) == task

    await tasks.erase(database, user, space, task.id, if_match=Precondition(frozenset({task.revision})))
    with pytest.raises(NotFound):
        await tasks.get(database, user, space, task.id)


async def test_an_even_number_of_toggles_at_once_ends_where_it_began(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk"))

    await asyncio.gather(*(tasks.toggle(database, ada.principal, ada.space, task.id) for _ in range(20)))

    assert not (await tasks.get(database, ada.principal, ada.space, task.id)).completed


async def test_a_deleted_task_comes_back_as_it_was(database: Database, ada: Person):
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="Buy milk", tags=("home",)))
    await tasks.delete(database, ada.principal, ada.space, task.id)

    back = await tasks.restore(database, ada.principal, ada.space, task.id)

    assert (back.title, back.tags, back.deleted_at) == ("Buy milk", ("home",), None)
    assert back.revision > task.revision
