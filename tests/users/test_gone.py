"""A user who was deleted a moment ago, and whose token a process still knows."""

from collections.abc import Awaitable, Callable

import pytest

from taskwell import users
from taskwell.database import Database
from taskwell.errors import Unauthorized
from taskwell.tasks import lists, pages, tags
from taskwell.tasks.filters import TaskFilter
from taskwell.users.principal import Principal
from tests.support.people import Person

VERBS: dict[str, Callable[[Database, Principal], Awaitable[object]]] = {
    "all lists": lists.every,
    "a new list": lambda database, user: lists.create(database, user, name="Home"),
    "all tags": tags.every,
    "the version of a page": lambda database, user: pages.version(database, user, pages.PageRequest(TaskFilter())),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_nothing_is_read_or_made_for_who_is_gone(database: Database, ada: Person, verb: str):
    await users.delete(database, ada.id)

    with pytest.raises(Unauthorized):
        await VERBS[verb](database, ada.principal)
