"""``taskwell token``: make a token, look into one."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from taskwell import users
from taskwell.database import now, open_database
from taskwell.security import tokens
from taskwell.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Make and inspect access tokens.")


@app.command()
def issue(
    email: Annotated[str, typer.Argument(help="The account's e-mail.")],
    days: Annotated[
        float | None, typer.Option(help="Lifetime; ACCESS_TOKEN_EXPIRE_DAYS by default.", min=0.001)
    ] = None,
) -> None:
    """Print a token for an account, for scripts and support.

    Example: taskwell token issue ada@example.com --days 1
    """
    typer.echo(asyncio.run(_issue(email, days)))


async def _issue(email: str, days: float | None) -> str:
    settings = read_settings()
    database = await open_database(settings)
    try:
        user = await users.by_email(database, email)
    finally:
        await database.close()
    lifetime = timedelta(days=days or settings.access_token_expire_days)
    return tokens.issue(
        user.id, key=settings.signing_key, algorithm=settings.algorithm, now=now(), lifetime=lifetime
    ).text


@app.command()
def inspect(token: Annotated[str, typer.Argument(help="The token; '-' reads standard input.")]) -> None:
    """Say whether a token is one of ours, and what it says.

    Example: taskwell token inspect - < token.txt
    """
    settings = read_settings()
    text = typer.get_text_stream("stdin").read().strip() if token == "-" else token  # noqa: S105
    claims = tokens.verify(text, key=settings.signing_key, algorithm=settings.algorithm)
    if claims is None:
        typer.echo("refused: not a valid token of this service", err=True)
        raise typer.Exit(1)
    typer.echo(f"user     {claims.subject}\ntoken    {claims.token_id}")
    typer.echo(f"issued   {claims.issued_at.isoformat()}\nexpires  {claims.expires_at.isoformat()}")
