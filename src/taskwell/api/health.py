"""Whether the service lives, is ready, and reaches its database."""

import asyncio
import os
import resource
import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

import psutil
from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Text, column, literal_column, select, table
from starlette.responses import Response

from taskwell import __version__
from taskwell.api.call import Call
from taskwell.api.metrics import OPERATORS
from taskwell.api.operation import LenientPublicOperation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.database import Query, now
from taskwell.errors import AppError
from taskwell.observability import logs
from taskwell.security.bearer import require_operator

router = APIRouter(tags=["health"], route_class=LenientPublicOperation)

MOMENT_SECONDS = 0.1

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
    database: Literal["connected", "disconnected"]
    dialect: Literal["sqlite", "postgresql"]
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
        await call.services.database.check()
        found = await call.lane.row(SCHEMA)
    except AppError as error:
        logs.write_unserved(error)
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
    content = {
        "status": status,
        "database": "connected" if is_up else "disconnected",
        "dialect": call.services.database.name,
        "latency_ms": latency,
    }
    return _answer(content, is_up=is_up)


async def _latency(call: Call) -> float | None:
    started = time.perf_counter()
    try:
        await call.services.database.check()
        await call.lane.row(PING)
    except AppError as error:
        logs.write_unserved(error)
        return None
    return round((time.perf_counter() - started) * 1000, 3)


class CpuOut(BaseModel):
    cores: int
    load_average: Annotated[list[float], Field(description="Over 1, 5 and 15 minutes.", examples=[[0.4, 0.3, 0.2]])]
    process_percent: Annotated[float, Field(description="Of one core, over the last tenth of a second.")]
    process_seconds: Annotated[float, Field(description="Processor time since the start.")]


class MemoryOut(BaseModel):
    resident_bytes: Annotated[int, Field(description="What this process takes.", examples=[90_000_000])]
    total_bytes: Annotated[int | None, Field(description="Of the machine.", examples=[2_000_000_000])]
    available_bytes: Annotated[int | None, Field(description="Of the machine.", examples=[1_200_000_000])]


class FilesOut(BaseModel):
    open: Annotated[int | None, Field(description="Sockets included.", examples=[24])]
    limit: Annotated[int, Field(examples=[1024])]


class PoolOut(BaseModel):
    open: Annotated[int, Field(description="PostgreSQL connections; SQLite needs none.", examples=[10])]
    in_use: Annotated[int, Field(examples=[3])]
    waiting: Annotated[int, Field(description="Requests that wait for a connection.", examples=[0])]
    limit: Annotated[int, Field(examples=[15])]


class SystemOut(BaseModel):
    process_id: int
    uptime_seconds: float
    cpu: CpuOut
    memory: MemoryOut
    file_descriptors: FilesOut
    pool: PoolOut


@router.get(
    "/health/system",
    summary="What this process takes of its machine",
    response_model=SystemOut,
    responses=OPERATORS,
)
async def system(call: Call) -> Response:
    require_operator(call.settings, call.headers(b"authorization"))
    before = time.process_time()
    await asyncio.sleep(MOMENT_SECONDS)
    seconds = time.process_time()
    process, machine = psutil.Process(), psutil.virtual_memory()
    return _answer(
        {
            "process_id": os.getpid(),
            "uptime_seconds": round(time.time() - process.create_time(), 1),
            "cpu": {
                "cores": os.cpu_count(),
                "load_average": [round(each, 2) for each in psutil.getloadavg()],
                "process_percent": round((seconds - before) / MOMENT_SECONDS * 100, 1),
                "process_seconds": round(seconds, 2),
            },
            "memory": {
                "resident_bytes": process.memory_info().rss,
                "total_bytes": machine.total,
                "available_bytes": machine.available,
            },
            "file_descriptors": {"open": process.num_fds(), "limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0]},
            "pool": asdict(call.services.database.pool_use()),
        }
    )


def _answer(content: dict[str, Any], *, is_up: bool = True) -> Response:
    headers = PRIVATE | ({} if is_up else {"Retry-After": "2"})
    return json_response(content, status=200 if is_up else 503, headers=headers)
