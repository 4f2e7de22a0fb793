"""The verbs of comments: what members say about a task."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BigInteger, Text, bindparam, delete, insert, select, update

from taskwell.database import Lane, Query, UtcInstant, UuidText, new_id, now
from taskwell.errors import NotAuthor, NotFound
from taskwell.spaces import SpaceAccess
from taskwell.spaces.precondition import IfMatch
from taskwell.spaces.revision import SPACE, lock_space, next_revision
from taskwell.tasks import service, tombstones
from taskwell.tasks.tables import CommentRow
from taskwell.tasks.visibility import ACTOR, in_space, readable
from taskwell.users.principal import Principal

MAX_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody has said about a task. The order of the fields is that of ``_COLUMNS``."""

    id: str
    task_id: str
    author_id: str
    text: str
    revision: int
    created_at: datetime
    updated_at: datetime


_COLUMNS = (
    CommentRow.id,
    CommentRow.task_id,
    CommentRow.author_id,
    CommentRow.text,
    CommentRow.revision,
    CommentRow.created_at,
    CommentRow.updated_at,
)
_ID = bindparam("comment_id", type_=UuidText)
_TASK_ID = bindparam("task_id", type_=UuidText)
_TEXT = bindparam("text", type_=Text)
_REVISION = bindparam("revision", type_=BigInteger)
_NOW = bindparam("now", type_=UtcInstant)
_OF_TASK = (in_space(CommentRow), CommentRow.task_id == _TASK_ID)
_IS_IT = (*_OF_TASK, CommentRow.id == _ID)

_LIST: Query[Comment] = Query(
    select(*_COLUMNS).where(*_OF_TASK).order_by(CommentRow.created_at, CommentRow.id), Comment, is_heavy=True
)
_ONE: Query[Comment] = Query(select(*_COLUMNS).where(*_IS_IT), Comment)
_ADD: Query[Comment] = Query(
    insert(CommentRow)
    .values(
        space_id=SPACE,
        id=_ID,
        task_id=_TASK_ID,
        author_id=ACTOR,
        text=_TEXT,
        revision=_REVISION,
        created_at=_NOW,
        updated_at=_NOW,
    )
    .returning(*_COLUMNS),
    Comment,
)
_CHANGE: Query[str] = Query(
    update(CommentRow)
    .values(text=_TEXT, revision=_REVISION, updated_at=_NOW)
    .where(*_IS_IT)
    .returning(CommentRow.id),
    str,
)
_REMOVE: Query[str] = Query(delete(CommentRow).where(*_IS_IT).returning(CommentRow.id), str)


async def of_task(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str) -> list[Comment]:
    """The comments on the task, the oldest first.

    Raises:
        NotFound: there is no such task, or it is in the trash.
    """
    await service.get(lane, actor, space, task_id)
    return await lane.rows(_LIST, **readable(actor, space), task_id=task_id)


async def add(lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, text: str) -> Comment:
    """Raises:
    NotFound: see ``of_task``.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        await service.get(transaction, actor, space, task_id)
        added = await transaction.row(
            _ADD,
            **readable(actor, space),
            comment_id=new_id(),
            task_id=task_id,
            text=text,
            revision=await next_revision(transaction, locked),
            now=now(),
        )
    assert added is not None
    return added


async def change(
    lane: Lane,
    actor: Principal,
    space: SpaceAccess,
    task_id: str,
    comment_id: str,
    *,
    text: str,
    if_match: IfMatch = None,
) -> Comment:
    """Changes the actor's own comment; nothing is written where the text stays the same.

    Raises:
        NotFound: there is no such comment on the task.
        NotAuthor: somebody else wrote it.
        PreconditionFailed: see ``Precondition.require``.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        before = await _found(transaction, actor, space, task_id, comment_id)
        if before.author_id != actor.user_id:
            raise NotAuthor("Only its author can change a comment.")
        _require(if_match, before)
        if text == before.text:
            return before
        after = replace(before, text=text, revision=await next_revision(transaction, locked), updated_at=now())
        await transaction.rows(
            _CHANGE,
            **readable(actor, space),
            task_id=task_id,
            comment_id=comment_id,
            text=text,
            revision=after.revision,
            now=after.updated_at,
        )
    return after


async def remove(
    lane: Lane, actor: Principal, space: SpaceAccess, task_id: str, comment_id: str, *, if_match: IfMatch = None
) -> None:
    """Removes a comment for good: the actor's own, or as an owner anybody's.

    Raises:
        NotFound: see ``change``.
        NotAuthor: somebody else wrote it.
        PreconditionFailed: see ``change``.
    """
    async with lane.transaction() as transaction:
        locked = await lock_space(transaction, space)
        found = await _found(transaction, actor, space, task_id, comment_id)
        if actor.user_id != found.author_id and space.role != "owner":
            raise NotAuthor("Only its author or an owner of the space can delete a comment.")
        _require(if_match, found)
        revision = await next_revision(transaction, locked)
        await transaction.rows(_REMOVE, **readable(actor, space), task_id=task_id, comment_id=comment_id)
        await tombstones.leave(transaction, space.id, "comment", [comment_id], revision=revision, at=now())


async def _found(transaction: Lane, actor: Principal, space: SpaceAccess, task_id: str, comment_id: str) -> Comment:
    await service.get(transaction, actor, space, task_id)
    found = await transaction.row(_ONE, **readable(actor, space), task_id=task_id, comment_id=comment_id)
    if found is None:
        raise NotFound("There is no such comment.")
    return found


def _require(if_match: IfMatch, found: Comment) -> None:
    if if_match is not None:
        if_match.require(found.revision, "comment")
