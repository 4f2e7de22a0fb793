"""The verbs of lists."""

import pytest

from taskwell import tasks
from taskwell.database import Database
from taskwell.errors import Invalid, NotFound, PreconditionFailed
from taskwell.spaces.precondition import Precondition
from taskwell.tasks import AS_TASK, PageRequest, TaskDraft, TaskFilter, lists
from taskwell.tasks.list_queries import MAX_POSITION
from tests.support.people import Person


async def _page(database: Database, person: Person, **asked) -> tasks.Page[tasks.Task]:
    return await tasks.page(database, person.principal, person.space, PageRequest(**asked), AS_TASK)


async def test_new_lists_come_last_and_a_list_can_be_moved_to_the_front(database: Database, ada: Person):
    for name in ("Home", "Work", "Garden"):
        await lists.create(database, ada.principal, ada.space, name=name)
    garden = (await lists.every(database, ada.principal, ada.space)).items[-1]

    await lists.change(database, ada.principal, ada.space, garden.id, {"position": 0})

    assert [each.name for each in (await lists.every(database, ada.principal, ada.space)).items] == [
        "Garden",
        "Home",
        "Work",
    ]


async def test_of_two_lists_in_one_place_the_older_comes_first(database: Database, ada: Person):
    older = await lists.create(database, ada.principal, ada.space, name="Older", position=5)
    newer = await lists.create(database, ada.principal, ada.space, name="Newer", position=5)
    last = await lists.create(database, ada.principal, ada.space, name="Last")
    older = await lists.change(database, ada.principal, ada.space, older.id, {"name": "Still older"})

    assert (await lists.every(database, ada.principal, ada.space)).items == [older, newer, last]
    assert (older.position, newer.position, last.position) == (5, 5, 6)


async def test_after_a_list_at_the_last_position_the_next_stands_there_too(database: Database, ada: Person):
    last = await lists.create(database, ada.principal, ada.space, name="Last", position=MAX_POSITION)
    next_ = await lists.create(database, ada.principal, ada.space, name="Next")

    assert next_.position == MAX_POSITION
    assert (await lists.every(database, ada.principal, ada.space)).items == [last, next_]
    moved = await lists.change(database, ada.principal, ada.space, next_.id, {"position": MAX_POSITION - 1})
    assert (await lists.every(database, ada.principal, ada.space)).items == [moved, last]


async def test_open_tasks_are_those_neither_completed_nor_in_the_trash(database: Database, ada: Person):
    home = await lists.create(database, ada.principal, ada.space, name="Home")
    empty = await lists.create(database, ada.principal, ada.space, name="Empty")
    for title in ("Open", "Done", "Deleted"):
        task = await tasks.create(
            database, ada.principal, ada.space, TaskDraft(title, list_id=home.id, completed=title == "Done")
        )
    await tasks.delete(database, ada.principal, ada.space, task.id)
    await tasks.create(database, ada.principal, ada.space, TaskDraft("Without a list"))

    counted = {each.id: each.open_tasks for each in (await lists.every(database, ada.principal, ada.space)).items}

    assert counted == {home.id: 1, empty.id: 0}
    assert (await lists.get(database, ada.principal, ada.space, home.id)).open_tasks == 1


async def test_every_write_to_a_list_takes_the_next_revision(database: Database, ada: Person, eve: Person):
    hers = (await lists.every(database, eve.principal, eve.space)).revision
    before = (await lists.every(database, ada.principal, ada.space)).revision
    made = await lists.create(database, ada.principal, ada.space, name="Home")
    renamed = await lists.change(database, ada.principal, ada.space, made.id, {"name": "House"})
    same = await lists.change(database, ada.principal, ada.space, made.id, {"name": "House"})
    await lists.remove(database, ada.principal, ada.space, made.id)
    after = (await lists.every(database, ada.principal, ada.space)).revision

    assert (made.revision, renamed.revision, same.revision, after) == (before + 1, before + 2, before + 2, before + 3)
    assert (await lists.every(database, eve.principal, eve.space)).revision == hers


