"""What members say about a task."""

import pytest

from taskwell import tasks
from taskwell.database import Database
from taskwell.errors import NotAuthor, NotFound, PreconditionFailed
from taskwell.spaces.precondition import Precondition
from taskwell.spaces.revision import REVISION
from taskwell.tasks import TaskDraft, comments
from tests.support.people import Person
from tests.support.sharing import shared_space


async def test_members_talk_in_the_order_in_which_they_spoke(database: Database, ada: Person, eve: Person):
    space = await shared_space(database, (ada, "owner"), (eve, "editor"))
    task = await tasks.create(database, ada.principal, space[ada.id], TaskDraft("Buy milk"))

    for person, text in ((ada, "The oat one."), (eve, "Two of them?"), (ada, "Three.")):
        await comments.add(database, person.principal, space[person.id], task.id, text)

    found = await comments.of_task(database, eve.principal, space[eve.id], task.id)
    assert [(each.author_id, each.text, each.revision) for each in found] == [
        (ada.id, "The oat one.", 2),
        (eve.id, "Two of them?", 3),
        (ada.id, "Three.", 4),
    ]
    assert (await tasks.get(database, ada.principal, space[ada.id], task.id)).revision == 1


async def test_only_its_author_changes_a_comment_and_an_owner_may_delete_it(
    database: Database, ada: Person, eve: Person
):
    space = await shared_space(database, (ada, "owner"), (eve, "editor"))
    task = await tasks.create(database, ada.principal, space[ada.id], TaskDraft("Buy milk"))
    hers = await comments.add(database, ada.principal, space[ada.id], task.id, "The oat one.")
    eves = await comments.add(database, eve.principal, space[eve.id], task.id, "Two of them?")
    as_eve, as_ada = (database, eve.principal, space[eve.id]), (database, ada.principal, space[ada.id])

    for attempt in (
        comments.change(*as_eve, task.id, hers.id, text="Mine"),
        comments.remove(*as_eve, task.id, hers.id),
        comments.change(*as_ada, task.id, eves.id, text="Mine"),
    ):
        with pytest.raises(NotAuthor):
            await attempt

    changed = await comments.change(*as_ada, task.id, hers.id, text="The soy one.")
    assert (changed.text, changed.revision) == ("The soy one.", 4)
    assert await comments.change(*as_ada, task.id, hers.id, text="The soy one.") == changed
    await comments.remove(*as_ada, task.id, eves.id)
    assert await comments.of_task(*as_ada, task.id) == [changed]


async def test_a_comment_that_somebody_changed_meanwhile_is_not_overwritten(database: Database, ada: Person):
    who = (database, ada.principal, ada.space)
    task = await tasks.create(*who, TaskDraft("Buy milk"))
    said = await comments.add(*who, task.id, "The oat one.")
    await comments.change(*who, task.id, said.id, text="The soy one.")

    with pytest.raises(PreconditionFailed):
        await comments.remove(*who, task.id, said.id, if_match=Precondition(frozenset({said.revision})))


async def test_comments_go_and_come_back_with_their_task(database: Database, ada: Person):
    who = (database, ada.principal, ada.space)
    task = await tasks.create(*who, TaskDraft("Buy milk"))
    said = await comments.add(*who, task.id, "The oat one.")

    await tasks.delete(*who, task.id)
    for attempt in (comments.of_task(*who, task.id), comments.add(*who, task.id, "Still there?")):
        with pytest.raises(NotFound):
            await attempt
    restored = await tasks.restore(*who, task.id)

    (shown,) = await comments.of_task(*who, task.id)
    assert (shown.id, shown.text, shown.revision) == (said.id, said.text, restored.revision)
    await tasks.erase(*who, task.id)
    assert await database.row(REVISION, space=ada.id) == 5


async def test_a_comment_of_another_task_is_not_there(database: Database, ada: Person):
    who = (database, ada.principal, ada.space)
    first, second = [await tasks.create(*who, TaskDraft("Buy milk")) for _ in range(2)]
    said = await comments.add(*who, first.id, "The oat one.")

    for attempt in (
        comments.change(*who, second.id, said.id, text="Mine"),
        comments.remove(*who, second.id, said.id),
    ):
        with pytest.raises(NotFound):
            await attempt
