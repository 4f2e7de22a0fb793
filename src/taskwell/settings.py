"""Everything that can be set, from the environment and ``.env``; immutable once read."""

from email.utils import parseaddr
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AnyHttpUrl,
    DirectoryPath,
    Field,
    RedisDsn,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from taskwell.database_url import plain
from taskwell.provider_settings import ProviderSettings
from taskwell.secret_keys import kept_key, weakness_of
from taskwell.web_addresses import Host, HostPattern, Origin, PathPrefix, ServerUrl


def _local_origins(given: dict[str, Any]) -> tuple[str, ...]:
    """Where a front end runs before it is deployed; Vite takes the last two."""
    ports = (3000, 8000, 5173, 5174) if given.get("environment") == "development" else (3000, 8000)
    return tuple(f"http://localhost:{port}" for port in ports)


class InvalidSettings(Exception):
    """The settings cannot be used; the message names the setting and says what to change."""


class Settings(ProviderSettings):
    """The settings of one process. Names are those of the environment variables, in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Literal["development", "test", "production"] = "development"
    debug: bool = False
    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    root_path: PathPrefix = ""
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 75

    database_url: str = "sqlite:///taskwell.db"
    database_pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    database_pool_overflow: Annotated[int, Field(ge=0, le=1000)] = 5
    database_pool_timeout_seconds: Annotated[float, Field(gt=0)] = 5
    database_pool_recycle_seconds: Annotated[int, Field(ge=1)] = 240
    database_ping_after_idle_seconds: Annotated[float, Field(ge=0)] = 20
    database_statement_cache: Literal["auto", "on", "off"] = "auto"
    database_connect_timeout_seconds: Annotated[float, Field(gt=0)] = 10
    database_command_timeout_seconds: Annotated[float, Field(gt=0)] = 10
    database_wait_seconds: Annotated[float, Field(ge=0)] = 10

    secret_key: SecretStr | None = None
    secret_key_previous: SecretStr | None = None
    algorithm: Literal["HS256"] = "HS256"
    access_token_expire_days: Annotated[float, Field(gt=0, le=3650)] = 7
    better_auth_url: ServerUrl | None = None
    better_auth_jwks_url: str | None = None
    better_auth_secret: SecretStr | None = None
    better_auth_issuer: str | None = None
    better_auth_audience: str | None = None

    allowed_origins: Annotated[tuple[Origin, ...], NoDecode, Field(default_factory=_local_origins)]
    allowed_hosts: Annotated[tuple[HostPattern, ...], NoDecode] = ("*",)
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    rate_limit_per_minute: Annotated[int, Field(ge=0)] = 5
    api_rate_limit_per_minute: Annotated[int, Field(ge=0)] = 0
    redis_url: SecretStr | None = None
    require_if_match: bool = False
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 30
    max_tasks_per_space: Annotated[int, Field(ge=0)] = 100_000
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    max_import_bytes: Annotated[int, Field(ge=1024)] = 16_777_216
    compression: bool = True
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "console", "json"] = "auto"
    slow_query_milliseconds: Annotated[float, Field(ge=0)] = 200
    metrics_token: SecretStr | None = None
    sentry_dsn: SecretStr | None = None
    drain_delay_seconds: Annotated[float, Field(ge=0, le=60)] = 0.5

    worker_in_serve: bool | None = None
    worker_poll_seconds: Annotated[float, Field(gt=0, le=86_400)] = 1
    worker_metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    smtp_host: Host | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["auto", "on", "starttls", "off"] = "auto"
    mail_from: str = "Taskwell <taskwell@localhost>"
    mail_templates: DirectoryPath | None = None
    max_mails_per_day: Annotated[int, Field(ge=0)] = 50
    require_verified_email: bool = False
    public_url: ServerUrl | None = None
    frontend_url: ServerUrl | None = None
    webhook_allow_private: bool = False

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator(
        "secret_key",
        "secret_key_previous",
        "better_auth_url",
        "better_auth_jwks_url",
        "better_auth_secret",
        "better_auth_issuer",
        "better_auth_audience",
        "redis_url",
        "metrics_token",
        "sentry_dsn",
        "worker_in_serve",
        "worker_metrics_port",
        "smtp_host",
        "smtp_username",
        "smtp_password",
        "mail_templates",
        "public_url",
        "frontend_url",
        mode="before",
    )
    @classmethod
    def _empty_is_missing(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("better_auth_url")
    @classmethod
    def _is_without_its_api(cls, url: str | None) -> str | None:
        """Takes the server's own address, and also that of its API below it."""
        return url and url.removesuffix("/api/auth")

    @field_validator("better_auth_jwks_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        """A set of keys may be told apart by a query, unlike a server."""
        parts = AnyHttpUrl(url) if url is not None else None
        if parts is not None and (parts.fragment or parts.username or parts.password):
            raise ValueError("it must be an address such as https://auth.example.com/api/auth/jwks")
        return url and url.strip()

    @field_validator("better_auth_issuer")
    @classmethod
    def _is_not_us(cls, issuer: str | None) -> str | None:
        if issuer == "taskwell":
            raise ValueError("'taskwell' is the issuer of our own tokens; name that of Better Auth")
        return issuer

    @field_validator("allowed_origins", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, values: object) -> object:
        """Takes a comma-separated list; a JSON array is what other tools write, so that works too."""
        if not isinstance(values, str):
            return values
        parts = (part.strip().strip('"').rstrip("/") for part in values.strip("[] ").split(","))
        return tuple(part for part in parts if part)

    @field_validator("sentry_dsn")
    @classmethod
    def _is_a_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            AnyHttpUrl(url.get_secret_value())
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith("unix://"):
            RedisDsn(url.get_secret_value())
        return url

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        plain(url)
        return url

    @model_validator(mode="after")
    def _knows_whose_keys_they_are(self) -> Self:
        if self.better_auth_jwks_url is not None and self.better_auth_url is None:
            raise ValueError("BETTER_AUTH_URL is missing; BETTER_AUTH_JWKS_URL only says where its keys are")
        return self

    @model_validator(mode="after")
    def _is_safe_in_production(self) -> Self:
        if self.environment != "production":
            return self
        if self.secret_key is None:
            raise ValueError("SECRET_KEY is missing; set it to the output of 'openssl rand -hex 32'")
        for name, key in (("SECRET_KEY", self.secret_key), ("SECRET_KEY_PREVIOUS", self.secret_key_previous)):
            if key is not None and (weakness := weakness_of(key)):
                raise ValueError(f"{name} {weakness}; set it to the output of 'openssl rand -hex 32'")
        if self.debug:
            raise ValueError("DEBUG must be off in production; remove it or set DEBUG=false")
        if "*" in self.allowed_origins:
            raise ValueError("ALLOWED_ORIGINS must name each origin in production; '*' is not accepted")
        if self.better_auth_secret is not None and (weakness := weakness_of(self.better_auth_secret)):
            raise ValueError(f"BETTER_AUTH_SECRET {weakness}; set the output of 'openssl rand -hex 32' on both sides")
        return self

    @model_validator(mode="after")
    def _can_send_in_production(self) -> Self:
        has_mail = self.is_production and self.smtp_host is not None
        if self.require_verified_email and not self.sends_mail:
            raise ValueError("REQUIRE_VERIFIED_EMAIL needs mail; set SMTP_HOST, MAIL_FROM and PUBLIC_URL")
        if has_mail and "mail_from" not in self.model_fields_set:
            raise ValueError("MAIL_FROM is missing; set it to an address that SMTP_HOST may send from")
        if (has_mail or (self.is_production and self.has_providers)) and self.public_url is None:
            raise ValueError("PUBLIC_URL is missing; set it to the address at which people reach this server")
        return self

    @field_validator("mail_from")
    @classmethod
    def _is_a_sender(cls, sender: str) -> str:
        if not sender.isprintable() or not all(parseaddr(sender)[1].partition("@")):
            raise ValueError("it must be an address such as Taskwell <taskwell@example.com>")
        return sender

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @cached_property
    def database(self) -> str:
        """The URL, in the one spelling that everything else reads."""
        return plain(self.database_url)

    @property
    def is_sqlite(self) -> bool:
        return self.database.startswith("sqlite:")

    @property
    def jwks_url(self) -> str | None:
        """Where Better Auth publishes its keys."""
        if self.better_auth_url is None:
            return None
        return self.better_auth_jwks_url or f"{self.better_auth_url}/api/auth/jwks"

    @property
    def works_in_serve(self) -> bool:
        """Whether ``taskwell serve`` delivers reminders itself; on SQLite it does unless told otherwise."""
        return self.is_sqlite if self.worker_in_serve is None else self.worker_in_serve

    @property
    def sends_mail(self) -> bool:
        """Whether the account's mails are sent; in development without SMTP_HOST the log shows them."""
        return self.smtp_host is not None or not self.is_production

    @cached_property
    def signing_key(self) -> str:
        """``SECRET_KEY``, or in development a key that is made once and kept beside the SQLite file."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        folder = Path(self.database.removeprefix("sqlite:///")).parent if self.is_sqlite else Path()
        try:
            return kept_key(folder / ".taskwell-secret-key")
        except OSError as error:
            raise InvalidSettings(
                f"SECRET_KEY is not set, and none can be kept in {folder}: {error.strerror}"
            ) from error
        except ValueError as error:
            raise InvalidSettings(str(error)) from error

    @cached_property
    def verifying_keys(self) -> tuple[str, ...]:
        """What may have signed a token of ours: the key, and the one before it while its tokens run out."""
        previous = self.secret_key_previous
        return (self.signing_key, previous.get_secret_value()) if previous is not None else (self.signing_key,)


def read_settings(**overrides: object) -> Settings:
    """Reads the environment and ``.env``.

    Raises:
        InvalidSettings: naming each setting that is wrong, on one line.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except UnicodeDecodeError:
        raise InvalidSettings(".env is not text in UTF-8") from None
    except OSError as error:
        raise InvalidSettings(f".env cannot be read: {error.strerror}") from None
    except ValidationError as error:
        told = [each for each in error.errors() if each["type"] != "default_factory_not_called"]
        raise InvalidSettings("; ".join(_sentence(list(each["loc"]), each["msg"]) for each in told)) from None


def _sentence(location: list[int | str], message: str) -> str:
    sentence = message.removeprefix("Value error, ")
    inner = ".".join(map(str, location[1:]))
    return f"{str(location[0]).upper()}: {inner and f'{inner}: '}{sentence}" if location else sentence
