"""``GET /metrics``."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter
from starlette.responses import Response

from taskwell.api.call import Call, Services
from taskwell.api.failures import raises
from taskwell.api.operation import LenientPublicOperation
from taskwell.api.replies import PRIVATE
from taskwell.errors import InvalidToken, NotFound, Unauthorized
from taskwell.observability import metrics as counted
from taskwell.security.bearer import require_operator

router = APIRouter(tags=["health"], route_class=LenientPublicOperation)

EXAMPLE = """\
# HELP taskwell_requests_in_flight Requests that are being answered.
# TYPE taskwell_requests_in_flight gauge
taskwell_requests_in_flight 1.0
"""
REFRESH_SECONDS = 1.0

OPERATORS = raises(Unauthorized, InvalidToken, NotFound)
"""The failures of an operation that ``require_operator`` guards."""


class TextResponse(Response):
    media_type = "text/plain"


@router.get(
    "/metrics",
    summary="Everything counted, for Prometheus",
    response_class=TextResponse,
    responses=OPERATORS | {200: {"content": {"text/plain": {"example": EXAMPLE}}}},
)
async def metrics(call: Call) -> Response:
    require_operator(call.settings, call.headers(b"authorization"))
    counted.refresh_gauges()
    content = await asyncio.to_thread(counted.exposition)  # with many routes and processes it takes long
    return Response(content, headers=PRIVATE, media_type=counted.MEDIA_TYPE)


@asynccontextmanager
async def refreshing_gauges(services: Services, in_flight: Callable[[], int]) -> AsyncIterator[None]:
    """Keeps the gauges of a serving process true while the block runs."""

    def refresh() -> None:
        pool = services.database.pool_use()
        counted.IN_FLIGHT.set(in_flight())
        counted.POOL_CONNECTIONS.labels("in_use").set(pool.in_use)
        counted.POOL_CONNECTIONS.labels("idle").set(pool.open - pool.in_use)
        counted.POOL_LIMIT.set(pool.limit)
        counted.POOL_WAITING.set(pool.waiting)

    with counted.observing_process(services.database.name, refresh):
        refreshing = asyncio.create_task(_refresh_again()) if counted.IS_SHARED else None
        try:
            yield
        finally:
            if refreshing is not None:
                refreshing.cancel()


async def _refresh_again() -> None:
    """The other processes read what this one has last written."""
    while True:
        counted.refresh_gauges()
        await asyncio.sleep(REFRESH_SECONDS)
