"""Signing up, in and out, by the names and in the forms that these clients use."""

from typing import Any

from fastapi import APIRouter
from pydantic import AliasChoices, ConfigDict, Field
from starlette.responses import Response

from taskwell.api import accounts, token_form
from taskwell.api.accounts import EXAMPLE_SESSION, Name, SessionOut, SignIn, SignUp, Typed
from taskwell.api.call import Call
from taskwell.api.operation import (
    LenientAccountOperation,
    LenientFormOperation,
    LenientOperation,
    LenientPublicOperation,
)
from taskwell.api.token_form import PasswordForm
from taskwell.users.user import MAX_NAME


class TokenSessionOut(SessionOut):
    """A session whose token has both names: half of these clients read ``token``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [EXAMPLE_SESSION | {"token": EXAMPLE_SESSION["access_token"]}]}
    )

    token: str | None = Field(description="The same as access_token.")


class NamelessSignUp(SignUp):
    """A sign-up whose name may be missing."""

    name: Name | None = None  # type: ignore[assignment]

    def chosen_name(self) -> str:
        """The name, else what stands before the @, else the whole e-mail where that is a single letter."""
        local = self.email.rpartition("@")[0]
        return self.name or (local if len(local) > 1 else self.email)[:MAX_NAME]


class FormSignIn(SignIn):
    """A sign-in as JSON or as a form, whose field for the e-mail is called ``username``."""

    email: Typed = Field(validation_alias=AliasChoices("email", "username"))


async def sign_up(call: Call, body: SignUp) -> Response:
    session = await accounts.opened_account(call, email=body.email, password=body.password, name=body.name)
    return _with_token(session, status=201)


async def sign_up_without_name(call: Call, body: NamelessSignUp) -> Response:
    session = await accounts.opened_account(call, email=body.email, password=body.password, name=body.chosen_name())
    return _with_token(session, status=201)


async def sign_in(call: Call, body: SignIn) -> Response:
    return _with_token(await accounts.opened_session(call, email=body.email, password=body.password, takes_code=True))


async def sign_in_by_form(call: Call, body: FormSignIn) -> Response:
    return await sign_in(call, body)


async def token(call: Call, body: PasswordForm) -> Response:
    return await token_form.token(call, body)


def _with_token(session: dict[str, Any], *, status: int = 200) -> Response:
    return accounts.private_response(session | {"token": session["access_token"]}, status=status)


def _forms(model: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": f"#/components/schemas/{model}"}}
    types = ("application/x-www-form-urlencoded", "multipart/form-data")
    return {"openapi_extra": {"requestBody": {"content": dict.fromkeys(types, schema)}}}


_UP = accounts.signing_up_options(TokenSessionOut)
_IN = accounts.signing_in_options(TokenSessionOut)
_FORM_IN = _IN | _forms("FormSignIn")
_COMMON: accounts.Routes = [
    ("/logout", "POST", accounts.sign_out, LenientAccountOperation, accounts.signing_out_options()),
    ("/signout", "POST", accounts.sign_out, LenientAccountOperation, accounts.signing_out_options()),
    ("/me", "GET", accounts.me, LenientOperation, accounts.caller_options()),
]

router = APIRouter()
router.include_router(
    accounts.router(
        [
            ("/signup", "POST", sign_up, LenientPublicOperation, _UP),
            ("/register", "POST", sign_up, LenientPublicOperation, _UP),
            ("/login", "POST", sign_in, LenientPublicOperation, _IN),
            ("/signin", "POST", sign_in, LenientPublicOperation, _IN),
            *_COMMON,
        ]
    ),
    prefix="/api",
)
router.include_router(
    accounts.router(
        [
            ("/signup", "POST", sign_up_without_name, LenientPublicOperation, _UP),
            ("/register", "POST", sign_up_without_name, LenientPublicOperation, _UP),
            ("/login", "POST", sign_in_by_form, LenientFormOperation, _FORM_IN),
            ("/signin", "POST", sign_in_by_form, LenientFormOperation, _FORM_IN),
            ("/token", "POST", token, LenientFormOperation, token_form.TOKEN_OPTIONS | _forms("PasswordForm")),
            *_COMMON,
        ],
        tag="root auth",
    )
)
