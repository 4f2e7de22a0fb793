"""v1: what a user's tasks add up to."""

from fastapi import APIRouter
from starlette.responses import Response

from taskwell.api.call import Call
from taskwell.api.in_space import SpaceOperation
from taskwell.api.replies import FRESH, json_response
from taskwell.tasks.stats import Stats, stats

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=SpaceOperation)


@router.get("/stats", summary="Get counts and rates in your time zone", response_model=Stats)
async def get_stats(call: Call) -> Response:
    return json_response(await stats(call.lane, call.user, call.space), headers=FRESH)
