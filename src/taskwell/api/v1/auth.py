"""v1: signing up, in and out, staying signed in, and the OAuth2 form behind "Authorize" on the API page."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from taskwell import users
from taskwell.api import accounts, token_form
from taskwell.api.accounts import SessionOut, SignIn, SignUp
from taskwell.api.attempts import note
from taskwell.api.call import Call
from taskwell.api.failures import raises
from taskwell.api.operation import AccountOperation, Operation, PublicOperation
from taskwell.api.replies import told_once
from taskwell.errors import SignInAgain, SignInUnconfirmed


async def sign_up(call: Call, body: SignUp) -> Response:
    session = await accounts.opened_account(call, email=body.email, password=body.password, name=body.name)
    return accounts.private_response(session, status=201)


async def sign_in(call: Call, body: SignIn) -> Response:
    return accounts.private_response(await accounts.opened_session(call, email=body.email, password=body.password))


class SignOut(BaseModel):
    everywhere: Annotated[bool, Field(description="Whether all your tokens are refused, not this one alone.")] = False
    personal: Annotated[bool, Field(description="With everywhere: your personal access tokens too.")] = False


async def sign_out(call: Call, query: Annotated[SignOut, Query()]) -> Response:
    if not query.everywhere:
        return await accounts.sign_out(call)
    await users.sign_out_everywhere(call.lane, call.user, personal=query.personal)
    call.outdated.add(users.name_of_user(call.user.user_id))
    note(call, "signed_out_everywhere", user_id=call.user.user_id)
    return accounts.private_response({"message": "You are signed out everywhere; sign in again where you are."})


async def renew(call: Call) -> Response:
    return told_once(await accounts.renewed_session(call), "access_token")


_RENEWAL: dict[str, Any] = {
    "summary": "Get a new token for this one, which ends a minute later",
    "response_model": SessionOut,
    "responses": raises(SignInAgain, SignInUnconfirmed),
}

router = APIRouter()
router.include_router(
    accounts.router(
        [
            ("/signup", "POST", sign_up, PublicOperation, accounts.signing_up_options(SessionOut)),
            ("/login", "POST", sign_in, PublicOperation, accounts.signing_in_options(SessionOut)),
            ("/logout", "POST", sign_out, AccountOperation, accounts.signing_out_options()),
            ("/renew", "POST", renew, AccountOperation, _RENEWAL),
            ("/me", "GET", accounts.me, Operation, accounts.caller_options()),
            ("/token", "POST", token_form.token, PublicOperation, token_form.TOKEN_OPTIONS),
        ]
    )
)
