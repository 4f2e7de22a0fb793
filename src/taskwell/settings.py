"""Everything that can be set, from the environment and ``.env``; immutable once read."""

import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

MIN_SECRET_BYTES = 32
"""RFC 7518 section 3.2: an HS256 key has at least as many bits as the hash."""

KNOWN_DEFAULTS = ("change-me", "changeme", "your-secret-key", "secret-key", "example", "replace-me")


class InvalidSettings(Exception):
    """The settings cannot be used; the message names the setting and says what to change."""


class Settings(BaseSettings):
    """The settings of one process. Names are those of the environment variables, in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Literal["development", "test", "production"] = "development"
    debug: bool = False
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000

    database_url: str = "sqlite:///taskwell.db"
    database_pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    database_pool_overflow: Annotated[int, Field(ge=0, le=1000)] = 5
    database_pool_timeout_seconds: Annotated[float, Field(gt=0)] = 5
    database_pool_recycle_seconds: Annotated[int, Field(ge=1)] = 240
    database_ping_after_idle_seconds: Annotated[float, Field(ge=0)] = 20
    database_statement_cache: Literal["auto", "on", "off"] = "auto"
    database_connect_timeout_seconds: Annotated[float, Field(gt=0)] = 10

    secret_key: SecretStr | None = None
    algorithm: Literal["HS256"] = "HS256"
    access_token_expire_days: Annotated[float, Field(gt=0, le=3650)] = 7

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ("http://localhost:3000", "http://localhost:8000")
    require_if_match: bool = False
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 30
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("secret_key", mode="before")
    @classmethod
    def _empty_is_missing(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, origins: object) -> object:
        """Takes a comma-separated list; a JSON array is what other tools write, so that works too."""
        if not isinstance(origins, str):
            return origins
        parts = (part.strip().strip('"').rstrip("/") for part in origins.strip("[] ").split(","))
        return tuple(part for part in parts if part)

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and AnyHttpUrl(origin).path not in ("/", None):
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.com")
        return origins

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        try:
            backend = make_url(url).drivername.partition("+")[0]
        except ArgumentError as error:
            raise ValueError("it is not a database URL such as sqlite:///taskwell.db") from error
        if backend not in ("sqlite", "postgres", "postgresql"):
            raise ValueError(f"{backend!r} is not supported; use sqlite:///… or postgresql://…")
        return url

    @model_validator(mode="after")
    def _is_safe_in_production(self) -> Self:
        if self.environment != "production":
            return self
        if self.secret_key is None:
            raise ValueError("SECRET_KEY is missing; set it to the output of 'openssl rand -hex 32'")
        if self.debug:
            raise ValueError("DEBUG must be off in production; remove it or set DEBUG=false")
        if "*" in self.allowed_origins:
            raise ValueError("ALLOWED_ORIGINS must name each origin in production; '*' is not accepted")
        return self

    @field_validator("secret_key")
    @classmethod
    def _is_strong(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None:
            return None
        text = key.get_secret_value()
        if len(text.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"it needs at least {MIN_SECRET_BYTES} bytes; use 'openssl rand -hex 32'")
        if len(set(text)) < 8 or any(default in text.lower() for default in KNOWN_DEFAULTS):
            raise ValueError("it is a known default; set it to the output of 'openssl rand -hex 32'")
        return key

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @cached_property
    def database(self) -> URL:
        return make_url(self.database_url)

    @property
    def is_sqlite(self) -> bool:
        return self.database.get_backend_name() == "sqlite"

    @cached_property
    def signing_key(self) -> str:
        """``SECRET_KEY``, or in development a key that is made once and kept beside the SQLite file."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        database = self.database.database if self.is_sqlite else None
        folder = Path(database).parent if database and database != ":memory:" else Path()
        return _kept_key(folder / ".taskwell-secret-key")


def read_settings(**overrides: object) -> Settings:
    """Reads the environment and ``.env``.

    Raises:
        InvalidSettings: naming each setting that is wrong, on one line.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise InvalidSettings("; ".join(_sentence(list(e["loc"]), e["msg"]) for e in error.errors())) from None


def _sentence(location: list[int | str], message: str) -> str:
    name = str(location[0]).upper() if location else ""
    return f"{name} {message}".strip().replace("Value error, ", "")


def _kept_key(path: Path) -> str:
    """Makes the key once, readable by its owner only; of two processes starting at once, the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
