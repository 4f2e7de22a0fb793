"""The todos of the user in the path."""

from functools import partial
from typing import Annotated

import orjson
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
from taskwell.api.todos.schemas import (
    AS_JSON,
    Completion,
    DeletedOut,
    TodoBody,
    TodoListOut,
    TodoOut,
    TodoPatch,
    TodoQuery,
    todo_json,
)
from taskwell.errors import LimitReached
from taskwell.tasks import PageRequest, Task, TaskChanges, TaskFilter, TaskSort

router = APIRouter(prefix="/todos", tags=["todos"], route_class=LenientOperation)


@router.get("", summary="List todos", response_model=TodoListOut)
async def list_todos(call: Call, query: Annotated[TodoQuery, Query()]) -> LongList:
    wanted = TaskFilter(completed=COMPLETED_BY_STATUS[query.status])
    asked = PageRequest(wanted, TaskSort(query.sort_by, query.order == "desc"), limit=None, offset=query.offset)
    filters = query.model_dump(exclude={"offset"})

    def envelope(items: str, total: int) -> bytes:
        rest = orjson.dumps({"total": total, "filters_applied": filters})
        return b'{"todos":[%b],%b' % (items.encode(), rest[1:])

    return await long_list(call, asked, AS_JSON, envelope)


@router.post("", summary="Create a todo", status_code=201, response_model=TodoOut, responses=raises(LimitReached))
async def create_todo(call: Call, body: TodoBody) -> Tagged:
    return _tagged(call, await tasks.create(call.lane, call.user, call.space, body.draft()))


@router.get("/{todo_id}", summary="Get a todo", response_model=TodoOut)
async def get_todo(call: Call, todo_id: str) -> Tagged:
    return _tagged(call, await tasks.get(call.lane, call.user, call.space, todo_id))


@router.put("/{todo_id}", summary="Replace a todo", response_model=TodoOut)
async def replace_todo(call: Call, todo_id: str, body: TodoBody, if_match: IfMatch) -> Tagged:
    return _tagged(
        call, await tasks.change(call.lane, call.user, call.space, todo_id, body.changes(), if_match=if_match)
    )


@router.patch("/{todo_id}", summary="Change some fields of a todo", response_model=TodoOut)
async def change_todo(call: Call, todo_id: str, body: TodoPatch, if_match: IfMatch) -> Tagged:
    return _tagged(
        call, await tasks.change(call.lane, call.user, call.space, todo_id, body.changes(), if_match=if_match)
    )


@router.patch("/{todo_id}/complete", summary="Complete or reopen a todo", response_model=TodoOut)
async def complete_todo(call: Call, todo_id: str, body: Completion, if_match: IfMatch) -> Tagged:
    changes = TaskChanges(completed=body.completed)
    return _tagged(call, await tasks.change(call.lane, call.user, call.space, todo_id, changes, if_match=if_match))


@router.delete("/{todo_id}", summary="Delete a todo", response_model=DeletedOut)
async def delete_todo(call: Call, todo_id: str, if_match: IfMatch) -> Response:
    await tasks.delete(call.lane, call.user, call.space, todo_id, if_match=if_match)
    return json_response({"message": "Todo deleted successfully", "deleted_id": todo_id}, headers=FRESH)


def _tagged(call: Call, task: Task) -> Tagged:
    return Tagged(partial(todo_json, task, call.user.subject), etag(task.revision))
