"""v1: changing one's password, and what to do when it is forgotten."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taskwell import users
from taskwell.api import mailed_links
from taskwell.api.accounts import Email, MessageOut
from taskwell.api.attempts import asking_for_mail, confirming, note
from taskwell.api.call import Beforehand, Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation, PublicOperation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.errors import LinkOver, MailNotConfigured, SignInAgain, WrongPassword
from taskwell.tasks.fields import Text
from taskwell.users import PasswordHashes

router = APIRouter(prefix="/auth/password", tags=["auth"])


class PasswordChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"current_password": "engine 1843", "new_password": "engine 1852"}]},
    )

    current_password: Text | None = Field(None, description="Required where there is one.")
    new_password: Text
    confirm: Text | None = Field(
        None, description="In place of a password where there is none yet: your own id, soon after a sign-in."
    )


class ForgottenPassword(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: Email


class PasswordReset(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"token": "rJ1Yx0Qe4cGkq2mZ8v7bT5nLw9sHd3fUo6iPaXyEzKQ", "new_password": "engine 1852"},
            ]
        },
    )

    token: Text
    new_password: Text


async def _hashes(call: RequestContext, body: PasswordChange) -> PasswordHashes:
    async with confirming(call, body.current_password):
        return await users.password_hashes(
            call.lane, call.user, current=body.current_password, confirm=body.confirm, new=body.new_password
        )


async def change(
    call: Call, body: PasswordChange, hashes: Annotated[PasswordHashes, Depends(Beforehand(_hashes))]
) -> Response:
    await users.change_password(call.lane, call.user, hashes)
    call.outdated.add(users.name_of_user(call.user.user_id))
    note(call, "password_changed", user_id=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)


async def forgot(call: Call, body: ForgottenPassword) -> Response:
    if not call.settings.sends_mail:
        raise MailNotConfigured
    async with asking_for_mail(call):
        await users.ask_for_reset(call.lane, body.email)
    note(call, "password_reset_asked", email=body.email)
    message = "If there is an account with this e-mail, a mail with a link is on its way."
    return json_response({"message": message}, status=202, headers=PRIVATE)


async def reset(call: Call, body: PasswordReset) -> Response:
    await mailed_links.reset_password(call, body.token, body.new_password)
    return Response(status_code=204, headers=PRIVATE)


router.add_api_route(
    "",
    change,
    methods=["POST"],
    summary="Change your password, and sign every other device out",
    status_code=204,
    responses=raises(WrongPassword, SignInAgain),
    route_class_override=AccountOperation,
)
router.add_api_route(
    "/forgot",
    forgot,
    methods=["POST"],
    summary="Send a link to whoever has forgotten their password",
    status_code=202,
    response_model=MessageOut,
    responses=raises(MailNotConfigured),
    route_class_override=PublicOperation,
)
router.add_api_route(
    "/reset",
    reset,
    methods=["POST"],
    summary="Set another password with the token of a mailed link",
    status_code=204,
    responses=raises(LinkOver),
    route_class_override=PublicOperation,
)
