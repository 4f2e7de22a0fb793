"""v1: lists."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell.api.answers import Made, Tagged
from taskwell.api.call import Call
from taskwell.api.conditional import IfMatchCounted, etag, weak
from taskwell.api.failures import raises
from taskwell.api.in_space import SpaceOperation, SpacesQuery, space_to_write
from taskwell.api.v1.list_schemas import (
    ListBody,
    ListOut,
    ListPatch,
    ListsOut,
    MoveListBody,
    RemoveListQuery,
    ShareBody,
    list_json,
)
from taskwell.api.v1.space_schemas import SpaceOut, space_json
from taskwell.errors import IdTaken, LimitReached
from taskwell.tasks import collections, lists, moves
from taskwell.tasks.lists import TaskList

router = APIRouter(prefix="/lists", tags=["lists"], route_class=SpaceOperation)


@router.get("", summary="List your lists in their order", response_model=ListsOut)
async def list_lists(call: Call, query: Annotated[SpacesQuery, Query()]) -> Tagged:
    found = await collections.every_list(call.lane, call.user, call.spaces)
    return Tagged(lambda: {"items": [list_json(each) for each in found.items]}, weak(f'"{found.version}"'))


@router.post("", summary="Create a list", status_code=201, response_model=ListOut)
async def create_list(call: Call, body: ListBody) -> Made:
    made = await lists.create(
        call.lane, call.user, call.space, name=body.name, color=body.color, position=body.position
    )
    return Made(partial(list_json, made), etag(made.revision, made.open_tasks), made.id)


@router.get("/{list_id}", summary="Get a list", response_model=ListOut)
async def get_list(call: Call, list_id: str) -> Tagged:
    return _tagged(await lists.get(call.lane, call.user, call.space, list_id))


@router.patch("/{list_id}", summary="Rename, colour or move a list", response_model=ListOut)
async def change_list(call: Call, list_id: str, body: ListPatch, if_match: IfMatchCounted) -> Tagged:
    return _tagged(await lists.change(call.lane, call.user, call.space, list_id, body.changes(), if_match=if_match))


@router.delete("/{list_id}", summary="Delete a list and keep its tasks, or not", status_code=204)
async def delete_list(
    call: Call, list_id: str, query: Annotated[RemoveListQuery, Query()], if_match: IfMatchCounted
) -> Response:
    await lists.remove(call.lane, call.user, call.space, list_id, with_tasks=query.delete_tasks, if_match=if_match)
    return Response(status_code=204)


@router.post(
    "/{list_id}/move",
    summary="Move a list with its tasks to another space",
    response_model=ListOut,
    responses=raises(IdTaken, LimitReached),
)
async def move_list(call: Call, list_id: str, body: MoveListBody, if_match: IfMatchCounted) -> Tagged:
    """Its tasks in the trash go with it."""
    target = await space_to_write(call, body.space_id)
    return _tagged(await moves.move_list(call.lane, call.user, call.space, list_id, target, if_match=if_match))


@router.post(
    "/{list_id}/share",
    summary="Make a shared space of a list",
    status_code=201,
    response_model=SpaceOut,
    responses=raises(LimitReached),
)
async def share_list(call: Call, list_id: str, body: ShareBody | None = None) -> Tagged:
    """You own it; invite others to it next."""
    name = None if body is None else body.name
    shared = await moves.share_list(call.lane, call.user, call.space, list_id, name=name)
    call.shown.add(shared.id)
    return Tagged(partial(space_json, shared), etag(shared.changed_revision))


def _tagged(shown: TaskList) -> Tagged:
    return Tagged(partial(list_json, shown), etag(shown.revision, shown.open_tasks))
