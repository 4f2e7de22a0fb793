"""v1: tags. A tag has no id; its name in the path is percent-encoded, slashes included."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from taskwell.api.answers import Tagged
from taskwell.api.call import Call
from taskwell.api.conditional import weak
from taskwell.api.in_space import SpaceOperation, SpacesQuery
from taskwell.api.replies import FRESH, json_response
from taskwell.api.v1.list_schemas import TagBody, TagOut, TagsOut
from taskwell.tasks import collections, tags

router = APIRouter(prefix="/tags", tags=["tags"], route_class=SpaceOperation)


@router.get("", summary="List the tags of your tasks", response_model=TagsOut)
async def list_tags(call: Call, query: Annotated[SpacesQuery, Query()]) -> Tagged:
    found = await collections.every_tag(call.lane, call.user, call.spaces)
    return Tagged(lambda: {"items": [asdict(each) for each in found.items]}, weak(f'"{found.version}"'))


@router.patch("/{name}", summary="Rename a tag, or merge it into another", response_model=TagOut)
async def rename_tag(call: Call, name: str, body: TagBody) -> Response:
    return json_response(asdict(await tags.rename(call.lane, call.user, call.space, name, body.name)), headers=FRESH)


@router.delete("/{name}", summary="Take a tag off all tasks", status_code=204)
async def delete_tag(call: Call, name: str) -> Response:
    await tags.remove(call.lane, call.user, call.space, name)
    return Response(status_code=204)
