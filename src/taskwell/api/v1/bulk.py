"""v1: many operations on tasks as one write."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from taskwell.api.bodies import validated
from taskwell.api.call import Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.in_space import SpaceOperation, space_to_write
from taskwell.api.problems import problem
from taskwell.api.replies import FRESH, json_response
from taskwell.api.v1.bulk_schemas import BulkBody, BulkOut, OperationBody
from taskwell.api.v1.schemas import MoveBody, NewTask, TaskPatch, task_json
from taskwell.errors import (
    AppError,
    IdTaken,
    Invalid,
    LimitReached,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    ReadOnly,
)
from taskwell.spaces import SpaceAccess
from taskwell.spaces.precondition import IfMatch, Precondition
from taskwell.tasks import Task, TaskChanges, bulk
from taskwell.tasks.fields import UUID
from taskwell.tasks.service import no_such_task


class BulkOperation(SpaceOperation):
    """An operation whose body is a list of operations, so that what is wrong with it is often wrong with one."""

    async def _body(self, call: RequestContext, model: type[BaseModel], *, is_optional: bool) -> BaseModel | None:
        try:
            return await super()._body(call, model, is_optional=is_optional)
        except Invalid as error:
            found = _IN_OPERATION.match(error.errors[0].field)
            error.index = int(found[1]) if found else None
            raise


router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=BulkOperation)
_IN_OPERATION = re.compile(r"operations\.(\d+)")


@router.post(
    "/bulk",
    summary="Apply up to 500 operations as one write",
    response_model=BulkOut,
    responses=raises(NotFound, IdTaken, LimitReached, PreconditionFailed, PreconditionRequired),
)
async def apply_bulk(call: Call, body: BulkBody) -> Response:
    """Atomic unless told otherwise: all or nothing, and a failure names its operation in ``index``."""
    targets = await _targets(call, body)
    operations = [_operation(call, each, targets) for each in body.operations]
    if body.atomic:
        _refuse_invalid(operations)
    outcomes = await bulk.bulk(call.lane, call.user, call.space, operations, atomic=body.atomic)
    results = [
        _result(call, index, operation, outcome)
        for index, (operation, outcome) in enumerate(zip(body.operations, outcomes, strict=True))
    ]
    return json_response({"results": results}, headers=FRESH)


async def _targets(call: Call, body: BulkBody) -> Mapping[str, SpaceAccess | AppError]:
    """The spaces that the bulk moves tasks to, by what it calls them; or why the caller may not write there."""
    found: dict[str, SpaceAccess | AppError] = {}
    for name in {each.target for each in body.operations if each.target is not None}:
        try:
            found[name] = await space_to_write(call, name)
        except (NotFound, ReadOnly) as error:
            found[name] = error
    return found


def _operation(call: Call, body: OperationBody, targets: Mapping[str, SpaceAccess | AppError]) -> bulk.Operation:
    """What the domain does for it, or why it cannot; the fields in errors are named from ``data`` down."""
    try:
        if body.op == "create":
            new = validated(NewTask, body.data, "body", is_strict=True)
            return bulk.Create(new.draft(call.user), new.id or None)
        return _move(call, body, targets) if body.op == "move" else _rewrite(call, body)
    except AppError as error:
        return error


def _rewrite(call: Call, body: OperationBody) -> bulk.Rewrite:
    becomes = _becomes(call, body)
    return bulk.Rewrite(_task_id(body), becomes, _if_match(call, body), in_trash=body.op == "restore")


def _move(call: Call, body: OperationBody, targets: Mapping[str, SpaceAccess | AppError]) -> bulk.MoveTo:
    where = validated(MoveBody, body.data, "body", is_strict=True)
    target = targets[where.space_id]
    if isinstance(target, AppError):
        raise target
    return bulk.MoveTo(_task_id(body), target, where.list_id, _if_match(call, body))


def _task_id(body: OperationBody) -> str:
    if body.id is None or not UUID.fullmatch(body.id):
        raise no_such_task()
    return body.id.lower()


def _if_match(call: Call, body: OperationBody) -> IfMatch:
    if body.if_match is None and body.op != "restore" and call.settings.require_if_match:
        raise PreconditionRequired("Name in if_match the revision that you read.")
    return None if body.if_match is None else Precondition(frozenset({body.if_match}))


def _becomes(call: Call, body: OperationBody) -> Callable[[Task, datetime], Task]:
    if body.op == "delete":
        return Task.deleted
    if body.op == "restore":
        return Task.restored
    if body.op == "update":
        changes = validated(TaskPatch, body.data, "body", is_strict=True).changes(call.user)
    else:
        changes = TaskChanges(completed=body.op == "complete")
    return lambda task, now: task.changed(changes, now)


def _refuse_invalid(operations: list[bulk.Operation]) -> None:
    """Values are judged before existence, so every wrong one is told before anything is looked up."""
    broken = [
        (index, error.under(f"operations.{index}.data"))
        for index, error in enumerate(operations)
        if isinstance(error, Invalid)
    ]
    if broken:
        refusal = Invalid([each for _, error in broken for each in error.errors])
        refusal.index = broken[0][0]
        raise refusal


def _result(call: Call, index: int, operation: OperationBody, outcome: bulk.Outcome) -> dict[str, Any]:
    if isinstance(outcome, AppError):
        return {"index": index, "status": outcome.status, "problem": problem(outcome, call.request_id)}
    if operation.op == "delete":
        return {"index": index, "status": 204}
    status = 201 if operation.op == "create" else 200
    return {"index": index, "status": status, "task": task_json(outcome, call.user.subject)}
