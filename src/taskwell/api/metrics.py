"""``GET /metrics``, and who may read what only an operator should."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hmac import compare_digest

from fastapi import APIRouter
from starlette.responses import Response

from taskwell import process, telemetry
from taskwell.api.call import Call, RequestContext, Services
from taskwell.api.failures import raises
from taskwell.api.identity import bearer_token
from taskwell.api.operation import LenientPublicOperation
from taskwell.api.replies import PRIVATE
from taskwell.errors import InvalidToken, NotFound, Unauthorized

router = APIRouter(tags=["health"], route_class=LenientPublicOperation)

EXAMPLE = """\
# HELP taskwell_requests_in_flight Requests that are being answered.
# TYPE taskwell_requests_in_flight gauge
taskwell_requests_in_flight 1
"""
LOOK_SECONDS = 1.0

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
    require_operator(call)
    return Response(telemetry.exposition(), headers=PRIVATE, media_type=telemetry.MEDIA_TYPE)


def require_operator(call: RequestContext) -> None:
    """Lets anybody pass in development, and in production whoever has ``METRICS_TOKEN``.

    Raises:
        NotFound: in production without that setting there is nothing here.
        Unauthorized: no token was sent.
        InvalidToken: it is another one.
    """
    if not call.settings.is_production:
        return
    expected = call.settings.metrics_token
    if expected is None:
        raise NotFound("There is nothing at this address.")
    given = bearer_token(call.headers(b"authorization"))
    if not compare_digest(given, expected.get_secret_value().encode()):
        raise InvalidToken("This is not the METRICS_TOKEN.")


@asynccontextmanager
async def of(services: Services, in_flight: Callable[[], int]) -> AsyncIterator[None]:
    """Keeps the gauges of a serving process true while the block runs."""

    def look() -> None:
        telemetry.IN_FLIGHT.set(in_flight())
        pool = services.database.pool_use()
        telemetry.POOL_CONNECTIONS.set(pool.in_use, "in_use")
        telemetry.POOL_CONNECTIONS.set(pool.open - pool.in_use, "idle")
        telemetry.POOL_LIMIT.set(pool.limit)
        telemetry.POOL_WAITING.set(pool.waiting)
        process.look()

    process.introduce(services.database.name)
    end = telemetry.before_reading(look)
    looking = asyncio.create_task(_look_again()) if telemetry.is_shared() else None
    try:
        yield
    finally:
        end()
        if looking is not None:
            looking.cancel()


async def _look_again() -> None:
    """The other processes read what this one has last written."""
    while True:
        telemetry.look()
        await asyncio.sleep(LOOK_SECONDS)
