"""v1: tasks as files, out and in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taskwell.api.call import Beforehand, Call, RequestContext
from taskwell.api.operation import Operation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.api.streaming import streamed
from taskwell.errors import Invalid, UnsupportedMediaType
from taskwell.settings import Settings
from taskwell.tasks import exchange
from taskwell.tasks.exchange import Exporter, JudgedFile, TaskRecord

router = APIRouter(prefix="/tasks", tags=["tasks"])

RECORDS_AT_ONCE = 200
MEDIA_TYPES = {"application/json": "json", "text/csv": "csv", "text/calendar": "ics"}

EXAMPLE_FILE = {"tasks": [{"title": "Buy milk", "priority": "high", "due_date": "2026-12-24", "list": "Home"}]}


class ImportOperation(Operation):
    """An operation whose body is a file."""

    def body_limit(self, settings: Settings) -> int:
        return settings.max_import_bytes


class ExportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "csv", "ics"] = "json"


class ImportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "csv", "ics", "todoist"] | None = Field(
        None, description="By the Content-Type where it is left out; Todoist's CSV has to be named."
    )
    dry_run: bool = Field(default=False, description="Say what would be done, and what is wrong; store nothing.")


class RowErrorOut(BaseModel):
    location: str
    field: str
    message: str
    type: str


class ImportOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"imported": 12, "skipped": 0, "errors": []}]})

    imported: int = Field(description="Tasks that were added, or in a dry run would be.")
    skipped: int = Field(description="Tasks that are there already, by their id.")
    errors: list[RowErrorOut] = Field(
        description="Only of a dry run: otherwise they are a 422 and nothing is stored."
    )


async def export_tasks(call: Call, query: Annotated[ExportQuery, Query()]) -> Response:
    exporter = exchange.EXPORTERS[query.format]
    headers = PRIVATE | {"Content-Disposition": f'attachment; filename="tasks.{exporter.extension}"'}
    return await streamed(call, _file(call, exporter), headers=headers, media_type=exporter.media_type)


async def _file(call: RequestContext, exporter: Exporter) -> AsyncGenerator[bytes, None]:
    """The file in pieces, of which the first has tasks in it: the database has answered before anything is sent."""
    before = exporter.start
    async with aclosing(_batches(call)) as batches:
        async for batch in batches:
            yield before + await asyncio.to_thread(exporter.write, batch)  # which may take long
            before = exporter.between
    yield exporter.end


async def _batches(call: RequestContext) -> AsyncGenerator[list[TaskRecord], None]:
    """The tasks of one snapshot; of an empty account one empty batch."""
    batch: list[TaskRecord] = []
    async with (
        call.services.database.snapshot() as snapshot,
        aclosing(exchange.exported(snapshot, call.user)) as records,
    ):
        async for record in records:
            if len(batch) == RECORDS_AT_ONCE:
                yield batch
                batch = []
            batch.append(record)
    yield batch


async def _judged(call: RequestContext, query: ImportQuery) -> JudgedFile:
    content = await call.body()
    read = exchange.IMPORTERS[query.format or _format_of(call)]
    if not content:
        raise Invalid.field("", "A file is required.", "missing")
    return await asyncio.to_thread(lambda: exchange.judged(read(content)))


async def import_tasks(
    call: Call, query: Annotated[ImportQuery, Query()], file: Annotated[JudgedFile, Depends(Beforehand(_judged))]
) -> Response:
    report = await exchange.bring_in(call.lane, call.user, file, dry_run=query.dry_run)
    return json_response(asdict(report), headers=PRIVATE)


def _format_of(call: RequestContext) -> str:
    media_type = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMediaType(f"Send the file as {', '.join(MEDIA_TYPES)}, or name its format.")
    return MEDIA_TYPES[media_type]


def _files(**examples: Any) -> dict[str, Any]:
    return {
        media_type: {"schema": {"type": "object" if media_type == "application/json" else "string"}}
        | ({"example": examples[name]} if name in examples else {})
        for media_type, name in MEDIA_TYPES.items()
    }


router.add_api_route(
    "/export",
    export_tasks,
    methods=["GET"],
    route_class_override=Operation,
    summary="Take all tasks out as a file",
    response_class=Response,
    responses={200: {"description": "The file.", "content": _files(json=EXAMPLE_FILE)}},
)
router.add_api_route(
    "/import",
    import_tasks,
    methods=["POST"],
    route_class_override=ImportOperation,
    summary="Bring tasks in from a file",
    response_model=ImportOut,
    openapi_extra={"requestBody": {"required": True, "content": _files(json=EXAMPLE_FILE)}},
)
