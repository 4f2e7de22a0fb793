"""``taskwell seed``."""

import asyncio
from typing import Annotated

import typer

from taskwell import migrations
from taskwell.database import open_database
from taskwell.database.lanes import UniqueViolated
from taskwell.seed import SampleUser, seed
from taskwell.settings import InvalidSettings, read_settings


def seed_command(
    users: Annotated[int, typer.Option(help="Sample users to add.", min=1)] = 10,
    tasks_per_user: Annotated[int, typer.Option(help="Tasks of each.", min=0)] = 100,
) -> None:
    """Add sample users with lists and tasks; print each one's e-mail, a tab, and the password.

    Example: taskwell seed --users 3 --tasks-per-user 50
    """
    for user in asyncio.run(_seed(users, tasks_per_user)):
        typer.echo(f"{user.email}\t{user.password}")


async def _seed(users: int, tasks_per_user: int) -> list[SampleUser]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    settings = read_settings()
    if settings.is_production:
        raise InvalidSettings("ENVIRONMENT is production; sample data has no place there")
    await migrations.upgrade(settings)
    # Each statement is about many rows, so slow ones are normal. Their log lines would stand between the accounts.
    database = await open_database(settings.model_copy(update={"slow_query_milliseconds": 0}))
    console = Console(stderr=True)
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("Seeding", total=users * tasks_per_user)
            return await seed(
                database,
                users=users,
                tasks_per_user=tasks_per_user,
                on_progress=lambda count: progress.advance(bar, count),
            )
    except UniqueViolated:
        raise InvalidSettings("DATABASE_URL names a database that has the sample users already") from None
    finally:
        await database.close()
