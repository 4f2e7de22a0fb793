"""Search as the tests ask for it."""

from taskwell import tasks
from taskwell.database import Database
from taskwell.tasks import AS_TASK, PageRequest, Task, TaskFilter, TaskSort
from tests.support.people import Person


async def found(database: Database, person: Person, text: str, sort: TaskSort | None = None) -> list[Task]:
    """All that the person finds by the text, in the order of the sort."""
    request = PageRequest(TaskFilter(search=text), sort or TaskSort(), limit=None)
    return (await tasks.page(database, person.principal, person.space, request, AS_TASK)).items
