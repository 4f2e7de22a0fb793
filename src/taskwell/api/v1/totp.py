"""v1: the second factor, codes of an authenticator app (TOTP)."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from starlette.responses import Response

from taskwell import users
from taskwell.api import accounts
from taskwell.api.accounts import SessionOut
from taskwell.api.attempts import confirming, group_of, note, signing_in
from taskwell.api.call import Beforehand, Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation, PublicOperation
from taskwell.api.replies import PRIVATE, told_once
from taskwell.api.v1.schemas import StrictModel
from taskwell.errors import (
    Conflict,
    EmailUnverified,
    Forbidden,
    InvalidCredentials,
    NotFound,
    SignInAgain,
    WrongPassword,
)
from taskwell.tasks.fields import Text
from taskwell.users import totp
from taskwell.users.errors import AlreadyOn, ChallengeOver, WrongCode

EXAMPLE_CHALLENGE = "rJ1Yx0Qe4cGkq2mZ8v7bT5nLw9sHd3fUo6iPaXyEzKQ"
EXAMPLE_SECRET: JsonDict = {
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "uri": "otpauth://totp/Taskwell:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Taskwell",
}

Code = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=64),
    Field(description="Six digits of the app, or a recovery code."),
]


class Ownership(StrictModel):
    """What shows that the account's owner asks, and not somebody who found their device."""

    current_password: Text | None = Field(None, description="Required where there is one.")
    confirm: Text | None = Field(
        None, description="In place of a password where there is none: your own id, soon after a sign-in."
    )


class TotpBegin(Ownership):
    model_config = ConfigDict(json_schema_extra={"examples": [{"current_password": "engine 1843"}]})


class SecretOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_SECRET]})

    secret: str | None = Field(description="In base32, for typing; null in the repeat of an idempotent request.")
    uri: str | None = Field(description="What an authenticator app reads as a QR code; null in a repeat, too.")


class TotpConfirm(StrictModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "492039"}]})

    code: Code


class RecoveryCodesOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"recovery_codes": ["k3tq-7zmw-a5xe-2hdn"]}]})

    recovery_codes: list[str] | None = Field(
        description="Only in this answer. Each works once in the place of a code."
    )


class TotpRemoval(Ownership):
    model_config = ConfigDict(json_schema_extra={"examples": [{"current_password": "engine 1843", "code": "492039"}]})

    code: Code


class ChallengeAnswer(StrictModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"challenge": EXAMPLE_CHALLENGE, "code": "492039"}]})

    challenge: Text
    code: Code


router = APIRouter(prefix="/auth", tags=["auth"])
account = APIRouter(prefix="/totp", route_class=AccountOperation)


def _require_local(call: RequestContext) -> None:
    if call.user.is_external:
        raise Forbidden("Another service keeps this account; turn its second factor on there.")


async def _confirmed(call: RequestContext, body: Ownership) -> str | None:
    """The hash of the password."""
    return await users.confirm_owner(
        call.lane, call.user, password=body.current_password, confirm=body.confirm, field="current_password"
    )


async def _password_hash(call: RequestContext, body: TotpBegin) -> str | None:
    _require_local(call)
    async with confirming(call, body.current_password):
        return await _confirmed(call, body)


@account.post(
    "",
    summary="Begin with codes of an authenticator app",
    response_model=SecretOut,
    responses=raises(WrongPassword, SignInAgain, EmailUnverified, AlreadyOn),
)
async def begin(
    call: Call, body: TotpBegin, password_hash: Annotated[str | None, Depends(Beforehand(_password_hash))]
) -> Response:
    """Nothing is asked for until a first code is sent to `/auth/totp/confirm`."""
    secret, uri = await totp.begin(call.lane, call.user, password_hash)
    note(call, "totp_asked", user_id=call.user.user_id)
    return told_once({"secret": secret, "uri": uri}, "secret", "uri")


@account.post(
    "/confirm",
    summary="Ask for codes at every sign-in from now on",
    response_model=RecoveryCodesOut,
    responses=raises(WrongCode, AlreadyOn, Conflict),
)
async def confirm(call: Call, body: TotpConfirm) -> Response:
    async with confirming(call, body.code):
        recovery_codes = await totp.confirm(call.lane, call.user, body.code)
    note(call, "totp_on", user_id=call.user.user_id)
    return told_once({"recovery_codes": recovery_codes}, "recovery_codes")


@account.delete(
    "",
    summary="Ask for no codes any more",
    status_code=204,
    responses=raises(WrongPassword, WrongCode, SignInAgain, NotFound),
)
async def remove(call: Call, body: TotpRemoval) -> Response:
    _require_local(call)
    async with confirming(call, body.code):  # both are one attempt: the right password must not forgive wrong codes
        await _confirmed(call, body)
        await totp.remove(call.lane, call.user, body.code)
    note(call, "totp_off", user_id=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)


router.include_router(account)


async def answer_challenge(call: Call, body: ChallengeAnswer) -> Response:
    """A wrong code leaves the challenge as it is, and counts as a failed sign-in."""
    user = await users.challenged(call.lane, body.challenge)
    if user is None:
        raise ChallengeOver
    async with signing_in(call, user.email or user.id):
        found = await users.answer(call.lane, user, challenge=body.challenge, code=body.code, group=group_of(call))
    if found.used == "recovery_code":
        note(call, "recovery_code_used", user_id=user.id)
    return accounts.private_response(accounts.session(call, found))


router.add_api_route(
    "/login/totp",
    answer_challenge,
    methods=["POST"],
    summary="Sign in with a code, after the password",
    response_model=SessionOut,
    responses=raises(InvalidCredentials, ChallengeOver),
    route_class_override=PublicOperation,
)
