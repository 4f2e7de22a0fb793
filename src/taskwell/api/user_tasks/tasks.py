"""The tasks of the user in the path."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell import tasks
from taskwell.api.answers import Tagged
from taskwell.api.call import Call
from taskwell.api.conditional import IfMatch, etag
from taskwell.api.failures import raises
from taskwell.api.long_lists import LongList, long_list
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
async def list_tasks(call: Call, query: Annotated[TaskQuery, Query()]) -> LongList:
    states = {query.completed, COMPLETED_BY_STATUS[query.status]} - {None}
    if len(states) > 1:  # both pending and completed: there is no such task
        return LongList(lambda: b"[]")
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
    return await long_list(call, asked, AS_JSON, lambda items, _: f"[{items}]".encode())


def _sort(query: TaskQuery) -> TaskSort:
    key = query.sort or query.sort_by or "created_at"
    return TaskSort("due" if key == "due_date" else key, (query.order or query.sort_order) != "asc")


@router.post("", summary="Create a task", status_code=201, response_model=TaskOut, responses=raises(LimitReached))
async def create_task(call: Call, body: TaskBody) -> Tagged:
    return _tagged(call, await tasks.create(call.lane, call.user, call.space, body.draft()))


@router.get("/{task_id}", summary="Get a task", response_model=TaskOut)
async def get_task(call: Call, task_id: str) -> Tagged:
    return _tagged(call, await tasks.get(call.lane, call.user, call.space, task_id))


@router.put("/{task_id}", summary="Change the named fields of a task", response_model=TaskOut)
@router.patch("/{task_id}", summary="Change the named fields of a task", response_model=TaskOut)
async def change_task(call: Call, task_id: str, body: TaskPatch, if_match: IfMatch) -> Tagged:
    return _tagged(
        call, await tasks.change(call.lane, call.user, call.space, task_id, body.changes(), if_match=if_match)
    )


@router.patch("/{task_id}/complete", summary="Complete, reopen or toggle a task", response_model=TaskOut)
async def complete_task(call: Call, task_id: str, if_match: IfMatch, body: Completion | None = None) -> Tagged:
    if body is None or body.completed is None:
        return _tagged(call, await tasks.toggle(call.lane, call.user, call.space, task_id, if_match=if_match))
    changes = TaskChanges(completed=body.completed)
    return _tagged(call, await tasks.change(call.lane, call.user, call.space, task_id, changes, if_match=if_match))


async def delete_task(call: Call, task_id: str, if_match: IfMatch) -> Response:
    await tasks.delete(call.lane, call.user, call.space, task_id, if_match=if_match)
    return Response(status_code=204, headers=FRESH)


async def delete_task_with_answer(call: Call, task_id: str, if_match: IfMatch) -> Response:
    """The answer has a body, since these clients parse one."""
    await tasks.delete(call.lane, call.user, call.space, task_id, if_match=if_match)
    return json_response({"message": "Task deleted", "id": task_id}, headers=FRESH)


def _tagged(call: Call, task: Task) -> Tagged:
    return Tagged(partial(task_json, task, call.user.subject), etag(task.revision))
