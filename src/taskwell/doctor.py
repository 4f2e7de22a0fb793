"""Checks everything that Taskwell needs to run, changes nothing, and says what to do."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import aiosmtplib
import httpx2
from pydantic_settings import DotEnvSettingsSource

from taskwell import migrations
from taskwell.database import now
from taskwell.database.engine import postgres_connection, refused_at_start, sqlite_path
from taskwell.errors import AppError, Unavailable
from taskwell.mail import templates
from taskwell.mail.links import own_url
from taskwell.mail.smtp import STARTS_TLS, tls_mode
from taskwell.security.issuer_client import IssuerClient
from taskwell.security.jwks import PublishedKeys
from taskwell.settings import InvalidSettings, Settings

PATIENCE_SECONDS = 15.0
CLOCK_SECONDS = 2.0
FREE_BYTES, FREE_SHARE = 256 * 1024**2, 0.05
MIB = 1024**2

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        state: ``note`` if it works but could be better, or may not be intended.
        sentence: The fact, and what to do about it.
    """

    part: str
    state: State
    sentence: str


class Bad(Exception):
    """A problem that stops Taskwell, and what to do about it."""


class Note(Exception):
    """A fact that an operator may want to know."""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Runs the checks one after the other; gives a finding of each."""
    settings = settings.model_copy(update={"database_wait_seconds": 0})
    parts: dict[str, Callable[[Settings], Awaitable[str]]] = {
        "settings": _settings,
        "database": _sqlite if settings.is_sqlite else _postgres,
        "schema": _schema,
        "clock": _clock,
        "disk": _disk,
        "redis": _redis,
        "smtp": _smtp,
        "mail": _mail,
        "better auth": _better_auth,
        "providers": _providers,
    }
    is_there = True
    for part, look in parts.items():
        if is_there or part not in ("schema", "clock"):
            finding = await _finding(part, look(settings))
            is_there = is_there and (part, finding.state) != ("database", "bad")
            yield finding


async def _finding(part: str, look: Awaitable[str]) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return Finding(part, "ok", await look)
    except Note as note:
        return Finding(part, "note", str(note))
    except TimeoutError:
        return Finding(part, "bad", f"no answer within {PATIENCE_SECONDS:.0f} seconds; look at the network between")
    except (Bad, AppError, InvalidSettings, OSError, sqlite3.Error) as error:
        return Finding(part, "bad", " ".join(str(error).split()) or type(error).__name__)


async def _settings(settings: Settings) -> str:
    if unknown := _unknown_names():
        raise Note(f".env sets what is no setting, and is ignored: {', '.join(unknown)}")
    if not settings.is_production:
        raise Note(f"ENVIRONMENT={settings.environment}: for other people's data set ENVIRONMENT=production")
    if "*" in settings.allowed_hosts:
        raise Note("ALLOWED_HOSTS=* answers to every host name; name your own")
    if settings.metrics_token is None:
        raise Note(
            "METRICS_TOKEN is not set, so there is no /metrics; set it to the output of 'openssl rand -hex 32'"
        )
    return f"ENVIRONMENT=production, {len(settings.model_fields_set)} settings are set"


def _unknown_names() -> list[str]:
    """Names in ``.env`` that are no settings, each with the most similar setting."""
    known = list(Settings.model_fields)
    unknown = [name for name in DotEnvSettingsSource(Settings).env_vars if name not in known]
    meant = {name: "".join(get_close_matches(name, known, 1)) for name in unknown}
    return [(f"{name} ({meant[name]}?)" if meant[name] else name).upper() for name in unknown]


async def _sqlite(settings: Settings) -> str:
    path = sqlite_path(settings.database)
    if not path.exists():
        raise Note(f"{path} is not there yet; 'taskwell serve' or 'taskwell migrate' makes it")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise Bad(f"{path} is damaged ({found}); restore a backup with 'taskwell restore'")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    found = f"SQLite {sqlite3.sqlite_version}, {path} is whole and can be written, {path.stat().st_size // MIB} MiB"
    if may_lose_commits(sqlite3.sqlite_version_info):
        raise Note(
            f"{found}; before SQLite 3.51.3 another program that writes to the file can lose commits: upgrade it"
        )
    return found


def may_lose_commits(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the WAL-reset bug, which was also fixed in two older branches."""
    return version < (3, 51, 3) and version not in ((3, 50, 7), (3, 44, 6))


async def _postgres(settings: Settings) -> str:
    try:
        with refused_at_start(settings):
            connection = await postgres_connection(settings, statement_cache=False)
    except Unavailable as error:
        raise Bad(f"{error}: start it, or correct DATABASE_URL") from error
    try:
        started = time.perf_counter()
        version, most, pid = await connection.fetchrow(
            "SELECT current_setting('server_version'), current_setting('max_connections')::int, pg_backend_pid()"
        )
        milliseconds = (time.perf_counter() - started) * 1000
        ours = settings.database_pool_size + settings.database_pool_overflow
        if ours > most:
            raise Bad(
                f"one process may open {ours} connections and the server takes {most}: lower DATABASE_POOL_SIZE"
            )
        way = "through a pooler" if pid != connection.get_server_pid() else "directly"
        return f"PostgreSQL {version} answers {way} in {milliseconds:.1f} ms; {ours} connections a process, of {most}"
    finally:
        await connection.close()


