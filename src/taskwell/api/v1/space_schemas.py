"""The wire shapes of v1's spaces, members and invitations."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StringConstraints
from pydantic_core import PydanticCustomError

from taskwell.api.accounts import Email
from taskwell.api.task_members import EXAMPLE_ID, EXAMPLE_USER
from taskwell.api.v1.schemas import StrictModel
from taskwell.spaces import Role
from taskwell.spaces.invitations import Invitation
from taskwell.spaces.queries import Space
from taskwell.spaces.rules import MAX_DAYS, MAX_SPACE_NAME, MAX_USES
from taskwell.tasks.fields import Text, visible, without_nul
from taskwell.users.time_zones import is_time_zone


def _time_zone(name: str) -> str:
    if not is_time_zone(name):
        raise PydanticCustomError("unknown_time_zone", "It must be an IANA time zone such as Europe/Paris")
    return name


TimeZone = Annotated[str, AfterValidator(_time_zone)]
SpaceName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_SPACE_NAME),
    AfterValidator(without_nul),
    AfterValidator(visible),
]
EXAMPLE_TOKEN = "rJ1Yx0Qe4cGkq2mZ8v7bT5nLw9sHd3fUo6iPaXyEzKQ"  # noqa: S105


def _example(**members: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [members]})


class SpaceBody(StrictModel):
    """A new shared space; without a time zone it has yours."""

    model_config = _example(name="Family", time_zone="Europe/Berlin")

    name: SpaceName
    time_zone: TimeZone | None = None


class SpacePatch(StrictModel):
    """What is left out stays as it is."""

    model_config = _example(name="The whole family")

    name: SpaceName = ""
    time_zone: TimeZone = ""


class SpaceEnd(StrictModel):
    """The name of the space, so that no other one is deleted by mistake."""

    model_config = _example(confirm="Family")

    confirm: Text


class SpaceOut(BaseModel):
    """A space, as you may use it."""

    model_config = _example(
        id=EXAMPLE_ID,
        kind="shared",
        name="Family",
        role="owner",
        members=3,
        time_zone="Europe/Berlin",
        revision=42,
        created_at="2026-11-21T08:00:00.123456Z",
        updated_at="2026-11-21T08:00:00.123456Z",
    )

    id: str
    kind: Literal["personal", "shared"]
    name: str
    role: Role
    members: int = Field(description="How many there are.")
    time_zone: str
    revision: int
    created_at: datetime
    updated_at: datetime


class SpacesOut(BaseModel):
    items: list[SpaceOut]


class MemberPatch(StrictModel):
    model_config = _example(role="reader")

    role: Role


class MemberOut(BaseModel):
    model_config = _example(user_id=EXAMPLE_USER, name="Ben", role="editor", joined_at="2026-11-21T08:00:00.123456Z")

    user_id: str
    name: str
    role: Role
    joined_at: datetime


class MembersOut(BaseModel):
    items: list[MemberOut]


class InvitationBody(StrictModel):
    """A way in for whoever has the link; with an e-mail it is mailed, and good for that e-mail alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "editor", "max_uses": 2}]})

    role: Role
    email: Email | None = None
    max_uses: Annotated[StrictInt, Field(ge=1, le=MAX_USES)] = 1
    expires_in_days: Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)] = 7


class InvitationOut(BaseModel):
    """An invitation without its token, which is stored nowhere."""

    model_config = _example(
        id=EXAMPLE_ID, role="editor", email=None, uses_left=2, expires_at="2026-11-28T08:00:00.123456Z"
    )

    id: str
    role: Role
    email: str | None
    uses_left: int
    expires_at: datetime


class NewInvitationOut(InvitationOut):
    """The token and the link are told this once; in the repeat of an idempotent request they are null."""

    model_config = _example(
        id=EXAMPLE_ID,
        role="editor",
        email=None,
        token=EXAMPLE_TOKEN,
        url=f"https://todo.example.com/join?token={EXAMPLE_TOKEN}",
        uses_left=2,
        expires_at="2026-11-28T08:00:00.123456Z",
    )

    token: str | None
    url: str | None


class InvitationsOut(BaseModel):
    items: list[InvitationOut]


class InvitationToken(StrictModel):
    model_config = _example(token=EXAMPLE_TOKEN)

    token: Text


def space_json(space: Space) -> dict[str, Any]:
    return {name: getattr(space, name) for name in SpaceOut.model_fields}


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    return asdict(invitation)
