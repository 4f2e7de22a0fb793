"""The revisions of the schema, and the functions that run them.

Alembic runs on its own connections, synchronous on SQLite and asyncpg on PostgreSQL. It is imported only if there is
something to migrate, since the import takes a tenth of a server's start.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, create_engine, inspect, text

from taskwell.database.engine import postgres_engine, sqlite_path
from taskwell.database.sqlite import connect, translated_errors
from taskwell.errors import AppError, Unavailable
from taskwell.settings import Settings

SCRIPTS = Path(__file__).parent

FIRST = "0100"
"""The first released revision."""

ADVISORY_LOCK = 0x7461736B77656C6C
"""'taskwell' in ASCII. With this lock, processes that start together migrate one after the other."""

LOCK_TIMEOUT = "5s"
"""A step waits so long for a table in use, then fails. Meanwhile all later requests wait behind it."""


class OldSchema(AppError):
    """The database does not have the schema of this version."""


def head() -> str:
    """The newest revision of this version."""
    return max(known())


def known() -> frozenset[str]:
    """Every revision that this version can migrate from; the names of the files begin with them."""
    return frozenset(path.name.partition("_")[0] for path in SCRIPTS.glob("versions/[0-9]*.py"))


async def current(settings: Settings) -> str | None:
    """The revision of the database; None if it is empty."""
    found: list[str | None] = []
    await _with_connection(settings, lambda connection: found.append(_revision_of(connection)))
    return found[0]


async def upgrade(settings: Settings, revision: str = "head") -> None:
    """Upgrades the schema to a revision, in one transaction and under a lock."""
    await _with_connection(settings, lambda connection: _run(connection, "upgrade", revision))


async def downgrade(settings: Settings, revision: str) -> None:
    """Downgrades the schema to a revision; ``base`` removes everything."""
    await _with_connection(settings, lambda connection: _run(connection, "downgrade", revision))


async def prepare(settings: Settings) -> None:
    """Checks the schema, and upgrades an old one outside production. Every process calls this first.

    A newer schema is accepted, since it only adds to ours. Processes of this version start in the middle of a rolling
    upgrade, and after an operator has gone back.

    Raises:
        OldSchema: the schema is old, in production.
    """
    if settings.is_production:
        await require_head(settings, or_later=True)
    elif (await current(settings) or "") < head():
        await upgrade(settings)


async def require_head(settings: Settings, *, or_later: bool = False) -> None:
    """Checks that the database has the schema of this version.

    Args:
        or_later: Accept a newer schema too. Revisions have numbers of four digits, so they compare as text.

    Raises:
        OldSchema: it has not; the message names the command to run.
    """
    found = await current(settings)
    if found != head() and not (or_later and (found or "") > head()):
        _refuse_unknown(found)
        state = f"is at {found}" if found else "is empty"
        raise OldSchema(f"The database {state} and this version needs {head()}: run 'taskwell migrate' first.")


def _refuse_unknown(found: str | None) -> None:
    if found is None or found in known():
        return
    if found < FIRST:
        raise OldSchema(f"The database is at {found}, from before the first release: begin with an empty one.")
    raise OldSchema(f"The database is at {found}, which a later version of Taskwell has made: use that one.")


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _run(connection: Connection, action: Literal["upgrade", "downgrade"], revision: str) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    _refuse_unknown(_revision_of(connection))
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    try:
        (command.upgrade if action == "upgrade" else command.downgrade)(config, revision)
    except CommandError as error:
        raise OldSchema(f"The schema cannot be brought to {revision}: {error}.") from error


async def _with_connection(settings: Settings, action: Callable[[Connection], None]) -> None:
    if settings.is_sqlite:
        path = sqlite_path(settings.database)
        try:
            await asyncio.to_thread(_with_sqlite, path, action)
        except Unavailable as error:
            raise Unavailable(
                f"DATABASE_URL names {path}, which cannot be used: {error.__cause__ or error}"
            ) from error
        return
    engine = postgres_engine(settings)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(action)
    finally:
        await engine.dispose()


def _with_sqlite(path: Path, action: Callable[[Connection], None]) -> None:
    """Runs the action in one transaction with the write lock. Foreign keys are off, since tables are rebuilt."""
    with translated_errors(), closing(connect(path, busy_timeout=30)) as opened:
        opened.execute("PRAGMA foreign_keys=OFF")
        engine = create_engine("sqlite://", creator=lambda: opened)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                action(connection)
                connection.exec_driver_sql("COMMIT")
        finally:
            engine.dispose()
