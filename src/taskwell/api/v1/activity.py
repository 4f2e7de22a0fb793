"""v1: what happened to one's account."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.errors import InvalidCursor
from taskwell.users import events
from taskwell.users.events import Kind, SecurityEvent

router = APIRouter(tags=["users"], route_class=AccountOperation)


class EventOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f",
                    "kind": "sign_in",
                    "at": "2026-11-21T08:00:00.123456Z",
                    "address": "203.0.113.7",
                }
            ]
        }
    )

    id: str
    kind: Kind
    at: datetime
    address: str | None = Field(description="Whose connection it was.")


class ActivityOut(BaseModel):
    items: list[EventOut]
    next_cursor: str | None


class ActivityQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str = ""


@router.get(
    "/users/me/activity",
    summary="What happened to your account, newest first",
    response_model=ActivityOut,
    responses=raises(InvalidCursor),
)
async def activity(call: Call, query: Annotated[ActivityQuery, Query()]) -> Response:
    await call.services.journal.flush()
    page = await events.activity(call.lane, call.user, limit=query.limit, cursor=query.cursor or None)
    content = {"items": [event_json(event) for event in page.items], "next_cursor": page.next_cursor}
    return json_response(content, headers=PRIVATE)


def event_json(event: SecurityEvent) -> dict[str, object]:
    """An event as its user sees it."""
    shown = asdict(event)
    return {name: shown[name] for name in ("id", "kind", "at", "address")}
