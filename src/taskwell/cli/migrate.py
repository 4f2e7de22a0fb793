"""``taskwell migrate``."""

import asyncio
from typing import Annotated

import typer

from taskwell import migrations
from taskwell.settings import read_settings


def migrate(
    revision: Annotated[str, typer.Argument(help="The revision to reach; the newest by default.")] = "head",
) -> None:
    """Bring the database's schema to this version.

    Example: DATABASE_URL=postgresql://localhost/taskwell taskwell migrate
    """
    asyncio.run(_migrate(revision))


async def _migrate(revision: str) -> None:
    settings = read_settings()
    before = await migrations.current(settings)
    earlier = {"base", *(each for each in migrations.known() if each < (before or ""))}
    if revision in earlier:
        at = before or "nothing"
        raise migrations.OldSchema(
            f"The schema is at {at}; 'taskwell migrate' never goes back to {revision}: restore a backup from then."
        )
    await migrations.upgrade(settings, revision)
    after = await migrations.current(settings)
    typer.echo(
        f"The schema is at {after}." if before == after else f"The schema went from {before or 'nothing'} to {after}."
    )
