"""Tasks by the thousand, past the verbs but through the triggers."""

from collections.abc import Iterable

from sqlalchemy import insert

from taskwell.database import Database, Query
from taskwell.spaces import SpaceAccess
from taskwell.tasks import Task
from taskwell.tasks.queries import row_of
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.users.principal import Principal

_TASKS: Query[None] = Query(insert(TaskRow), lambda *_: None)
_LISTS: Query[None] = Query(insert(ListRow), lambda *_: None)


async def store(database: Database, actor: Principal, space: SpaceAccess, tasks: Iterable[Task]) -> None:
    at = {"space_id": space.id, "revision": 1}
    await database.many(_TASKS, [row_of(task, actor, space) | at for task in tasks])


async def store_lists(database: Database, space: SpaceAccess, ids: Iterable[str], task: Task) -> None:
    """Lists as old as the task."""
    shared = {"space_id": space.id, "name": "List", "color": None, "position": 1, "revision": 1}
    at = {"created_at": task.created_at, "updated_at": task.created_at}
    await database.many(_LISTS, [shared | at | {"id": each} for each in ids])
