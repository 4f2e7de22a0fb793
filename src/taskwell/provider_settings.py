"""Who else may say who somebody is: the settings of sign-in providers."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode

from taskwell.web_addresses import as_server

GITHUB = "github"


def _issuer(text: str) -> str:
    """As it is written: an issuer is compared letter by letter, a slash at its end included."""
    as_server(text)
    return text


class OpenIdSettings(BaseModel):
    """One OpenID Connect provider.

    Attributes:
        name: What it is called in addresses.
        trusted: Whether its word that an e-mail is somebody's opens an account that has this e-mail already.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    issuer: Annotated[str, AfterValidator(_issuer)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    trusted: bool = False


class ProviderSettings(BaseSettings):
    """The part of the settings that names providers."""

    oidc_providers: Annotated[tuple[OpenIdSettings, ...], NoDecode] = ()
    github_client_id: str | None = None
    github_client_secret: SecretStr | None = None

    @field_validator("oidc_providers", mode="before")
    @classmethod
    def _read_json(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            read: Any = orjson.loads(given or "[]")
        except orjson.JSONDecodeError:
            read = None
        if not isinstance(read, list):
            raise ValueError("it must be a JSON list, as docs/providers.md has it")  # noqa: TRY004  # a TypeError is no error of validation
        return read

    @field_validator("oidc_providers")
    @classmethod
    def _are_told_apart(cls, providers: Sequence[OpenIdSettings]) -> Sequence[OpenIdSettings]:
        for what in ("name", "issuer"):
            values = [getattr(each, what) for each in providers]
            if twice := next((each for each in values if values.count(each) > 1), None):
                raise ValueError(f"two providers have the {what} {twice}")
        return providers

    @field_validator("github_client_id", "github_client_secret", mode="before")
    @classmethod
    def _none_where_empty(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _has_both_halves_of_github(self) -> Self:
        if (self.github_client_id is None) != (self.github_client_secret is None):
            raise ValueError("GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET belong together; set both or none")
        if self.github_client_id is not None and any(each.name == GITHUB for each in self.oidc_providers):
            raise ValueError("OIDC_PROVIDERS: the name github is that of GITHUB_CLIENT_ID; choose another")
        return self

    @property
    def has_providers(self) -> bool:
        return bool(self.oidc_providers) or self.github_client_id is not None
