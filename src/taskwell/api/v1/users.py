"""v1: one's own account."""

from typing import Annotated, cast

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Text as SqlText
from sqlalchemy import bindparam
from starlette.responses import Response

from taskwell import tasks, users
from taskwell.api.accounts import Email, Name, UserOut, me, user_response
from taskwell.api.attempts import asking_for_mail, confirming, note
from taskwell.api.call import Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation, Operation
from taskwell.api.replies import PRIVATE
from taskwell.api.streaming import streamed
from taskwell.api.v1.schemas import TRASHED_TASK
from taskwell.api.v1.space_schemas import TimeZone
from taskwell.database.json import BooleanJson, InstantText, JsonObject
from taskwell.errors import EmailTaken, MailNotConfigured, SignInAgain, WrongPassword
from taskwell.tasks.fields import Text
from taskwell.users import ProfileChanges
from taskwell.users.export import Export
from taskwell.users.profile import TIME_ZONE
from taskwell.users.tables import UserRow

router = APIRouter(prefix="/users", tags=["users"])
by_user = APIRouter(tags=["users"])


class ProfilePatch(BaseModel):
    """What PATCH takes; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"time_zone": "Europe/Paris"}]})

    name: Name = ""
    email: Email = ""
    time_zone: TimeZone = "UTC"
    current_password: Annotated[
        Text | None, Field(description="Required with another e-mail, unless another service keeps the account.")
    ] = None
    confirm: Annotated[
        Text | None, Field(description="In place of the password where there is none: your own id.")
    ] = None

    def changes(self, names: set[str]) -> ProfileChanges:
        return cast(ProfileChanges, self.model_dump(include=names, exclude_unset=True))


class AccountRemoval(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": "engine 1843"}]})

    password: Text | None = Field(None, description="Required unless another service keeps the account.")
    confirm: Text | None = Field(
        None,
        description="Your own id, where there is no password here; a sign-in of ours is ten minutes old at most.",
    )


class ExportOut(BaseModel):
    """Everything that the user owns; a member for each kind of thing."""

    model_config = ConfigDict(extra="allow")

    exported_at: str
    user: UserOut
    lists: list[dict[str, object]]
    tasks: list[dict[str, object]] = Field(description="Those in the trash too; they have deleted_at.")
    reminders: list[dict[str, object]]
    tokens: list[dict[str, object]] = Field(description="Personal tokens, without their text.")
    activity: list[dict[str, object]]


_USER = JsonObject(
    {
        "id": bindparam("subject", type_=SqlText),
        "space_id": UserRow.id,
        "email": UserRow.email,
        "email_verified": BooleanJson(UserRow.email_verified_at.is_not(None)),
        "pending_email": UserRow.pending_email,
        "name": UserRow.name,
        "time_zone": TIME_ZONE,
        "created_at": InstantText(UserRow.created_at),
        "updated_at": InstantText(UserRow.updated_at),
    }
)
EXPORT = Export({"users": _USER, "tasks": TRASHED_TASK})


async def export_user(call: Call) -> Response:
    await call.services.journal.flush()
    document = EXPORT.document(call.services.database, call.user, call.space)
    headers = PRIVATE | {"Content-Disposition": 'attachment; filename="taskwell-export.json"'}
    return await streamed(call, document, headers=headers, media_type="application/json")


async def change_user(call: Call, body: ProfilePatch) -> Response:
    if call.user.is_external or "email" not in body.model_fields_set:
        return await _change(call, body)
    account = await users.get(call.lane, call.user)
    if body.email == account.email:
        return await _change(call, body, email=body.email)
    if not call.settings.sends_mail:
        raise MailNotConfigured
    async with confirming(call, given := body.current_password):
        await users.confirm_owner(
            call.lane, call.user, password=given, confirm=body.confirm, field="current_password"
        )
    async with asking_for_mail(call):
        response = await _change(call, body, email=body.email)
    note(call, "email_change_asked", user_id=call.user.user_id)
    return response


async def _change(call: RequestContext, body: ProfilePatch, *, email: str | None = None) -> Response:
    """Args:
    email: Of a local user, whose new e-mail has to be confirmed.
    """
    changes = body.changes({"name", "email"} if call.user.is_external else {"name"})
    async with call.lane.transaction() as transaction:
        if "time_zone" in body.model_fields_set and await tasks.move_to_zone(
            transaction, call.user, call.space, body.time_zone
        ):
            call.outdated.add(users.name_of_user(call.user.user_id))
        user, changed = await users.change(transaction, call.user, changes)
        if email is not None:
            user = await users.request_email(transaction, call.user, email)
    if "email" in changed:
        note(call, "email_changed", user_id=call.user.user_id)
    return user_response(call, user)


async def delete_user(call: Call, body: AccountRemoval | None = None) -> Response:
    """Removes everything; the address of the account is free again."""
    given = body or AccountRemoval()
    async with confirming(call, given.password):
        await users.delete_account(call.lane, call.user, password=given.password, confirm=given.confirm)
    call.outdated.add(users.name_of_user(call.user.user_id))
    note(call, "account_deleted", subject=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)


router.add_api_route(
    "/me/export",
    export_user,
    methods=["GET"],
    summary="Everything that you own, as one JSON document",
    response_model=ExportOut,
    route_class_override=AccountOperation,
)
for addressed, path in ((router, "/me"), (by_user, "/{user_id}")):
    addressed.add_api_route(
        path, me, methods=["GET"], summary="Get your account", response_model=UserOut, route_class_override=Operation
    )
    addressed.add_api_route(
        path,
        change_user,
        methods=["PATCH"],
        summary="Change your name, e-mail or time zone",
        response_model=UserOut,
        responses=raises(EmailTaken, WrongPassword, SignInAgain, MailNotConfigured),
        route_class_override=AccountOperation,
    )
    addressed.add_api_route(
        path,
        delete_user,
        methods=["DELETE"],
        summary="Delete your account",
        status_code=204,
        responses=raises(WrongPassword, SignInAgain),
        route_class_override=AccountOperation,
    )
