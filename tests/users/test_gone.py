"""A user who was deleted a moment ago, and whose token a process still knows."""

from collections.abc import Awaitable, Callable

import pytest

from taskwell import tasks, users
from taskwell.database import Database
from taskwell.errors import Unauthorized
from taskwell.spaces import SpaceAccess
from taskwell.tasks import AS_TASK, TaskDraft, lists, pages, reminders, tags
from taskwell.tasks.filters import TaskFilter
from taskwell.users.principal import Principal
from tests.support.people import Person

NO_ID = "01938d1b-1111-7222-8333-444455556666"
VERBS: dict[str, Callable[[Database, tuple[Principal, SpaceAccess]], Awaitable[object]]] = {
    "a new task": lambda database, who: tasks.create(database, *who, TaskDraft("Too late")),
    "a page": lambda database, who: tasks.page(database, *who, pages.PageRequest(), AS_TASK),
    "a reminder": lambda database, who: reminders.add(database, *who, NO_ID, minutes_before_due=5),
    "another time zone": lambda database, who: tasks.move_to_zone(database, *who, "Europe/Berlin"),
    "all lists": lambda database, who: lists.every(database, *who),
    "a new list": lambda database, who: lists.create(database, *who, name="Home"),
    "a list less": lambda database, who: lists.remove(database, *who, NO_ID),
    "all tags": lambda database, who: tags.every(database, *who),
    "a tag less": lambda database, who: tags.remove(database, *who, "home"),
    "the version of a page": lambda database, who: pages.version(database, *who, pages.PageRequest(TaskFilter())),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_nothing_is_read_or_made_for_who_is_gone(database: Database, ada: Person, verb: str):
    await users.delete(database, ada.id)

    with pytest.raises(Unauthorized):
        await VERBS[verb](database, (ada.principal, ada.space))
