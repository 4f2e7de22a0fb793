"""v1: tasks as files, out and in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from taskwell.api.call import Beforehand, Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.in_space import SpaceOperation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.api.streaming import streamed
from taskwell.errors import Invalid, LimitReached
from taskwell.settings import Settings
from taskwell.tasks import exchange
from taskwell.tasks.exchange import Exporter, ImportFile, TaskRecord
from taskwell.tasks.fields import ListId

router = APIRouter(prefix="/tasks", tags=["tasks"])

RECORDS_AT_ONCE = 200
MEDIA_TYPES = {"application/json": "json", "text/csv": "csv", "text/calendar": "ics"}

EXAMPLE_FILE = {"tasks": [{"title": "Buy milk", "priority": "high", "due_date": "2026-12-24", "list": "Home"}]}


class ImportOperation(SpaceOperation):
    """An operation whose body is a file."""

    def body_limit(self, settings: Settings) -> int:
        return settings.max_import_bytes


class ExportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "csv", "ics"] = "json"


ImportFormat = Literal[
    "auto",
    "json",
    "csv",
    "ics",
    "export",
    "google",
    "todoist",
    "ticktick",
    "outlook",
    "taskwarrior",
    "todotxt",
    "trello",
    "vikunja",
]


def _columns(text: str) -> dict[str, str]:
    """``title:Task,due_date:Due`` as the column of each field."""
    named = {}
    for pair in text.split(","):
        field, colon, column = (each.strip() for each in pair.partition(":"))
        if not colon or not column or field not in exchange.COLUMN_FIELDS or field in named:
            fields = ", ".join(exchange.COLUMN_FIELDS)
            raise PydanticCustomError(
                "invalid_columns",
                "It must name each column once, such as title:Task,due_date:Due; the fields are {fields}",
                {"fields": fields},
            )
        named[field] = column
    return named


class ImportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: ImportFormat = Field("auto", description="Found out by what is in the file, whatever its media type.")
    dry_run: bool = Field(default=False, description="Answer the same, and store nothing.")
    list_id: ListId | None = Field(None, alias="list", description="The list that takes all of the tasks.")
    on_existing: exchange.OnExisting = Field(
        "skip", description="What becomes of a task that is there already, by its id."
    )
    columns: Annotated[dict[str, str] | None, BeforeValidator(_columns), WithJsonSchema({"type": "string"})] = Field(
        None, description="The column of a field in a CSV file, such as `title:Task,due_date:Due`."
    )


class RowErrorOut(BaseModel):
    row: int = Field(description="Counted from 1; the line with the names of a CSV's columns does not count.")
    field: str = Field(description="Empty where the row cannot be read at all.")
    message: str


class IgnoredOut(BaseModel):
    what: str = Field(description="What the file holds and Taskwell has no place for.")
    count: int
    example: str


class ImportOut(BaseModel):
    """What became of each row: the numbers and the rows in `errors` add up to the rows of the file."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "imported": 12,
                    "skipped": 1,
                    "updated": 0,
                    "errors": [{"row": 3, "field": "title", "message": "The title is missing."}],
                    "ignored": [{"what": "LOCATION", "count": 2, "example": "Town hall"}],
                }
            ]
        }
    )

    imported: int = Field(description="Tasks that were added, or in a dry run would be.")
    skipped: int = Field(description="Tasks that stay as they are: there already, or twice in the file.")
    updated: int = Field(description="Tasks that were there and have changed.")
    errors: list[RowErrorOut] = Field(description="Rows that break a rule; all others are stored.")
    ignored: list[IgnoredOut]


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
        aclosing(exchange.exported(snapshot, call.user, call.space)) as records,
    ):
        async for record in records:
            if len(batch) == RECORDS_AT_ONCE:
                yield batch
                batch = []
            batch.append(record)
    yield batch


async def _read(call: RequestContext, query: ImportQuery) -> ImportFile:
    content = await call.body()
    if not content:
        raise Invalid.field("", "A file is required.", "missing")
    return await asyncio.to_thread(
        exchange.read_file, content, name=query.format, columns=query.columns, time_zone=call.space.time_zone
    )


async def import_tasks(
    call: Call, query: Annotated[ImportQuery, Query()], file: Annotated[ImportFile, Depends(Beforehand(_read))]
) -> Response:
    report = await exchange.import_file(
        call.lane,
        call.user,
        call.space,
        file,
        list_id=query.list_id,
        on_existing=query.on_existing,
        dry_run=query.dry_run,
    )
    return json_response(asdict(report), headers=PRIVATE)


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
    route_class_override=SpaceOperation,
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
    responses=raises(LimitReached),
    openapi_extra={"requestBody": {"required": True, "content": _files(json=EXAMPLE_FILE)}},
)
