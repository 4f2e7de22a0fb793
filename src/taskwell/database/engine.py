"""Opens the database of ``DATABASE_URL``, in any usual spelling."""

import asyncio
import random
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import asyncpg
import structlog
from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from taskwell.database.lanes import Database
from taskwell.database.pool import Connection, ConnectionPool, PoolLimits
from taskwell.database.postgres import LOST, PostgresDatabase
from taskwell.database.sqlite import SqliteDatabase
from taskwell.database.watch import StatementWatch
from taskwell.database_url import without_passwords
from taskwell.errors import Unavailable
from taskwell.settings import InvalidSettings, Settings

log = structlog.get_logger("taskwell.database")

FIRST_PAUSE = 0.25

REFUSED = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ProtocolViolationError,  # PgBouncer answers so to a wrong password, and to missing TLS
)

DRIVERS_OWN = (asyncpg.PostgresError, sqlite3.Error, DBAPIError)
"""Errors of the drivers, for which Taskwell has no sentence of its own."""


def own_words(error: Exception) -> str:
    """The database's sentence, without SQLAlchemy's additions."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return str(error.orig.__cause__ or error.orig)
    return str(error)


def sqlite_path(url: str) -> Path:
    """The file of ``sqlite:///file`` (relative) or ``sqlite:////file`` (absolute).

    Raises:
        InvalidSettings: the folder does not exist, or the database is in memory.
    """
    file = url.removeprefix("sqlite:///").partition("?")[0]
    if not url.startswith("sqlite:///") or file in ("", ":memory:") or file.startswith("file:"):
        raise InvalidSettings("DATABASE_URL must name a file, such as sqlite:///taskwell.db")
    path = Path(file)
    if not path.parent.is_dir():
        raise InvalidSettings(f"DATABASE_URL names a folder that does not exist: {path.parent}")
    return path


async def open_database(settings: Settings, *, command_timeout: float | None = None) -> Database:
    """Opens the database of the settings.

    Args:
        command_timeout: Seconds that PostgreSQL may take for one statement.

    Raises:
        InvalidSettings: a part of the URL is wrong: folder, TLS mode, user or database.
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
    """Opens one connection outside the pool.

    Args:
        statement_cache: Whether the server keeps prepared statements of a client between transactions. A pooler in
            transaction mode usually does not (PgBouncer: ``max_prepared_statements``).
        command_timeout: Seconds that a statement may take.
    """
    return await asyncpg.connect(
        settings.database,
        ssl=tls_context(settings.database),
        timeout=settings.database_connect_timeout_seconds,
        command_timeout=command_timeout,
        statement_cache_size=500 if statement_cache else 0,
    )


def postgres_engine(settings: Settings) -> AsyncEngine:
    """SQLAlchemy's engine, for migrations. It opens one connection and keeps none."""

    async def connect() -> Connection:
        return await _waited_for(settings)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


def tls_context(url: str) -> ssl.SSLContext | None:
    """The TLS settings for a mode that checks the server's certificate; None for other modes, which asyncpg handles.

    Without ``sslrootcert`` the system's root certificates are used, as with libpq's ``system``.

    Raises:
        InvalidSettings: ``sslrootcert`` cannot be read.
    """
    query = dict(parse_qsl(url.partition("?")[2]))
    mode, roots = query.get("sslmode"), query.get("sslrootcert", "system")
    if mode not in ("verify-ca", "verify-full"):
        return None
    try:
        context = ssl.create_default_context(cafile=None if roots == "system" else roots)
    except OSError as error:
        raise InvalidSettings(f"DATABASE_URL names an sslrootcert that cannot be used: {error}") from error
    context.check_hostname = mode == "verify-full"
    return context


async def _is_pooled(settings: Settings) -> bool:
    """Whether the connection goes through a pooler, which invents process ids for its clients."""
    with refused_at_start(settings):
        connection = await postgres_connection(settings, statement_cache=False)
        try:
            return bool(await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid())
        finally:
            await connection.close()


async def _waited_for(settings: Settings) -> Connection:
    """A connection to a server that may still be starting. Retries for a while, with growing pauses."""
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
    """Translates errors of the first connection: a wrong part of ``DATABASE_URL``, or no server there."""
    try:
        yield
    except REFUSED as error:
        raise InvalidSettings(f"DATABASE_URL was refused: {error}") from error
    except asyncpg.ClientConfigurationError as error:
        raise InvalidSettings(f"DATABASE_URL cannot be used: {error}") from error
    except LOST as error:
        url, reason = without_passwords(settings.database), str(error) or type(error).__name__
        raise Unavailable(f"The database that DATABASE_URL names, {url}, cannot be reached: {reason}") from error
    except asyncpg.PostgresError as error:
        raise InvalidSettings(f"DATABASE_URL was refused: {error}") from error
    except ValueError as error:  # its text may quote a part of the password
        raise InvalidSettings("DATABASE_URL cannot be used: its parameters cannot be read") from error
