"""v1: personal access tokens, which scripts send in the place of a password."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from taskwell import users
from taskwell.api.attempts import note
from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.in_space import PERSONAL
from taskwell.api.operation import AccountOperation
from taskwell.api.replies import PRIVATE, json_response, told_once
from taskwell.api.task_members import EXAMPLE_ID, EXAMPLE_USER
from taskwell.api.v1.schemas import StrictModel
from taskwell.database import now
from taskwell.errors import EmailUnverified, LimitReached, NotFound
from taskwell.tasks.fields import InstantField, ListName, Text
from taskwell.users.personal_tokens import MAX_TOKENS
from taskwell.users.principal import Scope

SCOPES: tuple[tuple[Scope, ...], ...] = (("read",), ("read", "write"))
EXAMPLE_TOKEN: JsonDict = {
    "id": EXAMPLE_ID,
    "name": "Backup script",
    "scopes": ["read"],
    "space_ids": None,
    "expires_at": "2027-11-21T08:00:00Z",
    "last_used_on": None,
    "created_at": "2026-11-21T08:00:00.123456Z",
}


def _known_scopes(scopes: list[str]) -> list[str]:
    if tuple(scopes) not in SCOPES:
        raise PydanticCustomError("scopes", """It must be ["read"] or ["read", "write"]""")
    return scopes


def _in_the_future(instant: datetime) -> datetime:
    if instant <= now():
        raise PydanticCustomError("past_instant", "It must lie in the future")
    return instant


class TokenBody(StrictModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Backup script", "scopes": ["read"], "expires_at": "2036-11-21T08:00:00Z"}]
        }
    )

    name: ListName
    scopes: Annotated[
        list[Text], AfterValidator(_known_scopes), Field(json_schema_extra={"enum": [list(each) for each in SCOPES]})
    ]
    space_ids: Annotated[list[Text], Field(min_length=1, max_length=MAX_TOKENS)] | None = Field(
        None, description="The only spaces that it may see; every space of yours where this is null."
    )
    expires_at: Annotated[InstantField, AfterValidator(_in_the_future)] | None = Field(
        None, description="Null for a token that lasts until it is deleted or the password changes."
    )


class PersonalTokenOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TOKEN]})

    id: str
    name: str
    scopes: list[str]
    space_ids: list[str] | None
    expires_at: datetime | None
    last_used_on: date | None = Field(description="The day in UTC.")
    created_at: datetime


class NewTokenOut(PersonalTokenOut):
    model_config = ConfigDict(
        json_schema_extra={"examples": [EXAMPLE_TOKEN | {"token": "tw_…", "space_ids": [EXAMPLE_USER]}]}
    )

    token: str | None = Field(description="Only in this answer; null in the repeat of an idempotent request.")


class TokensOut(BaseModel):
    items: list[PersonalTokenOut]


router = APIRouter(prefix="/tokens", tags=["tokens"], route_class=AccountOperation)


@router.get("", summary="List your personal tokens", response_model=TokensOut)
async def list_tokens(call: Call) -> Response:
    """The newest first."""
    found = await users.list_tokens(call.lane, call.user.user_id)
    return json_response({"items": [asdict(each) for each in found]}, headers=PRIVATE)


@router.post(
    "",
    summary="Make a personal token",
    status_code=201,
    response_model=NewTokenOut,
    responses=raises(NotFound, EmailUnverified, LimitReached),
)
async def make_token(call: Call, body: TokenBody) -> Response:
    """The answer holds the token this once. Send it as `Authorization: Bearer …`."""
    values: dict[str, Any] = body.model_dump()
    if body.space_ids is not None:
        values["space_ids"] = [call.user.user_id if each == PERSONAL else each.lower() for each in body.space_ids]
    made, text = await users.make_token(call.lane, call.user, **values, sends_mail=call.settings.sends_mail)
    note(call, "token_made", user_id=call.user.user_id)
    return told_once(asdict(made) | {"token": text}, "token", status=201)


@router.delete("/{token_id}", summary="Delete a personal token", status_code=204)
async def remove_token(call: Call, token_id: str) -> Response:
    """It is refused at once, and within two seconds by every other process."""
    await users.remove_token(call.lane, call.user, token_id)
    call.outdated.add(token_id)
    note(call, "token_deleted", user_id=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)
