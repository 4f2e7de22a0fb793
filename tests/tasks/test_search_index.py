"""The index of search keeps in step with the tasks, whoever writes them."""

import sqlite3
from contextlib import closing

import pytest

from taskwell import tasks
from taskwell.database import Database
from taskwell.database.sqlite import SqliteDatabase
from taskwell.tasks import TaskDraft
from tests.support.people import Person
from tests.support.searching import found


async def test_the_index_keeps_in_step_with_every_write(database: Database, ada: Person):
    task = await tasks.create(
        database, ada.principal, ada.space, TaskDraft(title="first", tags=("red",), description="round")
    )

    async def is_found(text: str) -> bool:
        return [each.id for each in await found(database, ada, text)] == [task.id]

    assert await is_found("first red round")
    await tasks.change(
        database, ada.principal, ada.space, task.id, {"title": "second", "tags": (), "description": None}
    )
    assert await is_found("second")
    for gone in ("first", "red", "round"):
        assert not await is_found(gone)
    await tasks.delete(database, ada.principal, ada.space, task.id)
    assert not await is_found("second")
    await tasks.restore(database, ada.principal, ada.space, task.id)
    assert await is_found("second")
    await tasks.erase(database, ada.principal, ada.space, task.id)
    assert not await is_found("second")


async def test_what_another_program_writes_is_found_after_the_next_write(database: Database, ada: Person):
    """On SQLite; it has no function of ours. The number of a task that is gone is taken again."""
    if not isinstance(database, SqliteDatabase):
        pytest.skip("PostgreSQL indexes by itself")
    one, two = [
        await tasks.create(database, ada.principal, ada.space, TaskDraft(title=title)) for title in ("one", "two")
    ]
    with closing(sqlite3.connect(database._path)) as other, other:
        row = other.execute("SELECT * FROM tasks WHERE id = ?", [two.id])
        columns = [name for name, *_ in row.description]
        copy = dict(zip(columns, row.fetchone(), strict=True)) | {"id": one.id[:-4] + "ffff", "title": "three"}
        other.execute("DELETE FROM tasks WHERE id = ?", [two.id])
        other.execute(f"INSERT INTO tasks VALUES ({', '.join(f':{name}' for name in columns)})", copy)
        other.execute("UPDATE tasks SET title = 'uno' WHERE id = ?", [one.id])
        other.execute("UPDATE tasks SET title = 'eins' WHERE id = ?", [one.id])

    await tasks.create(database, ada.principal, ada.space, TaskDraft(title="four"))

    for text, titles in {
        "one": [],
        "uno": [],
        "two": [],
        "eins": ["eins"],
        "three": ["three"],
        "f": ["four"],
    }.items():
        assert [task.title for task in await found(database, ada, text)] == titles


@pytest.mark.parametrize("title", [b"\xff milk", b"caf\xe9 milk", "nul\0milk", 12])
async def test_whatever_another_program_writes_keeps_nobody_from_writing(
    title: object, database: Database, ada: Person, eve: Person
):
    if not isinstance(database, SqliteDatabase):
        return
    hers = await tasks.create(database, ada.principal, ada.space, TaskDraft(title="milk"))
    for column, mine in (("CAST(? AS TEXT)", "bread"), ("?", "butter")):
        with closing(sqlite3.connect(database._path)) as other, other:
            other.execute(f"UPDATE tasks SET title = {column} WHERE id = ?", [title, hers.id])
        await tasks.create(database, eve.principal, eve.space, TaskDraft(title=mine))
    await tasks.change(database, ada.principal, ada.space, hers.id, {"title": "honey"})

    assert [task.title for task in await found(database, ada, "honey")] == ["honey"]
    assert await found(database, ada, "milk") == []
    assert [task.title for task in await found(database, eve, "b")] == ["butter", "bread"]
