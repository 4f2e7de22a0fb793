"""``taskwell users events``."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from taskwell import users
from taskwell.cli.database import with_database
from taskwell.database import Database, now
from taskwell.users import events as journal
from taskwell.users.events import SecurityEvent

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def events(
    email: Annotated[str | None, typer.Option(help="Only this account's; everybody's by default.")] = None,
    since: Annotated[str, typer.Option(help="A day (2026-11-21), an instant, or how long ago: 90m, 24h, 7d.")] = "7d",
    limit: Annotated[int, typer.Option(help="How many at most, the newest first.", min=1, max=100_000)] = 200,
) -> None:
    """Show security events: sign-ins, failures, lock-outs, refused tokens, changes of accounts.

    Example: taskwell users events --email ada@example.com --since 24h
    """
    at = _instant(since)

    async def recent(database: Database) -> list[SecurityEvent]:
        user_id = (await users.by_email(database, email)).id if email else None
        return await journal.recent(database, since=at, user_id=user_id, limit=limit)

    for event in with_database(recent):
        typer.echo(_line(event))


def _instant(text: str) -> datetime:
    try:
        if ago := _AGO.fullmatch(text):
            return now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day, an instant, or a time such as 24h") from None
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is before the year 1 or after 9999") from None


def _line(event: SecurityEvent) -> str:
    who = event.user_id or event.subject or "-"
    times = f" x{event.count}" if event.count > 1 else ""
    return f"{event.at.isoformat(timespec='seconds')}  {event.kind:<16}  {event.address or '-':<15}  {who}{times}"
