"""Whether the service lives, is ready, and reaches its database."""

import time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Text, column, literal_column, select, table
from starlette.responses import Response

from taskwell import __version__
from taskwell.api.call import Call
from taskwell.api.operation import LenientPublicOperation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.database import Query, now
from taskwell.errors import AppError

router = APIRouter(tags=["health"], route_class=LenientPublicOperation)

PING: Query[int] = Query(select(literal_column("1")), int)
SCHEMA: Query[str] = Query(select(column("version_num", Text)).select_from(table("alembic_version")), str)


class HealthOut(BaseModel):
    status: str
    version: str
    timestamp: str


class ReadyOut(BaseModel):
    status: str


class DatabaseHealthOut(BaseModel):
    status: str
    database: str
    latency_ms: Annotated[float | None, Field(description="One round trip; null when the database is down.")]


def _down(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    return {503: {"model": model, "description": "It is not, at the moment."}}


@router.get("/health", summary="The process answers", response_model=HealthOut)
async def health(call: Call) -> Response:
    return _answer({"status": "healthy", "version": __version__, "timestamp": now()})


@router.get("/health/live", summary="Liveness probe", response_model=ReadyOut)
async def live(call: Call) -> Response:
    return _answer({"status": "alive"})


@router.get("/health/ready", summary="Readiness probe", response_model=ReadyOut, responses=_down(ReadyOut))
async def ready(call: Call) -> Response:
    if not call.services.is_ready:
        return _answer({"status": "draining"}, is_up=False)
    status = await _readiness(call)
    return _answer({"status": status}, is_up=status == "ready")


async def _readiness(call: Call) -> str:
    """Ready on the schema of this version, and of a later one: a rolling upgrade migrates before it replaces us."""
    try:
        found = await call.lane.row(SCHEMA)
    except AppError:
        return "database unavailable"
    is_enough = found is not None and found.isdigit() and found >= call.services.schema
    return "ready" if is_enough else f"schema outdated: run 'taskwell migrate' to reach {call.services.schema}"


@router.get(
    "/health/db",
    summary="The database answers",
    response_model=DatabaseHealthOut,
    responses=_down(DatabaseHealthOut),
)
@router.get(
    "/health/database",
    summary="The database answers",
    response_model=DatabaseHealthOut,
    responses=_down(DatabaseHealthOut),
)
async def database(call: Call) -> Response:
    latency = await _latency(call)
    is_up = latency is not None
    status = "healthy" if is_up else "unhealthy"
    return _answer({"status": status, "database": call.services.database.name, "latency_ms": latency}, is_up=is_up)


async def _latency(call: Call) -> float | None:
    started = time.perf_counter()
    try:
        await call.lane.row(PING)
    except AppError:
        return None
    return round((time.perf_counter() - started) * 1000, 3)


def _answer(content: dict[str, Any], *, is_up: bool = True) -> Response:
    headers = PRIVATE | ({} if is_up else {"Retry-After": "2"})
    return json_response(content, status=200 if is_up else 503, headers=headers)
