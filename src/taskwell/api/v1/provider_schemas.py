"""v1: what signing in by a provider takes and gives."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from taskwell.security.sign_in_state import CHALLENGE
from taskwell.tasks.fields import Text

MAX_ADDRESS = 2_000

Challenge = Annotated[
    str, StringConstraints(pattern=CHALLENGE), Field(description="S256 of the front end's code_verifier (RFC 7636).")
]
ReturnAddress = Annotated[
    str,
    StringConstraints(max_length=MAX_ADDRESS),
    Field(description="Where the browser comes back to; of ALLOWED_ORIGINS, FRONTEND_URL or PUBLIC_URL."),
]


class ProviderOut(BaseModel):
    name: str = Field(description="What it is called in addresses.")
    title: str = Field(description="For the button.")


class ProvidersOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [{"name": "google", "title": "Google"}]}]})

    items: list[ProviderOut]


class Authorization(BaseModel):
    redirect_to: ReturnAddress
    code_challenge: Challenge
    link: str | None = Field(None, description="From `authorize_url` of a link.")


class ProviderAnswer(BaseModel):
    """What a provider sends the browser back with."""

    state: str = ""
    code: str = ""
    error: str = ""
    iss: str | None = None


class CodeExchange(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "rJ1Yx0Qe4cGkq2mZ8v7bT5nLw9sHd3fUo6iPaXyEzKQ",
                    "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                }
            ]
        },
    )

    code: Text
    code_verifier: Text


class LinkRequest(BaseModel):
    """What `authorize` takes, in the body or in the query; a front end can also add it to the address itself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "redirect_to": "https://app.example.com/linked",
                    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                }
            ]
        },
    )

    redirect_to: ReturnAddress | None = None
    code_challenge: Challenge | None = None


class LinkOut(BaseModel):
    authorize_url: str | None = Field(
        description="Where the user's browser goes; good once, for ten minutes; null in a repeat."
    )
