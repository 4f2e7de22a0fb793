"""The verbs of lists."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict, cast

from sqlalchemy import (
    BigInteger,
    FromClause,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.errors import NotFound, Unauthorized
from taskwell.spaces import SpaceAccess
from taskwell.spaces.precondition import IfMatch
from taskwell.spaces.revision import SPACE, lock_space, next_revision, with_next_revision
from taskwell.tasks.list_queries import LIST_COLUMNS, all_lists, at_the_end
from taskwell.tasks.tables import ListRow, TaskRow
from taskwell.tasks.visibility import in_space, living, readable, writable
from taskwell.users.principal import Principal


class ListChanges(TypedDict, total=False):
    """The fields that a partial change names."""

    name: str
    color: str | None
    position: int


@dataclass(frozen=True, slots=True)
class TaskList:
    """A named group of tasks. The order of the fields is that of ``LIST_COLUMNS``.

    Attributes:
        position: Where it stands among the space's lists; of two in one place the older comes first.
        open_tasks: How many living tasks in it are not completed.
    """

    id: str
    space_id: str
    name: str
    color: str | None
    position: int
    revision: int
    created_at: datetime
    updated_at: datetime
    open_tasks: int = 0


@dataclass(frozen=True, slots=True)
class Lists:
    """All lists of a space, in their order.

    Attributes:
        revision: The space's revision that they show.
    """

    items: list[TaskList]
    revision: int


_LIST_ID = bindparam("list_id", type_=UuidText)


def _all_row(space_revision: int, list_id: str | None, *columns: Any) -> tuple[int, TaskList | None]:
    return space_revision, None if list_id is None else TaskList(list_id, *columns)


_ALL: Query[tuple[int, TaskList | None]] = Query(all_lists(), _all_row, is_heavy=True)

_ONE: Query[TaskList] = Query(
    select(
        *LIST_COLUMNS,
        living(func.count())
        .where(TaskRow.list_id == ListRow.id, TaskRow.completed_at.is_(None))
        .correlate(ListRow)
        .scalar_subquery(),
    ).where(in_space(ListRow), ListRow.id == _LIST_ID),
    TaskList,
)


def _insert(stamp: FromClause) -> ReturningInsert[Any]:
    at = bindparam("now", type_=UtcInstant)
    values = {
        "space_id": SPACE,
        "id": _LIST_ID,
        "name": bindparam("name", type_=ListRow.name.type),
        "color": bindparam("color", type_=ListRow.name.type),
        "position": func.coalesce(bindparam("position", type_=BigInteger), at_the_end()),
        "revision": stamp.c.revision,
        "created_at": at,
        "updated_at": at,
    }
    return (
        insert(ListRow)
        .from_select(list(values), select(*values.values()).select_from(stamp))
        .returning(*LIST_COLUMNS)
    )


_INSERT: Query[TaskList] = Query(with_next_revision(_insert), TaskList)

_REVISION = bindparam("revision", type_=BigInteger)
_NOW = bindparam("now", type_=UtcInstant)

_REWRITE: Query[str] = Query(
    update(ListRow)
    .values(
        name=bindparam("name"),
        color=bindparam("color"),
        position=bindparam("position", type_=BigInteger),
        revision=_REVISION,
        updated_at=_NOW,
    )
    .where(in_space(ListRow), ListRow.id == _LIST_ID)
    .returning(ListRow.id),
    str,
)

_REMOVE: Query[str] = Query(
    delete(ListRow).where(in_space(ListRow), ListRow.id == _LIST_ID).returning(ListRow.id), str
)

_LIVING: Query[int] = Query(living(func.count()).where(TaskRow.list_id == _LIST_ID), int, is_heavy=True)
"""How many tasks of the list are not in the trash."""

_EMPTY: Query[int] = Query(
    update(TaskRow)
    .values(
        list_id=null(),
        deleted_at=case(
            (bindparam("with_tasks"), func.coalesce(TaskRow.deleted_at, _NOW)),
            else_=TaskRow.deleted_at,
        ),
        revision=_REVISION,
        updated_at=_NOW,
    )
    .where(in_space(TaskRow), TaskRow.list_id == _LIST_ID),
    int,
    is_heavy=True,
)


async def every(lane: Lane, actor: Principal, space: SpaceAccess) -> Lists:
    """All lists of the space; they are few, so there are no pages."""
    rows = await lane.rows(_ALL, **readable(actor, space))
    if not rows:
        raise Unauthorized
    return Lists([item for _, item in rows if item is not None], rows[0][0])


async def get(lane: Lane, actor: Principal, space: SpaceAccess, list_id: str) -> TaskList:
    """Raises:
    NotFound: there is no such list, or it is somebody else's.
    """
    found = await lane.row(_ONE, **readable(actor, space), list_id=list_id)
    if found is None:
        raise NotFound("There is no such list.")
    return found


async def create(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    *,
    name: str,
    color: str | None = None,
    position: int | None = None,
    list_id: str | None = None,
) -> TaskList:
    """Adds a list, at the end where no position is named."""
    made = await lane.row(
        _INSERT,
        **writable(actor, space),
        list_id=list_id or new_id(),
        name=name,
        color=color,
        position=position,
        now=now(),
    )
    if made is None:
        async with lane.transaction() as transaction:
            await lock_space(transaction, space)  # says why
        raise Unauthorized
    return made


async def change(
    lane: Lane, actor: Principal, space: SpaceAccess, list_id: str, changes: ListChanges, *, if_match: IfMatch = None
) -> TaskList:
    """Changes the named fields; nothing is written where none of them differs.

    Raises:
        NotFound: see ``get``.
        PreconditionFailed: see ``Precondition.require``.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        before = await get(transaction, actor, space, list_id)
        require(if_match, before)
        after = replace(before, **cast(dict[str, Any], changes))
        if after == before:
            return before
        after = replace(after, revision=await next_revision(transaction, locked), updated_at=now())
        await transaction.rows(
            _REWRITE,
            **readable(actor, space),
            list_id=list_id,
            name=after.name,
            color=after.color,
            position=after.position,
            revision=after.revision,
            now=after.updated_at,
        )
        return after


async def remove(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    list_id: str,
    *,
    with_tasks: bool = False,
    if_match: IfMatch = None,
) -> None:
    """Removes the list. Its tasks stay, without a list, or all go to the trash.

    Raises:
        NotFound: see ``get``.
        PreconditionFailed: see ``change``.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        require(if_match, await get(transaction, actor, space, list_id))
        named = {**readable(actor, space), "list_id": list_id}
        gone = await transaction.row(_LIVING, **named) or 0 if with_tasks else 0
        revision = await next_revision(transaction, locked, living=-gone)
        await transaction.rows(_EMPTY, **named, with_tasks=with_tasks, revision=revision, now=now())
        await transaction.rows(_REMOVE, **named)


def require(if_match: IfMatch, found: TaskList) -> None:
    if if_match is not None:
        if_match.require(found.revision, "list")
