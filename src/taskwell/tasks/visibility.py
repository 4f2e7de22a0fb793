"""What an actor sees and may change: every statement about tasks, lists, tags and reminders starts here.

A statement names the actor as ``:actor`` and the space as ``:space``, and never takes one for the other.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from taskwell.database import UuidText
from taskwell.spaces import SpaceAccess
from taskwell.spaces.revision import SPACE, stamp_values
from taskwell.tasks.tables import CommentRow, ListRow, ReminderRow, TaskRow, TaskTagRow
from taskwell.users.principal import Principal

Column = ColumnElement[Any] | InstrumentedAttribute[Any]

ACTOR = bindparam("actor", type_=UuidText)


def readable(actor: Principal, space: SpaceAccess) -> dict[str, object]:
    """Who reads and where: the parameters that every read is run with. Every role may read all of a space."""
    return {"actor": actor.user_id, "space": space.id}


def writable(actor: Principal, space: SpaceAccess) -> dict[str, object]:
    """The parameters that every write is run with; the write itself compares ``access`` (``spaces.revision``)."""
    return {"actor": actor.user_id, **stamp_values(space)}


def in_space(table: type[CommentRow | ListRow | ReminderRow | TaskRow | TaskTagRow]) -> ColumnElement[bool]:
    """Whether a row is one of the space."""
    return table.space_id == SPACE


def living(*columns: Column) -> Select[Any]:
    """The space's tasks that are not in the trash."""
    return select(*columns).where(in_space(TaskRow), TaskRow.deleted_at.is_(None))


def trashed(*columns: Column) -> Select[Any]:
    """The space's tasks in the trash."""
    return select(*columns).where(in_space(TaskRow), TaskRow.deleted_at.is_not(None))
