"""v1: one's own account."""

from typing import Annotated, cast

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Text as SqlText
from sqlalchemy import bindparam
from starlette.responses import Response

from taskwell import tasks, users
from taskwell.api.accounts import Email, Name, UserOut, me, user_response
from taskwell.api.attempts import confirming, note
from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.operation import Operation
from taskwell.api.replies import PRIVATE
from taskwell.api.streaming import streamed
from taskwell.api.v1.schemas import TRASHED_TASK
from taskwell.database.json import InstantText, JsonObject
from taskwell.errors import EmailTaken, WrongPassword
from taskwell.tasks.fields import Text
from taskwell.users import ProfileChanges
from taskwell.users.export import Export
from taskwell.users.profile import TIME_ZONE
from taskwell.users.tables import UserRow
from taskwell.users.time_zones import is_time_zone

router = APIRouter(prefix="/users", tags=["users"], route_class=Operation)


def _time_zone(name: str) -> str:
    if not is_time_zone(name):
        raise PydanticCustomError("unknown_time_zone", "It must be an IANA time zone such as Europe/Paris")
    return name


class ProfilePatch(BaseModel):
    """What PATCH takes; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"time_zone": "Europe/Paris"}]})

    name: Name = ""
    email: Email = ""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"

    def changes(self) -> ProfileChanges:
        return cast(ProfileChanges, self.model_dump(include={"name", "email"}, exclude_unset=True))


class AccountRemoval(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": "engine 1843"}]})

    password: Text | None = Field(None, description="Required unless another service keeps the account.")


class ExportOut(BaseModel):
    """Everything that the user owns; a member for each kind of thing."""

    model_config = ConfigDict(extra="allow")

    exported_at: str
    user: UserOut
    lists: list[dict[str, object]]
    tasks: list[dict[str, object]] = Field(description="Those in the trash too; they have deleted_at.")
    reminders: list[dict[str, object]]
    activity: list[dict[str, object]]


_USER = JsonObject(
    {
        "id": bindparam("subject", type_=SqlText),
        "email": UserRow.email,
        "name": UserRow.name,
        "time_zone": TIME_ZONE,
        "created_at": InstantText(UserRow.created_at),
        "updated_at": InstantText(UserRow.updated_at),
    }
)
EXPORT = Export({"users": _USER, "tasks": TRASHED_TASK})


@router.get("/me/export", summary="Everything that you own, as one JSON document", response_model=ExportOut)
async def export_user(call: Call) -> Response:
    await call.services.journal.flush()
    document = EXPORT.document(call.services.database, call.user, call.space)
    headers = PRIVATE | {"Content-Disposition": 'attachment; filename="taskwell-export.json"'}
    return await streamed(call, document, headers=headers, media_type="application/json")


async def change_user(call: Call, body: ProfilePatch) -> Response:
    async with call.lane.transaction() as transaction:
        if "time_zone" in body.model_fields_set:
            await tasks.move_to_zone(transaction, call.user, call.space, body.time_zone)
        user, changed = await users.change(transaction, call.user, body.changes())
    call.outdated.add(users.name_of_user(call.user.user_id))
    if "email" in changed:
        note(call, "email_changed", user_id=call.user.user_id)
    return user_response(call, user)


async def delete_user(call: Call, body: AccountRemoval | None = None) -> Response:
    """Removes everything; the address of the account is free again."""
    password = body.password if body is not None else None
    if call.user.is_external or password is None:
        await users.delete_account(call.lane, call.user, password)
    else:
        async with confirming(call):
            await users.delete_account(call.lane, call.user, password)
    call.outdated.add(users.name_of_user(call.user.user_id))
    note(call, "account_deleted", subject=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)


for path in ("/me", "/{user_id}"):
    router.get(path, summary="Your account", response_model=UserOut)(me)
    router.patch(
        path, summary="Change your name, e-mail or time zone", response_model=UserOut, responses=raises(EmailTaken)
    )(change_user)
    router.delete(path, summary="Delete your account", status_code=204, responses=raises(WrongPassword))(delete_user)
