"""``taskwell doctor``."""

import asyncio
from typing import TYPE_CHECKING

import typer

from taskwell.settings import InvalidSettings, read_settings

if TYPE_CHECKING:
    from taskwell.doctor import Finding

COLOURS = {"ok": typer.colors.GREEN, "note": typer.colors.YELLOW, "bad": typer.colors.RED}


def doctor() -> None:
    """Check settings, database, schema, clock, disk, Redis, SMTP and Better Auth; exit code 1 if something is bad.

    Example: taskwell doctor
    """
    if not asyncio.run(_examine()):
        raise typer.Exit(1)


async def _examine() -> bool:
    from taskwell import doctor as doctor_  # noqa: PLC0415  # it imports every client, which other commands do not need

    try:
        settings = read_settings()
    except InvalidSettings as error:
        _show(doctor_.Finding("settings", "bad", str(error)))
        return False
    is_well = True
    async for finding in doctor_.examine(settings):
        _show(finding)
        is_well = is_well and finding.state != "bad"
    return is_well


def _show(finding: "Finding") -> None:
    mark = typer.style(f"{finding.state:<4}", fg=COLOURS[finding.state])
    typer.echo(f"{mark}  {finding.part:<11}  {finding.sentence}")
