"""Signing up, in and out: the same operations in every contract that has them."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from taskwell import users
from taskwell.api.attempts import note, signing_in, signing_up
from taskwell.api.call import Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.operation import Operation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.database import now
from taskwell.errors import AppError, EmailTaken, InvalidCredentials, SignInUnconfirmed
from taskwell.security import tokens
from taskwell.security.tokens import AccessToken
from taskwell.tasks.fields import Text
from taskwell.users.sign_in import SignedIn
from taskwell.users.user import MAX_EMAIL, MAX_NAME, MIN_NAME, User, is_email

EXAMPLE_USER: JsonDict = {
    "id": "01938d1b-1111-7222-8333-444455556666",
    "space_id": "01938d1b-1111-7222-8333-444455556666",
    "email": "ada@example.com",
    "email_verified": True,
    "pending_email": None,
    "name": "Ada",
    "time_zone": "UTC",
    "created_at": "2026-11-21T08:00:00.123456Z",
    "updated_at": "2026-11-21T08:00:00.123456Z",
}
EXAMPLE_SESSION: JsonDict = {
    "user": EXAMPLE_USER,
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…",
    "token_type": "bearer",
    "expires_at": "2026-11-28T08:00:00Z",
}


def _email(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("invalid_email", "It must be an e-mail address such as ada@example.com")
    return text


def _printable(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise PydanticCustomError("control_character", "It must not hold control characters")
    return text


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_EMAIL),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email"}),
]
Typed = Annotated[Text, StringConstraints(strip_whitespace=True)]
"""An e-mail at a login, which need not be one; a sign-up leaves out the spaces around it, too."""

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=MIN_NAME, max_length=MAX_NAME),
    AfterValidator(_printable),
]


class UserOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_USER]})

    id: str
    space_id: str = Field(description="The personal space's id, which is our own id of the user.")
    email: str | None
    email_verified: bool
    pending_email: str | None = Field(description="What becomes the e-mail once it is confirmed.")
    name: str
    time_zone: str
    created_at: datetime
    updated_at: datetime


class SessionOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_SESSION]})

    user: UserOut
    access_token: str | None = Field(description="Null where the e-mail must be confirmed before the first sign-in.")
    token_type: str
    expires_at: datetime | None


class TokenOut(BaseModel):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: str
    expires_in: int = Field(description="Seconds.")


class TokenRefusedOut(BaseModel):
    """RFC 6749 section 5.2."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"error": "invalid_grant", "error_description": "The e-mail or the password is wrong."},
            ]
        }
    )

    error: str
    error_description: str


class MessageOut(BaseModel):
    message: str


class SignUp(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}]},
    )

    email: Email
    password: Text
    name: Name


class SignIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": "engine 1843"}]},
    )

    email: Typed
    password: Text


class PasswordForm(BaseModel):
    """RFC 6749 section 4.3.2; the e-mail is the ``username``."""

    model_config = ConfigDict(json_schema_extra={"required": ["username", "password"]})

    username: Typed = ""
    password: str = ""
    grant_type: str = "password"


def router(signed_in: type[Operation], public: type[Operation]) -> APIRouter:
    """The operations that both contracts have, as routes of the contract's own two classes."""
    routes = APIRouter(prefix="/auth", tags=["auth"])
    for path, method, endpoint, kind, options in (
        ("/signup", "POST", sign_up, public, _options("Open an account", SessionOut, EmailTaken, status_code=201)),
        ("/login", "POST", sign_in, public, _options("Sign in", SessionOut, InvalidCredentials, SignInUnconfirmed)),
        ("/logout", "POST", sign_out, signed_in, _options("Refuse this token from now on", MessageOut)),
        ("/me", "GET", me, signed_in, _options("The caller", UserOut)),
    ):
        routes.add_api_route(path, endpoint, methods=[method], route_class_override=kind, **options)
    return routes


def _options(summary: str, answer: type[BaseModel], *kinds: type[AppError], status_code: int = 200) -> dict[str, Any]:
    return {
        "summary": summary,
        "response_model": answer,
        "responses": raises(*kinds),
        "status_code": status_code,
    }