async def _schema(settings: Settings) -> str:
    if settings.is_sqlite and not sqlite_path(settings.database).exists():
        raise Note("there is none yet")
    found, needed = await migrations.current(settings), migrations.head()
    if found == needed:
        return f"at {found}, as this version needs it"
    if found is not None and found < migrations.FIRST:
        raise Bad(f"at {found}, from before the first release: begin with an empty database")
    if found is not None and found not in migrations.known():
        raise Note(f"at {found}, from a later version than this one, which needs {needed}: upgrade Taskwell")
    what = f"at {found}" if found else "empty"
    if not settings.is_production:
        raise Note(f"{what}, and this version needs {needed}: the next start or 'taskwell migrate' brings it there")
    raise Bad(f"{what}, and this version needs {needed}: run 'taskwell migrate'")


async def _clock(settings: Settings) -> str:
    if settings.is_sqlite:
        return "the database has the clock of this machine"
    with refused_at_start(settings):
        connection = await postgres_connection(settings, statement_cache=False)
    try:
        before = now()
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        ours = before + (now() - before) / 2
    finally:
        await connection.close()
    seconds = (ours - theirs).total_seconds()
    if abs(seconds) > CLOCK_SECONDS:
        way = "ahead of" if seconds > 0 else "behind"
        raise Bad(f"this machine is {abs(seconds):.1f} s {way} the database: set up NTP on both, or tokens fail")
    return f"within {abs(seconds) * 1000:.0f} ms of the database's"


async def _disk(settings: Settings) -> str:
    if not settings.is_sqlite:
        return "the database's disk is on its own server; Taskwell stores nothing else"
    folder = sqlite_path(settings.database).parent.absolute()
    total, _, free = shutil.disk_usage(folder)
    if free < FREE_BYTES or free < total * FREE_SHARE:
        raise Bad(f"{free // MIB} MiB free in {folder}: make room, writes fail with 507 when it is full")
    return f"{free // MIB} MiB free in {folder}"


async def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return "REDIS_URL is not set: each process counts its own limits"
    from redis.asyncio import Redis  # noqa: PLC0415  # optional, so imported only if it is used
    from redis.exceptions import RedisError  # noqa: PLC0415

    try:
        async with Redis.from_url(settings.redis_url.get_secret_value(), socket_connect_timeout=5) as redis:
            started = time.perf_counter()
            await redis.ping()
            return f"answers in {(time.perf_counter() - started) * 1000:.1f} ms"
    except (RedisError, ValueError) as error:
        raise Bad(f"REDIS_URL cannot be used ({error}): start it, or remove the setting") from error


async def _smtp(settings: Settings) -> str:
    if settings.smtp_host is None:
        return "SMTP_HOST is not set: reminders by e-mail cannot be sent, webhooks can"
    tls = tls_mode(settings)
    server = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        use_tls=tls == "on",
        start_tls=STARTS_TLS[tls],
        timeout=10,
    )
    try:
        async with server:
            await server.noop()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Bad("the server refused SMTP_USERNAME and SMTP_PASSWORD; set those that it knows") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        where = f"{settings.smtp_host}:{settings.smtp_port}"
        raise Bad(f"SMTP_HOST {where} cannot be used ({error}); check it, SMTP_PORT and SMTP_TLS") from error
    return f"{settings.smtp_host}:{settings.smtp_port} takes mail from us"


async def _providers(settings: Settings) -> str:
    if not settings.has_providers:
        return "OIDC_PROVIDERS and GITHUB_CLIENT_ID are not set: people sign in with passwords"
    from taskwell.security.openid import OpenIdProvider  # noqa: PLC0415  # not imported until it is used

    client, wrong, right = IssuerClient(), [], []
    for each in settings.oidc_providers:
        try:
            metadata = await OpenIdProvider(each, client).discover()
            await PublishedKeys(metadata.jwks_uri, client=client).download()
            right.append(each.name)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TimeoutError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            wrong.append(f"{each.name} ({reason})")
    if wrong:
        raise Bad(f"not to be discovered: {', '.join(wrong)}; check the issuer in OIDC_PROVIDERS")
    names = [*right, *(["github"] if settings.github_client_id else [])]
    callbacks = ", ".join(f"{own_url(settings)}/api/v1/auth/{name}/callback" for name in names)
    return f"discovered; they send people back to {callbacks}"


async def _mail(settings: Settings) -> str:
    folder = settings.mail_templates
    if folder is None:
        return "MAIL_TEMPLATES is not set: mails have our words"
    templates.check(settings)
    if unknown := templates.unknown(folder):
        raise Note(f"{folder} holds what no mail is made of: {', '.join(unknown)}")
    return f"every mail can be written with the templates in {folder}"


async def _better_auth(settings: Settings) -> str:
    url = settings.jwks_url
    if url is None:
        has_secret = settings.better_auth_secret is not None
        return "tokens are checked by BETTER_AUTH_SECRET" if has_secret else "not set: only Taskwell's own tokens"
    try:
        keys = await PublishedKeys(url).download()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Bad(f"no keys at {url} ({reason}): check BETTER_AUTH_URL, and its jwt plugin") from error
    if not keys:
        raise Note(f"{url} has no usable key; Better Auth makes one when it signs its first token")
    algorithms = ", ".join(sorted({algorithm for _, algorithm in keys}))
    return f"{len({key_id for key_id, _ in keys})} key(s) at {url} ({algorithms})"
