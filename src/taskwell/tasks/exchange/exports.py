"""Exports the tasks of a space."""

from collections.abc import AsyncGenerator
from typing import Any, cast

from sqlalchemy import and_

from taskwell.database import Query, Snapshot
from taskwell.spaces import SpaceAccess
from taskwell.tasks.exchange.record import TaskRecord
from taskwell.tasks.queries import TASK_COLUMNS, as_task
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.tasks.visibility import living, readable
from taskwell.users.principal import Principal


def _record(list_name: str | None, *columns: Any) -> TaskRecord:
    return TaskRecord.from_task(as_task(*columns), list_name)


_ALL: Query[TaskRecord] = Query(
    living(ListRow.name, *TASK_COLUMNS)
    .select_from(TaskRow)
    .outerjoin(ListRow, and_(ListRow.space_id == TaskRow.space_id, ListRow.id == TaskRow.list_id))
    .order_by(TaskRow.created_at, TaskRow.id),
    _record,
)


def exported(snapshot: Snapshot, actor: Principal, space: SpaceAccess) -> AsyncGenerator[TaskRecord, None]:
    """All tasks of the space outside the trash, oldest first. Close the generator if you stop before its end."""
    return cast("AsyncGenerator[TaskRecord, None]", snapshot.stream(_ALL, **readable(actor, space)))