async def test_a_removed_list_leaves_the_others(database: Database, ada: Person):
    home, work = [await lists.create(database, ada.principal, ada.space, name=name) for name in ("Home", "Work")]
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Report", list_id=work.id))

    await lists.remove(database, ada.principal, ada.space, home.id, with_tasks=True)

    assert [each.id for each in (await lists.every(database, ada.principal, ada.space)).items] == [work.id]
    assert await tasks.get(database, ada.principal, ada.space, task.id) == task


async def test_a_list_is_changed_and_removed_only_as_it_was_read(database: Database, ada: Person):
    made = await lists.create(database, ada.principal, ada.space, name="Home")
    await lists.change(database, ada.principal, ada.space, made.id, {"color": "#00ff00"})
    stale = Precondition(frozenset({made.revision}))

    with pytest.raises(PreconditionFailed):
        await lists.change(database, ada.principal, ada.space, made.id, {"name": "House"}, if_match=stale)
    with pytest.raises(PreconditionFailed):
        await lists.remove(database, ada.principal, ada.space, made.id, if_match=stale)

    assert (await lists.get(database, ada.principal, ada.space, made.id)).name == "Home"


async def test_the_tasks_of_a_removed_list_stay_without_a_list(database: Database, ada: Person):
    home = await lists.create(database, ada.principal, ada.space, name="Home")
    kept = await tasks.create(database, ada.principal, ada.space, TaskDraft("Kept", list_id=home.id))
    trashed = await tasks.create(database, ada.principal, ada.space, TaskDraft("Trashed", list_id=home.id))
    await tasks.delete(database, ada.principal, ada.space, trashed.id)

    await lists.remove(database, ada.principal, ada.space, home.id)

    kept_after = await tasks.get(database, ada.principal, ada.space, kept.id)
    trashed_after = await tasks.restore(database, ada.principal, ada.space, trashed.id)
    assert (kept_after.list_id, trashed_after.list_id) == (None, None)
    assert kept_after.revision == trashed_after.revision - 1


async def test_a_list_can_take_its_tasks_to_the_trash(database: Database, ada: Person):
    home = await lists.create(database, ada.principal, ada.space, name="Home")
    inside = await tasks.create(database, ada.principal, ada.space, TaskDraft("Inside", list_id=home.id))
    old = await tasks.create(database, ada.principal, ada.space, TaskDraft("Already in the trash", list_id=home.id))
    deleted_at = (await tasks.delete(database, ada.principal, ada.space, old.id)).deleted_at
    outside = await tasks.create(database, ada.principal, ada.space, TaskDraft("Outside"))

    await lists.remove(database, ada.principal, ada.space, home.id, with_tasks=True)

    assert [task.id for task in (await _page(database, ada)).items] == [outside.id]
    trash = {task.id: task for task in (await _page(database, ada, in_trash=True)).items}
    assert trash.keys() == {inside.id, old.id}
    assert trash[old.id].deleted_at == deleted_at
    assert all(task.list_id is None for task in trash.values())
    assert (await tasks.restore(database, ada.principal, ada.space, inside.id)).list_id is None


async def test_somebody_elses_list_is_not_there(database: Database, ada: Person, eve: Person):
    home = await lists.create(database, ada.principal, ada.space, name="Home")
    task = await tasks.create(database, ada.principal, ada.space, TaskDraft("Private", list_id=home.id))

    for attempt in (
        lists.get(database, eve.principal, eve.space, home.id),
        lists.change(database, eve.principal, eve.space, home.id, {"name": "Mine"}),
        lists.remove(database, eve.principal, eve.space, home.id, with_tasks=True),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(Invalid):
        await tasks.create(database, eve.principal, eve.space, TaskDraft("Intruder", list_id=home.id))

    assert (await lists.every(database, eve.principal, eve.space)).items == []
    assert await tasks.get(database, ada.principal, ada.space, task.id) == task
    found = await _page(database, ada, wanted=TaskFilter(list_id=home.id))
    assert found.items == [task]
