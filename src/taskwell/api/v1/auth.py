"""v1: signing up, in and out, the password, and the OAuth2 form behind "Authorize" on the API page."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from taskwell import users
from taskwell.api import accounts
from taskwell.api.accounts import SessionOut, SignIn, SignUp
from taskwell.api.attempts import confirming, note
from taskwell.api.call import Beforehand, Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.operation import Operation, PublicOperation
from taskwell.api.replies import PRIVATE
from taskwell.errors import WrongPassword
from taskwell.tasks.fields import Text
from taskwell.users import PasswordHashes


async def sign_up(call: Call, body: SignUp) -> Response:
    session = await accounts.opened_account(call, email=body.email, password=body.password, name=body.name)
    return accounts.private_response(session, status=201)


async def sign_in(call: Call, body: SignIn) -> Response:
    return accounts.private_response(await accounts.opened_session(call, email=body.email, password=body.password))


router = APIRouter()
router.include_router(
    accounts.router(
        [
            ("/signup", "POST", sign_up, PublicOperation, accounts.signing_up_options(SessionOut)),
            ("/login", "POST", sign_in, PublicOperation, accounts.signing_in_options(SessionOut)),
            ("/logout", "POST", accounts.sign_out, Operation, accounts.signing_out_options()),
            ("/me", "GET", accounts.me, Operation, accounts.caller_options()),
            ("/token", "POST", accounts.token, PublicOperation, accounts.TOKEN_OPTIONS),
        ]
    )
)

account = APIRouter(prefix="/auth", tags=["auth"], route_class=Operation)


class PasswordChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"current_password": "engine 1843", "new_password": "engine 1852"}]},
    )

    current_password: Text
    new_password: Text


async def _hashes(call: RequestContext, body: PasswordChange) -> PasswordHashes:
    async with confirming(call):
        return await users.password_hashes(call.lane, call.user, current=body.current_password, new=body.new_password)


@account.post(
    "/password",
    summary="Change your password, and sign every other device out",
    status_code=204,
    responses=raises(WrongPassword),
)
async def change_password(
    call: Call, body: PasswordChange, hashes: Annotated[PasswordHashes, Depends(Beforehand(_hashes))]
) -> Response:
    await users.change_password(call.lane, call.user, hashes)
    call.outdated.add(users.name_of_user(call.user.user_id))
    note(call, "password_changed", user_id=call.user.user_id)
    return Response(status_code=204, headers=PRIVATE)


router.include_router(account)
