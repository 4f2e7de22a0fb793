"""OAuth2's password grant, behind "Authorize" on the API page."""

from typing import Annotated, Any

from fastapi import Form
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taskwell.api import accounts
from taskwell.api.accounts import Typed
from taskwell.api.call import Call
from taskwell.database import now
from taskwell.errors import InvalidCredentials, SignInUnconfirmed
from taskwell.users.errors import TotpRequired


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


class PasswordForm(BaseModel):
    """RFC 6749 section 4.3.2; the e-mail is the ``username``."""

    model_config = ConfigDict(json_schema_extra={"required": ["username", "password"]})

    username: Typed = ""
    password: str = ""
    grant_type: str = "password"


TOKEN_OPTIONS: dict[str, Any] = {
    "summary": "Sign in with a form (OAuth2)",
    "response_model": TokenOut,
    "responses": {400: {"model": TokenRefusedOut, "description": "The e-mail or the password is wrong."}},
}


async def token(call: Call, form: Annotated[PasswordForm, Form()]) -> Response:
    """OAuth2's password grant (RFC 6749 section 4.3); its errors are those of section 5.2."""
    if form.grant_type != "password":
        return _refused("unsupported_grant_type", "The grant_type must be 'password'.")
    if not form.username or not form.password:
        return _refused("invalid_request", "Send username and password.")
    try:
        found = await accounts.authenticated(call, email=form.username, password=form.password, takes_code=True)
    except (InvalidCredentials, SignInUnconfirmed, TotpRequired) as error:
        return _refused("invalid_grant", error.detail)
    issued = accounts.issue(call, found)
    seconds = int((issued.expires_at - now()).total_seconds())
    return accounts.private_response({"access_token": issued.text, "token_type": "bearer", "expires_in": seconds})


def _refused(error: str, description: str) -> Response:
    return accounts.private_response({"error": error, "error_description": description}, status=400)
