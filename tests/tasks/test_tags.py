"""The verbs of tags."""

import pytest
from sqlalchemy import text

from taskwell import tasks
from taskwell.database import Database, Query
from taskwell.errors import NotFound
from taskwell.tasks import AS_TASK, PageRequest, Task, TaskDraft, TaskFilter, tags
from taskwell.tasks.tags import TagUse
from tests.support.people import Person


async def _task(database: Database, person: Person, *names: str, completed: bool = False) -> Task:
    return await tasks.create(
        database, person.principal, person.space, TaskDraft("A task", tags=names, completed=completed)
    )


async def _all(database: Database, person: Person) -> list[TagUse]:
    return (await tags.every(database, person.principal, person.space)).items


async def _tags(database: Database, person: Person, task: Task) -> tuple[str, ...]:
    return (await tasks.get(database, person.principal, person.space, task.id)).tags


async def test_tags_are_counted_over_living_tasks(database: Database, ada: Person, eve: Person):
    await _task(database, ada, "home", "urgent")
    await _task(database, ada, "home", completed=True)
    trashed = await _task(database, ada, "home", "gone")
    await tasks.delete(database, ada.principal, ada.space, trashed.id)
    await _task(database, eve, "home")

    assert await _all(database, ada) == [TagUse("home", 2, 1), TagUse("urgent", 1, 1)]


async def test_a_tag_is_named_as_most_of_its_tasks_spell_it(database: Database, ada: Person):
    for name in ("Home", "home", "home", "work", "WORK"):
        await _task(database, ada, name)

    assert await _all(database, ada) == [TagUse("home", 3, 3), TagUse("WORK", 2, 2)]


async def test_renaming_reaches_every_task_in_the_trash_too_with_one_revision(database: Database, ada: Person):
    first = await _task(database, ada, "a", "wrok", "z")
    second = await _task(database, ada, "Wrok", completed=True)
    trashed = await _task(database, ada, "wrok")
    await tasks.delete(database, ada.principal, ada.space, trashed.id)
    other = await _task(database, ada, "other")
    before = (await tags.every(database, ada.principal, ada.space)).revision

    assert await tags.rename(database, ada.principal, ada.space, "WROK", "work") == TagUse("work", 2, 1)

    living = [await tasks.get(database, ada.principal, ada.space, task.id) for task in (first, second)]
    assert [task.tags for task in living] == [("a", "work", "z"), ("work",)]
    assert {task.revision for task in living} == {before + 1}
    assert (await tasks.get(database, ada.principal, ada.space, other.id)).revision == other.revision
    assert (await tasks.restore(database, ada.principal, ada.space, trashed.id)).tags == ("work",)
    found = await tasks.page(database, ada.principal, ada.space, PageRequest(TaskFilter(tags=("work",))), AS_TASK)
    assert {task.id for task in found.items} == {first.id, second.id, trashed.id}


async def test_renaming_onto_another_tag_merges_them_and_twins_collapse_in_the_first_place(
    database: Database, ada: Person
):
    both = await _task(database, ada, "Groceries", "x", "shopping")
    reversed_ = await _task(database, ada, "shopping", "x", "Groceries")
    only_target = await _task(database, ada, "shopping")

    merged = await tags.rename(database, ada.principal, ada.space, "groceries", "Shopping")

    assert merged == TagUse("Shopping", 3, 3)
    assert await _tags(database, ada, both) == ("Shopping", "x")
    assert await _tags(database, ada, reversed_) == ("Shopping", "x")
    assert await _tags(database, ada, only_target) == ("Shopping",)
    assert await _all(database, ada) == [TagUse("Shopping", 3, 3), TagUse("x", 2, 2)]


async def test_renaming_leaves_the_rows_of_other_tags_alone(database: Database, ada: Person):
    """On PostgreSQL, where each row costs three indexes and a look for its task."""
    await _task(database, ada, "home", "x")
    version = "xmin::text" if database.name == "postgresql" else "tag"
    rows: Query[tuple[str, str]] = Query(text(f"SELECT tag, {version} FROM task_tags"), lambda *row: row)
    before = dict(await database.rows(rows))

    await tags.rename(database, ada.principal, ada.space, "home", "house")

    after = dict(await database.rows(rows))
    assert after.keys() == {"house", "x"}
    assert after["x"] == before["x"]


async def test_renaming_to_the_same_name_writes_nothing(database: Database, ada: Person):
    task = await _task(database, ada, "home")

    await tags.rename(database, ada.principal, ada.space, "home", "home")

    assert await tasks.get(database, ada.principal, ada.space, task.id) == task


async def test_a_removed_tag_is_on_no_task_and_cannot_be_removed_again(database: Database, ada: Person):
    task = await _task(database, ada, "Home", "x")
    trashed = await _task(database, ada, "home")
    await tasks.delete(database, ada.principal, ada.space, trashed.id)

    await tags.remove(database, ada.principal, ada.space, "home")

    assert await _tags(database, ada, task) == ("x",)
    assert (await tasks.restore(database, ada.principal, ada.space, trashed.id)).tags == ()
    with pytest.raises(NotFound):
        await tags.remove(database, ada.principal, ada.space, "home")


@pytest.mark.parametrize("name", ["nowhere", "", "a\x00b", "in the trash", "eve's"])
async def test_a_tag_that_no_living_task_of_the_user_has_is_unknown(
    database: Database, ada: Person, eve: Person, name: str
):
    trashed = await _task(database, ada, "in the trash")
    await tasks.delete(database, ada.principal, ada.space, trashed.id)
    kept = await _task(database, eve, "eve's")

    for attempt in (
        tags.rename(database, ada.principal, ada.space, name, "mine"),
        tags.remove(database, ada.principal, ada.space, name),
    ):
        with pytest.raises(NotFound):
            await attempt

    assert await tasks.get(database, eve.principal, eve.space, kept.id) == kept
