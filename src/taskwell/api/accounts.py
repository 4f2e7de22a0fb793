"""Signing up, in and out: what every contract that has these operations shares."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from taskwell import users
from taskwell.api.attempts import group_of, note, signing_in, signing_up
from taskwell.api.call import Call, RequestContext
from taskwell.api.failures import raises
from taskwell.api.operation import Operation
from taskwell.api.replies import PRIVATE, json_response
from taskwell.database import now
from taskwell.errors import AppError, EmailTaken, InvalidCredentials, SignInUnconfirmed
from taskwell.security import tokens
from taskwell.security.tokens import AccessToken
from taskwell.tasks.fields import Text, visible
from taskwell.users.errors import TotpRequired
from taskwell.users.sign_in import SignedIn
from taskwell.users.user import MAX_EMAIL, MAX_NAME, MIN_NAME, User, is_email

EXAMPLE_USER: JsonDict = {
    "id": "01938d1b-1111-7222-8333-444455556666",
    "space_id": "01938d1b-1111-7222-8333-444455556666",
    "email": "ada@example.com",
    "email_verified": True,
    "pending_email": "lovelace@example.com",
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
EXAMPLE_REFUSAL: JsonDict = {"error": "invalid_grant", "error_description": "The e-mail or the password is wrong."}


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
    AfterValidator(visible),
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


Routes = Sequence[tuple[str, str, Callable[..., Awaitable[Response]], type[Operation], dict[str, Any]]]
"""Path, method, endpoint, kind of operation, and options of the route."""


def router(routes: Routes, tag: str = "auth") -> APIRouter:
    """The operations below ``/auth``, each with its own kind of operation."""
    auth = APIRouter(prefix="/auth", tags=[tag])
    for path, method, endpoint, kind, options in routes:
        auth.add_api_route(path, endpoint, methods=[method], route_class_override=kind, **options)
    return auth


def signing_up_options(answer: type[BaseModel]) -> dict[str, Any]:
    return _options("Open an account", answer, EmailTaken) | {"status_code": 201}


def signing_in_options(answer: type[BaseModel]) -> dict[str, Any]:
    return _options("Sign in", answer, InvalidCredentials, TotpRequired, SignInUnconfirmed)


def signing_out_options() -> dict[str, Any]:
    return _options("Refuse this token from now on", MessageOut)


def caller_options() -> dict[str, Any]:
    return _options("The caller", UserOut)


def _options(summary: str, answer: type[BaseModel], *kinds: type[AppError]) -> dict[str, Any]:
    return {"summary": summary, "response_model": answer, "responses": raises(*kinds)}


async def opened_account(call: RequestContext, *, email: str, password: str, name: str) -> dict[str, Any]:
    """Opens an account; the answer is its first session."""
    async with signing_up(call, email):
        user = await users.sign_up(
            call.lane,
            email=email,
            password=password,
            name=name,
            group=group_of(call),
            sends_link=call.settings.sends_mail,
        )
    return session(call, SignedIn(user, now()))


async def opened_session(
    call: RequestContext, *, email: str, password: str, takes_code: bool = False
) -> dict[str, Any]:
    """Signs in; the answer is the session."""
    return session(call, await authenticated(call, email=email, password=password, takes_code=takes_code))


async def signed_in_session(call: RequestContext, found: SignedIn) -> dict[str, Any]:
    """The session of whom a provider let in, if nothing is missing that a sign-in with a password would need too."""
    await _require_whole(call, found)
    note(call, "sign_in", user_id=found.user.id)
    return session(call, found)


async def _require_whole(call: RequestContext, found: SignedIn) -> None:
    if _must_confirm(call, found.user):
        if found.user.email is not None:
            async with call.lane.transaction() as transaction:
                await users.send_link(transaction, found.user.id, found.user.email)
        raise SignInUnconfirmed
    if found.challenge is not None:
        raise TotpRequired(found.challenge)


async def renewed_session(call: RequestContext) -> dict[str, Any]:
    """Goes on with the sign-in; the answer is the session with its new token."""
    found = await users.renew(call.lane, call.user)
    if _must_confirm(call, found.user):
        raise SignInUnconfirmed
    call.outdated.add(call.user.token_id)
    note(call, "token_renewed", user_id=call.user.user_id)
    return session(call, found)


async def authenticated(call: RequestContext, *, email: str, password: str, takes_code: bool) -> SignedIn:
    """Args:
    takes_code: Whether a code may stand behind the password and a space.
    """
    async with signing_in(call, email):
        found = await users.authenticate(
            call.lane, email=email, password=password, group=group_of(call), takes_code=takes_code
        )
        await _require_whole(call, found)
    if found.used == "recovery_code":
        note(call, "recovery_code_used", user_id=found.user.id)
    return found


def _must_confirm(call: RequestContext, user: User) -> bool:
    return call.settings.require_verified_email and not user.email_verified


async def sign_out(call: Call) -> Response:
    await users.revoke(call.lane, call.user)
    call.outdated.add(call.user.token_id)
    note(call, "sign_out", user_id=call.user.user_id)
    return private_response({"message": "You are signed out; this token is refused from now on."})


async def me(call: Call) -> Response:
    return user_response(call, await users.get(call.lane, call.user))


def user_response(call: RequestContext, user: User) -> Response:
    return private_response(user_json(user, call.user.subject))


def user_json(user: User, subject: str) -> dict[str, Any]:
    """A user for the wire, under the id by which the caller knows itself."""
    shown = asdict(user) | {"id": subject, "space_id": user.id, "email_verified": user.email_verified}
    return {name: shown[name] for name in UserOut.model_fields}


def session(call: RequestContext, found: SignedIn) -> dict[str, Any]:
    """The answer to a sign-in."""
    issued = None if _must_confirm(call, found.user) else issue(call, found)
    return {
        "user": user_json(found.user, found.user.id),
        "access_token": issued.text if issued else None,
        "token_type": "bearer",
        "expires_at": issued.expires_at if issued else None,
    }


def issue(call: RequestContext, found: SignedIn) -> AccessToken:
    settings = call.settings
    return tokens.issue(
        found.user.id,
        key=settings.signing_key,
        algorithm=settings.algorithm,
        now=now(),
        lifetime=timedelta(days=settings.access_token_expire_days),
        as_of=found.as_of,
        signed_in_at=found.signed_in_at,
    )


def private_response(content: dict[str, Any], *, status: int = 200) -> Response:
    return json_response(content, status=status, headers=PRIVATE)
