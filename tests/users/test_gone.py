"""A user who was deleted a moment ago, and whose token a process still knows."""

from collections.abc import Awaitable, Callable

import pytest

from taskwell import tasks, users
from taskwell.database import Database
from taskwell.errors import Unauthorized
from taskwell.tasks import AS_TASK, TaskDraft, lists, pages, reminders, tags
from taskwell.tasks.filters import TaskFilter
from taskwell.users.principal import Principal
from tests.support.people import Person

NO_ID = "01938d1b-1111-7222-8333-444455556666"
VERBS: dict[str, Callable[[Database, Principal], Awaitable[object]]] = {
    "a new task": lambda database, user: tasks.create(database, user, TaskDraft("Too late")),
    "a page": lambda database, user: tasks.page(database, user, pages.PageRequest(), AS_TASK),
    "a reminder": lambda database, user: reminders.add(database, user, NO_ID, minutes_before_due=5),
    "another time zone": lambda database, user: tasks.move_to_zone(database, user, "Europe/Berlin"),
    "all lists": lists.every,
    "a new list": lambda database, user: lists.create(database, user, name="Home"),
    "a list less": lambda database, user: lists.remove(database, user, NO_ID),
    "all tags": tags.every,
    "a tag less": lambda database, user: tags.remove(database, user, "home"),
    "the version of a page": lambda database, user: pages.version(database, user, pages.PageRequest(TaskFilter())),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_nothing_is_read_or_made_for_who_is_gone(database: Database, ada: Person, verb: str):
    await users.delete(database, ada.id)

    with pytest.raises(Unauthorized):
        await VERBS[verb](database, ada.principal)
