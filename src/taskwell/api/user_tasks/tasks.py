"""The tasks of the user in the path."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell import tasks
from taskwell.api.call import Call
from taskwell.api.conditional import etag, if_match, tagged_response
from taskwell.api.failures import raises
from taskwell.api.long_lists import long_list
from taskwell.api.operation import LenientOperation
from taskwell.api.replies import FRESH, json_response
from taskwell.api.task_members import COMPLETED_BY_STATUS
from taskwell.api.user_tasks.schemas import (
    AS_JSON,
    Completion,
    TaskBody,
    TaskOut,
    TaskPatch,
    TaskQuery,
    task_json,
)
from taskwell.errors import LimitReached
from taskwell.tasks import PageRequest, Priority, Task, TaskChanges, TaskFilter, TaskSort

router = APIRouter(prefix="/tasks", route_class=LenientOperation)
"""What both contracts have: all but the deletion."""


@router.get("", summary="List tasks", response_model=list[TaskOut])
async def list_tasks(call: Call, query: Annotated[TaskQuery, Query()]) -> Response:
    states = {query.completed, COMPLETED_BY_STATUS[query.status]} - {None}
    if len(states) > 1:  # both pending and completed: there is no such task
        return json_response([], headers=FRESH)
    asked = PageRequest(
        TaskFilter(
            completed=states.pop() if states else None,
            priorities=tuple(Priority[name] for name in query.priority),
            tags=tuple(query.tags),
            search=query.search or None,
        ),
        _sort(query),
        query.limit,
        offset=query.offset,
    )
    found = await long_list(call, asked, AS_JSON)
    return Response(f"[{found.items}]", headers=found.headers, media_type="application/json")


def _sort(query: TaskQuery) -> TaskSort:
    key = query.sort or query.sort_by or "created_at"
    return TaskSort("due" if key == "due_date" else key, (query.order or query.sort_order) != "asc")


@router.post(
    "",
    summary="Create a task",
    status_code=201,
    response_model=TaskOut,
    responses=raises(LimitReached),
)
async def create_task(call: Call, body: TaskBody) -> Response:
    return _task_response(call, await tasks.create(call.lane, call.user, call.space, body.draft()), 201)


@router.get("/{task_id}", summary="Get a task", response_model=TaskOut)
async def get_task(call: Call, task_id: str) -> Response:
    return _task_response(call, await tasks.get(call.lane, call.user, call.space, task_id))


@router.put("/{task_id}", summary="Change the named fields of a task", response_model=TaskOut)
@router.patch("/{task_id}", summary="Change the named fields of a task", response_model=TaskOut)
async def change_task(call: Call, task_id: str, body: TaskPatch) -> Response:
    return _task_response(
        call, await tasks.change(call.lane, call.user, call.space, task_id, body.changes(), if_match=if_match(call))
    )


@router.patch("/{task_id}/complete", summary="Complete, reopen or toggle a task", response_model=TaskOut)
async def complete_task(call: Call, task_id: str, body: Completion | None = None) -> Response:
    expected = if_match(call)
    if body is None or body.completed is None:
        return _task_response(call, await tasks.toggle(call.lane, call.user, call.space, task_id, if_match=expected))
    changes = TaskChanges(completed=body.completed)
    return _task_response(
        call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=expected)
    )


async def delete_task(call: Call, task_id: str) -> Response:
    await tasks.delete(call.lane, call.user, call.space, task_id, if_match=if_match(call))
    return Response(status_code=204, headers=FRESH)


async def delete_task_with_answer(call: Call, task_id: str) -> Response:
    """The answer has a body, since these clients parse one."""
    await tasks.delete(call.lane, call.user, call.space, task_id, if_match=if_match(call))
    return json_response({"message": "Task deleted", "id": task_id}, headers=FRESH)


def _task_response(call: Call, task: Task, status: int = 200) -> Response:
    shown = partial(task_json, task, call.user.subject)
    return tagged_response(call, etag(task.revision), shown, status=status)
