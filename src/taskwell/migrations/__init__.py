"""The schema's revisions, and running them.

Alembic's own engine here is synchronous on SQLite and asyncpg on PostgreSQL; nothing of it is used while
requests are served. Alembic itself is loaded only where there is something to migrate: it takes a tenth of the
time until a server is ready.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, create_engine, inspect, text

from taskwell.database.engine import postgres_engine, sqlite_path
from taskwell.database.sqlite import connect, told
from taskwell.errors import AppError, Unavailable
from taskwell.settings import Settings

SCRIPTS = Path(__file__).parent

FIRST = "0100"
"""The first revision that was released."""

ADVISORY_LOCK = 0x7461736B77656C6C
"""'taskwell' in ASCII: processes that start at once migrate one after the other."""

LOCK_TIMEOUT = "5s"
"""How long a step waits for a table that somebody uses, and all who come after it wait behind; then it gives up."""


class OldSchema(AppError):
    """The schema is not the one that this version of Taskwell needs."""


def head() -> str:
    """The newest revision that this version knows."""
    return max(known())


def known() -> frozenset[str]:
    """Every revision that this version can migrate from, as the files of the scripts begin."""
    return frozenset(path.name.partition("_")[0] for path in SCRIPTS.glob("versions/[0-9]*.py"))


async def current(settings: Settings) -> str | None:
    """The revision that the database is at; None for an empty one."""
    found: list[str | None] = []
    await _with_connection(settings, lambda connection: found.append(_revision_of(connection)))
    return found[0]


async def upgrade(settings: Settings, revision: str = "head") -> None:
    """Brings the schema to a revision, each step in its transaction, under a lock."""
    await _with_connection(settings, lambda connection: _run(connection, "upgrade", revision))


async def downgrade(settings: Settings, revision: str) -> None:
    """Takes the schema back to a revision, or to nothing with ``base``."""
    await _with_connection(settings, lambda connection: _run(connection, "downgrade", revision))


async def prepare(settings: Settings) -> None:
    """What every process does before it uses the database: look at the schema, and upgrade an old one.

    One of a later version only adds to ours, and is left alone: a process of ours has to come up in the middle of a
    rolling upgrade, and when an operator goes back.

    Raises:
        OldSchema: in production, where an old one is left alone.
    """
    if settings.is_production:
        await require_head(settings, or_later=True)
    elif (await current(settings) or "") < head():
        await upgrade(settings)


async def require_head(settings: Settings, *, or_later: bool = False) -> None:
    """Looks at the schema.

    Args:
        or_later: Take one of a later version too. Revisions are numbered, so they compare as text.

    Raises:
        OldSchema: saying which command to run.
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
    """One transaction begun with the write lock; foreign keys are off, since tables are made anew and renamed."""
    with told(), closing(connect(path, busy_timeout=30)) as opened:
        opened.execute("PRAGMA foreign_keys=OFF")
        engine = create_engine("sqlite://", creator=lambda: opened)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                action(connection)
                connection.exec_driver_sql("COMMIT")
        finally:
            engine.dispose()
