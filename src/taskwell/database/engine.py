"""Opens the database that ``DATABASE_URL`` names, in whichever of its usual spellings."""

import asyncio
import random
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from sqlalchemy import URL, NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from taskwell.database.lanes import Database
from taskwell.database.pool import Connection, ConnectionPool, PoolLimits
from taskwell.database.postgres import LOST, PostgresDatabase
from taskwell.database.sqlite import SqliteDatabase
from taskwell.database.watch import StatementWatch
from taskwell.errors import Unavailable
from taskwell.settings import InvalidSettings, Settings

log = structlog.get_logger("taskwell.database")

FIRST_PAUSE = 0.25

REFUSED = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ProtocolViolationError,  # PgBouncer's word for a wrong password, and for TLS that is missing
)

DRIVERS_OWN = (asyncpg.PostgresError, sqlite3.Error, DBAPIError)
"""What a database says that nothing here has words of its own for."""

CLIENT_ONLY = ("sslmode", "channel_binding", "sslrootcert", "connect_timeout", "gssencmode")
"""Query parameters of a libpq URL that are not the server's; each is translated or has no meaning here."""


def own_words(error: Exception) -> str:
    """The database's sentence, without what SQLAlchemy puts around it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return str(error.orig.__cause__ or error.orig)
    return str(error)


def sqlite_path(url: URL) -> Path:
    """The file of ``sqlite:///file`` (relative) or ``sqlite:////file`` (absolute).

    Raises:
        InvalidSettings: there is no such folder, or it is an in-memory database, which would be empty on every
            connection.
    """
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InvalidSettings("DATABASE_URL must name a file, such as sqlite:///taskwell.db")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise InvalidSettings(f"DATABASE_URL names a folder that does not exist: {path.parent}")
    return path


async def open_database(settings: Settings, *, command_timeout: float | None = None) -> Database:
    """Opens the database.

    Args:
        command_timeout: Seconds that PostgreSQL may take for one statement.

    Raises:
        InvalidSettings: the URL's own parts are wrong: no such folder, TLS mode, user or database.
        Unavailable: nothing answers there.
    """
    if settings.is_sqlite:
        watch = StatementWatch("sqlite", settings.slow_query_milliseconds)
        return SqliteDatabase(sqlite_path(settings.database), watch)
    is_cached = settings.database_statement_cache == "on" or (
        settings.database_statement_cache == "auto" and not await _is_pooled(settings)
    )

    async def connect() -> Connection:
        return await postgres_connection(settings, statement_cache=is_cached, command_timeout=command_timeout)

    limits = PoolLimits(
        size=settings.database_pool_size,
        overflow=settings.database_pool_overflow,
        timeout=settings.database_pool_timeout_seconds,
        recycle=settings.database_pool_recycle_seconds,
        ping_after_idle=settings.database_ping_after_idle_seconds,
    )
    watch = StatementWatch("postgresql", settings.slow_query_milliseconds)
    return PostgresDatabase(ConnectionPool(connect, limits), watch)


async def postgres_connection(
    settings: Settings, *, statement_cache: bool, command_timeout: float | None = None
) -> Connection:
    """One connection of our own.

    Args:
        settings: The URL.
        statement_cache: Whether the server keeps prepared statements between transactions for one client. A
            pooler in transaction mode does not, unless told to (PgBouncer's ``max_prepared_statements``).
        command_timeout: Seconds that a statement may take.
    """
    url, arguments = postgres_arguments(settings.database)
    return await asyncpg.connect(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        database=url.database,
        **arguments,
        timeout=settings.database_connect_timeout_seconds,
        command_timeout=command_timeout,
        statement_cache_size=500 if statement_cache else 0,
    )


def postgres_engine(settings: Settings) -> AsyncEngine:
    """SQLAlchemy's own engine, for migrations; it opens one connection and keeps none."""

    async def connect() -> Connection:
        return await _waited_for(settings)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


def postgres_arguments(url: URL) -> tuple[URL, dict[str, Any]]:
    """The URL and asyncpg's arguments for a URL as libpq writes it (Neon's, Heroku's, RDS's).

    ``channel_binding=require`` cannot be honoured, since asyncpg has no SCRAM-PLUS; TLS is on all the same.

    Raises:
        InvalidSettings: an unknown ``sslmode``.
    """
    query = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    arguments: dict[str, Any] = {}
    if (tls := _tls(query.get("sslmode", ""), query.get("sslrootcert", ""))) is not None:
        arguments["ssl"] = tls
    if server_settings := {name: value for name, value in query.items() if name not in CLIENT_ONLY}:
        arguments["server_settings"] = server_settings
    return url.set(drivername="postgresql+asyncpg", query={}), arguments


def _tls(mode: str, root_certificate: str) -> object:
    """What asyncpg wants for libpq's ``sslmode`` (PostgreSQL 18, section 32.19)."""
    if mode in ("", "disable", "allow", "prefer", "require"):
        return mode or None
    if mode not in ("verify-ca", "verify-full"):
        raise InvalidSettings(f"DATABASE_URL has an unknown sslmode: {mode!r}")
    known = None if root_certificate in ("", "system") else root_certificate
    try:
        context = ssl.create_default_context(cafile=known)
    except OSError as error:
        raise InvalidSettings(f"DATABASE_URL names an sslrootcert that cannot be used: {error}") from error
    context.check_hostname = mode == "verify-full"
    return context


async def _is_pooled(settings: Settings) -> bool:
    """Whether a pooler stands between: it gives its clients process ids of its own making."""
    with refused_at_start(settings):
        connection = await postgres_connection(settings, statement_cache=False)
        try:
            return bool(await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid())
        finally:
            await connection.close()


async def _waited_for(settings: Settings) -> Connection:
    """A connection to a server that may still be starting: asked again, less and less often, for a while."""
    give_up = time.monotonic() + settings.database_wait_seconds
    pause = FIRST_PAUSE
    while True:
        try:
            with refused_at_start(settings):
                return await postgres_connection(settings, statement_cache=False)
        except Unavailable as error:
            if time.monotonic() + pause > give_up:
                raise
            if pause == FIRST_PAUSE:
                log.warning("waiting for the database", reason=error.detail)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # replicas spread out
        pause *= 2


@contextmanager
def refused_at_start(settings: Settings) -> Iterator[None]:
    """Says which part of ``DATABASE_URL`` is wrong, or that nothing answers there."""
    try:
        yield
    except REFUSED as error:
        raise InvalidSettings(f"DATABASE_URL was refused: {error}") from error
    except LOST as error:
        where = f"{settings.database.host or 'localhost'}:{settings.database.port or 5432}"
        reason = str(error) or type(error).__name__
        raise Unavailable(f"The database that DATABASE_URL names, at {where}, cannot be reached: {reason}") from error
    except asyncpg.PostgresError as error:
        raise InvalidSettings(f"DATABASE_URL was refused: {error}") from error
