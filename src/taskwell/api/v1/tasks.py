"""v1: tasks."""

from functools import lru_cache, partial
from hashlib import blake2b
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell import tasks
from taskwell.api.call import Call
from taskwell.api.conditional import etag, if_match, is_unchanged, tagged_response, weak
from taskwell.api.failures import raises
from taskwell.api.operation import Operation
from taskwell.api.replies import FRESH
from taskwell.api.v1.schemas import (
    AS_JSON,
    AS_TRASHED_JSON,
    Completion,
    DeleteQuery,
    TaskBody,
    TaskOut,
    TaskPageOut,
    TaskPatch,
    TaskQuery,
    TrashPageOut,
    TrashQuery,
    task_json,
)
from taskwell.errors import LimitReached
from taskwell.tasks import Page, PageRequest, Projection, Task

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Operation)


@router.get("", summary="List tasks", response_model=TaskPageOut)
async def list_tasks(call: Call, query: Annotated[TaskQuery, Query()]) -> Response:
    return await page_response(call, query.asked(), AS_JSON)


@router.post(
    "",
    summary="Create a task",
    status_code=201,
    response_model=TaskOut,
    responses=raises(LimitReached),
)
async def create_task(call: Call, body: TaskBody) -> Response:
    task = await tasks.create(call.lane, call.user, call.space, body.draft())
    return task_response(call, task, 201, {"Location": f"{call.base_path}/{task.id}"})


@router.get("/trash", summary="List the trash, newest first", response_model=TrashPageOut)
async def list_trash(call: Call, query: Annotated[TrashQuery, Query()]) -> Response:
    return await page_response(call, query.asked(), AS_TRASHED_JSON)


@router.get("/{task_id}", summary="Get a task", response_model=TaskOut)
async def get_task(call: Call, task_id: str) -> Response:
    return task_response(call, await tasks.get(call.lane, call.user, call.space, task_id))


@router.put("/{task_id}", summary="Replace a task", response_model=TaskOut)
async def replace_task(call: Call, task_id: str, body: TaskBody) -> Response:
    changes = body.draft().changes()
    return task_response(
        call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=if_match(call))
    )


@router.patch("/{task_id}", summary="Change some fields of a task", response_model=TaskOut)
async def change_task(call: Call, task_id: str, body: TaskPatch) -> Response:
    changes = body.changes()
    return task_response(
        call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=if_match(call))
    )


@router.patch("/{task_id}/complete", summary="Complete, reopen or toggle a task", response_model=TaskOut)
async def complete_task(call: Call, task_id: str, body: Completion | None = None) -> Response:
    expected = if_match(call)
    if body is None or not body.model_fields_set:
        return task_response(call, await tasks.toggle(call.lane, call.user, call.space, task_id, if_match=expected))
    changes = tasks.TaskChanges(completed=body.completed)
    return task_response(
        call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=expected)
    )


@router.delete("/{task_id}", summary="Move a task to the trash", status_code=204)
async def delete_task(call: Call, task_id: str, query: Annotated[DeleteQuery, Query()]) -> Response:
    remove = tasks.erase if query.permanent else tasks.delete
    await remove(call.lane, call.user, call.space, task_id, if_match=if_match(call))
    return Response(status_code=204)


@router.post(
    "/{task_id}/restore",
    summary="Take a task out of the trash",
    response_model=TaskOut,
    responses=raises(LimitReached),
)
async def restore_task(call: Call, task_id: str) -> Response:
    return task_response(call, await tasks.restore(call.lane, call.user, call.space, task_id))


def task_response(call: Call, task: Task, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The task with its ETag, or 304 where the caller has it already."""
    shown = partial(task_json, task, call.user.subject)
    return tagged_response(call, etag(task.revision), shown, status=status, headers=headers)


async def page_response(call: Call, asked: PageRequest, projection: Projection[str]) -> Response:
    """The page with its ETag; 304, for one small statement, where the caller has it already."""
    headers = dict(FRESH)
    has_etag = not asked.wanted.reads_clock
    if has_etag and call.headers(b"if-none-match"):
        tag = page_etag(call, asked, await tasks.version(call.lane, call.user, call.space, asked))
        if is_unchanged(call, tag):
            return Response(status_code=304, headers=headers | {"ETag": tag})
    page = await tasks.page(call.lane, call.user, call.space, asked, projection)
    if has_etag:
        headers["ETag"] = page_etag(call, asked, page.version)
    if page.next_cursor is not None:
        headers["Link"] = f'<{call.address_with("cursor", page.next_cursor)}>; rel="next"'
    return Response(_envelope(page), headers=headers, media_type="application/json")


def page_etag(call: Call, asked: PageRequest, version: str) -> str:
    """The version and what was asked: any write to the space makes every one of its lists new."""
    return weak(f'"{version}-{_digest(asked, call.user.subject, call.space.time_zone)}"')


@lru_cache(maxsize=4096)
def _digest(*asked: object) -> str:
    return blake2b(repr(asked).encode(), digest_size=9).hexdigest()


def _envelope(page: Page[str]) -> bytes:
    """The items are JSON text already."""
    rest: dict[str, object] = {"next_cursor": page.next_cursor}
    if page.total is not None:
        rest["total"] = page.total
    return b'{"items":[%b],%b' % (",".join(page.items).encode(), orjson.dumps(rest)[1:])
