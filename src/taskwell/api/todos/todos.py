"""The todos of the user in the path."""

from functools import partial
from typing import Annotated

import orjson
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
async def list_todos(call: Call, query: Annotated[TodoQuery, Query()]) -> Response:
    wanted = TaskFilter(completed=COMPLETED_BY_STATUS[query.status])
    asked = PageRequest(wanted, TaskSort(query.sort_by, query.order == "desc"), limit=None, offset=query.offset)
    found = await long_list(call, asked, AS_JSON)
    rest = orjson.dumps({"total": found.total, "filters_applied": query.model_dump(exclude={"offset"})})
    content = b'{"todos":[%b],%b' % (found.items.encode(), rest[1:])
    return Response(content, headers=found.headers, media_type="application/json")


@router.post(
    "",
    summary="Create a todo",
    status_code=201,
    response_model=TodoOut,
    responses=raises(LimitReached),
)
async def create_todo(call: Call, body: TodoBody) -> Response:
    return _todo_response(call, await tasks.create(call.lane, call.user, call.space, body.draft()), 201)


@router.get("/{todo_id}", summary="Get a todo", response_model=TodoOut)
async def get_todo(call: Call, todo_id: str) -> Response:
    return _todo_response(call, await tasks.get(call.lane, call.user, call.space, todo_id))


@router.put("/{todo_id}", summary="Replace a todo", response_model=TodoOut)
async def replace_todo(call: Call, todo_id: str, body: TodoBody) -> Response:
    return _todo_response(
        call, await tasks.change(call.lane, call.user, call.space, todo_id, body.changes(), if_match=if_match(call))
    )


@router.patch("/{todo_id}", summary="Change some fields of a todo", response_model=TodoOut)
async def change_todo(call: Call, todo_id: str, body: TodoPatch) -> Response:
    return _todo_response(
        call, await tasks.change(call.lane, call.user, call.space, todo_id, body.changes(), if_match=if_match(call))
    )


@router.patch("/{todo_id}/complete", summary="Complete or reopen a todo", response_model=TodoOut)
async def complete_todo(call: Call, todo_id: str, body: Completion) -> Response:
    changes = TaskChanges(completed=body.completed)
    return _todo_response(
        call, await tasks.change(call.lane, call.user, call.space, todo_id, changes, if_match=if_match(call))
    )


@router.delete("/{todo_id}", summary="Delete a todo", response_model=DeletedOut)
async def delete_todo(call: Call, todo_id: str) -> Response:
    await tasks.delete(call.lane, call.user, call.space, todo_id, if_match=if_match(call))
    return json_response({"message": "Todo deleted successfully", "deleted_id": todo_id}, headers=FRESH)


def _todo_response(call: Call, task: Task, status: int = 200) -> Response:
    shown = partial(todo_json, task, call.user.subject)
    return tagged_response(call, etag(task.revision), shown, status=status)
