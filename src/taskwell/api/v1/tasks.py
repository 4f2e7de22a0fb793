"""v1: tasks."""

from functools import lru_cache, partial
from hashlib import blake2b
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell import tasks
from taskwell.api.answers import Made, Paged, Tagged
from taskwell.api.call import Call
from taskwell.api.conditional import IfMatch, etag, is_unchanged, weak
from taskwell.api.failures import raises
from taskwell.api.in_space import ALL, SpaceOperation, space_to_write
from taskwell.api.v1.schemas import (
    AS_JSON,
    AS_TRASHED_JSON,
    Completion,
    DeleteQuery,
    MoveBody,
    NewTask,
    TaskBody,
    TaskOut,
    TaskPageOut,
    TaskPatch,
    TaskQuery,
    TrashPageOut,
    TrashQuery,
    task_json,
)
from taskwell.errors import IdTaken, LimitReached
from taskwell.tasks import Page, PageRequest, Projection, Task, moves, several_spaces

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=SpaceOperation)


@router.get("", summary="List tasks", response_model=TaskPageOut)
async def list_tasks(call: Call, query: Annotated[TaskQuery, Query()]) -> Paged:
    return await _paged(call, query, AS_JSON)


@router.post(
    "",
    summary="Create a task",
    status_code=201,
    response_model=TaskOut,
    responses=raises(IdTaken, LimitReached),
)
async def create_task(call: Call, body: NewTask) -> Made:
    task = await tasks.create(call.lane, call.user, call.space, body.draft(call.user), task_id=body.id or None)
    return Made(partial(task_json, task, call.user.subject), etag(task.revision), task.id)


@router.get("/trash", summary="List the trash, newest first", response_model=TrashPageOut)
async def list_trash(call: Call, query: Annotated[TrashQuery, Query()]) -> Paged:
    return await _paged(call, query, AS_TRASHED_JSON)


@router.get("/{task_id}", summary="Get a task", response_model=TaskOut)
async def get_task(call: Call, task_id: str) -> Tagged:
    return _tagged(call, await tasks.get(call.lane, call.user, call.space, task_id))


@router.put("/{task_id}", summary="Replace a task", response_model=TaskOut)
async def replace_task(call: Call, task_id: str, body: TaskBody, if_match: IfMatch) -> Tagged:
    changes = body.draft(call.user).changes()
    return _tagged(call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=if_match))


@router.patch("/{task_id}", summary="Change some fields of a task", response_model=TaskOut)
async def change_task(call: Call, task_id: str, body: TaskPatch, if_match: IfMatch) -> Tagged:
    return _tagged(
        call,
        await tasks.change(call.lane, call.user, call.space, task_id, body.changes(call.user), if_match=if_match),
    )


@router.patch("/{task_id}/complete", summary="Complete, reopen or toggle a task", response_model=TaskOut)
async def complete_task(call: Call, task_id: str, if_match: IfMatch, body: Completion | None = None) -> Tagged:
    if body is None or not body.model_fields_set:
        return _tagged(call, await tasks.toggle(call.lane, call.user, call.space, task_id, if_match=if_match))
    changes = tasks.TaskChanges(completed=body.completed)
    return _tagged(call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=if_match))


@router.delete("/{task_id}", summary="Move a task to the trash", status_code=204)
async def delete_task(
    call: Call, task_id: str, query: Annotated[DeleteQuery, Query()], if_match: IfMatch
) -> Response:
    remove = tasks.erase if query.permanent else tasks.delete
    await remove(call.lane, call.user, call.space, task_id, if_match=if_match)
    return Response(status_code=204)


@router.post(
    "/{task_id}/restore",
    summary="Take a task out of the trash",
    response_model=TaskOut,
    responses=raises(LimitReached),
)
async def restore_task(call: Call, task_id: str) -> Tagged:
    return _tagged(call, await tasks.restore(call.lane, call.user, call.space, task_id))


@router.post(
    "/{task_id}/move",
    summary="Move a task to another space or list",
    response_model=TaskOut,
    responses=raises(IdTaken, LimitReached),
)
async def move_task(call: Call, task_id: str, body: MoveBody, if_match: IfMatch) -> Tagged:
    """Its tags, comments and reminders go with it."""
    target = await space_to_write(call, body.space_id)
    moved = await moves.move_task(
        call.lane, call.user, call.space, task_id, target, list_id=body.list_id, if_match=if_match
    )
    return _tagged(call, moved)


def _tagged(call: Call, task: Task) -> Tagged:
    return Tagged(partial(task_json, task, call.user.subject), etag(task.revision))


async def _paged(call: Call, query: TaskQuery | TrashQuery, projection: Projection[str]) -> Paged:
    """The page; one small statement instead of it where the caller has it already."""
    asked, spaces, are_all = query.asked(call.user), call.spaces, ALL in query.space
    has_etag = not asked.wanted.reads_clock
    if has_etag and call.headers(b"if-none-match"):
        version = await several_spaces.version(call.lane, call.user, spaces, asked, are_all=are_all)
        known = page_etag(call, asked, version)
        if is_unchanged(call, known):
            return Paged(bytes, known)
    page = await several_spaces.page(call.lane, call.user, spaces, asked, projection, are_all=are_all)
    tag = page_etag(call, asked, page.version) if has_etag else None
    return Paged(partial(_envelope, page), tag, page.next_cursor)


def page_etag(call: Call, asked: PageRequest, version: str) -> str:
    """The version and what was asked: any write to the space makes every one of its lists new."""
    return weak(f'"{version}-{_digest(asked, call.user.subject, tuple(each.time_zone for each in call.spaces))}"')


@lru_cache(maxsize=4096)
def _digest(*asked: object) -> str:
    return blake2b(repr(asked).encode(), digest_size=9).hexdigest()


def _envelope(page: Page[str]) -> bytes:
    """The items are JSON text already."""
    rest: dict[str, object] = {"next_cursor": page.next_cursor}
    if page.total is not None:
        rest["total"] = page.total
    return b'{"items":[%b],%b' % (",".join(page.items).encode(), orjson.dumps(rest)[1:])