async def sign_up(call: Call, body: SignUp) -> Response:
    sends_link = call.settings.sends_mail
    async with signing_up(call, body.email):
        user = await users.sign_up(
            call.lane, email=body.email, password=body.password, name=body.name, sends_link=sends_link
        )
    return _session(call, user, status=201)


async def sign_in(call: Call, body: SignIn) -> Response:
    found = await _authenticated(call, body.email, body.password)
    return _session(call, found.user, as_of=found.as_of)


async def _authenticated(call: RequestContext, email: str, password: str) -> SignedIn:
    async with signing_in(call, email):
        found = await users.authenticate(call.lane, email=email, password=password)
        if _must_confirm(call, found.user):
            async with call.lane.transaction() as transaction:
                await users.send_link(transaction, found.user.id, email)
            raise SignInUnconfirmed
    return found


def _must_confirm(call: RequestContext, user: User) -> bool:
    return call.settings.require_verified_email and not user.email_verified


async def token(call: Call, form: Annotated[PasswordForm, Form()]) -> Response:
    """OAuth2's password grant, for "Authorize" on the API page; its errors are RFC 6749 section 5.2's."""
    if form.grant_type != "password":
        return _refused("unsupported_grant_type", "The grant_type must be 'password'.")
    if not form.username or not form.password:
        return _refused("invalid_request", "Send username and password.")
    try:
        found = await _authenticated(call, form.username, form.password)
    except (InvalidCredentials, SignInUnconfirmed) as error:
        return _refused("invalid_grant", error.detail)
    issued = _issue(call, found.user, found.as_of)
    seconds = int((issued.expires_at - now()).total_seconds())
    return _private({"access_token": issued.text, "token_type": "bearer", "expires_in": seconds})


def _refused(error: str, description: str) -> Response:
    return _private({"error": error, "error_description": description}, status=400)


async def sign_out(call: Call) -> Response:
    await users.revoke(call.lane, call.user)
    call.outdated.add(call.user.token_id)
    note(call, "sign_out", user_id=call.user.user_id)
    return _private({"message": "You are signed out; this token is refused from now on."})


async def me(call: Call) -> Response:
    return user_response(call, await users.get(call.lane, call.user))


async def verify_email(call: RequestContext, token: str) -> None:
    """Confirms the e-mail to which the token was sent.

    Raises:
        LinkOver: the token is not good any more.
        EmailTaken: another account got the e-mail meanwhile.
    """
    confirmed = await users.verify_email(call.lane, token)
    note(call, "email_changed" if confirmed.is_change else "email_verified", user_id=confirmed.user_id)


def user_response(call: RequestContext, user: User) -> Response:
    return _private(user_json(user, call.user.subject))


def user_json(user: User, subject: str) -> dict[str, Any]:
    """A user for the wire, under the id by which the caller knows itself."""
    shown = asdict(user) | {"id": subject, "space_id": user.id, "email_verified": user.email_verified}
    return {name: shown[name] for name in UserOut.model_fields}


def _session(call: RequestContext, user: User, *, as_of: datetime | None = None, status: int = 200) -> Response:
    issued = None if _must_confirm(call, user) else _issue(call, user, as_of)
    content = {
        "user": user_json(user, user.id),
        "access_token": issued.text if issued else None,
        "token_type": "bearer",
        "expires_at": issued.expires_at if issued else None,
    }
    return _private(content, status=status)


def _issue(call: RequestContext, user: User, as_of: datetime | None) -> AccessToken:
    settings = call.settings
    lifetime = timedelta(days=settings.access_token_expire_days)
    key, algorithm = settings.signing_key, settings.algorithm
    return tokens.issue(user.id, key=key, algorithm=algorithm, now=now(), lifetime=lifetime, as_of=as_of)


def _private(content: dict[str, Any], *, status: int = 200) -> Response:
    return json_response(content, status=status, headers=PRIVATE)
