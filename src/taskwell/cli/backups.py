"""``taskwell backup`` and ``taskwell restore``."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from taskwell import backup as backups
from taskwell.settings import read_settings


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the backup; replaced if it is there.")],
) -> None:
    """Write the whole database to a file, while it is in use.

    Example: taskwell backup taskwell-2026-12-24.backup
    """
    with _shown("Backing up") as on_progress:
        rows = asyncio.run(backups.backup(read_settings(), file, on_progress))
    typer.echo(f"{rows} rows are in {file}.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that 'taskwell backup' has written.")],
) -> None:
    """Read a backup into an empty database, SQLite's or PostgreSQL's, whichever it came from.

    Example: DATABASE_URL=postgresql://localhost/taskwell taskwell restore taskwell-2026-12-24.backup
    """
    with _shown("Restoring") as on_progress:
        rows = asyncio.run(backups.restore(read_settings(), file, on_progress))
    typer.echo(f"{rows} rows were restored from {file}.")


@contextmanager
def _shown(title: str) -> Iterator[backups.Progress]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(title, total=None)

        def on_progress(table: str, rows: int, total: int) -> None:
            progress.update(bar, description=f"{title} {table}", advance=rows, total=total)

        yield on_progress
