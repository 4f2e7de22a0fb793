"""``taskwell token``: make a token, look into one."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

import typer

from taskwell import users
from taskwell.cli.database import with_database
from taskwell.database import Database, now
from taskwell.security import tokens
from taskwell.security.claims import TokenClaims
from taskwell.security.verifier import Verifier
from taskwell.settings import read_settings
from taskwell.users import User

app = typer.Typer(no_args_is_help=True, help="Make and inspect access tokens.")


@app.command()
def issue(
    email: Annotated[str, typer.Argument(help="The account's e-mail.")],
    days: Annotated[
        float | None, typer.Option(help="Lifetime; ACCESS_TOKEN_EXPIRE_DAYS by default.", min=0.001, max=3650)
    ] = None,
) -> None:
    """Print a token for an account, for scripts and support.

    Example: taskwell token issue ada@example.com --days 1
    """

    async def find(database: Database) -> User:
        return await users.by_email(database, email)

    user = with_database(find)
    settings = read_settings()
    lifetime = timedelta(days=days or settings.access_token_expire_days)
    issued = tokens.issue(
        user.id, key=settings.signing_key, algorithm=settings.algorithm, now=now(), lifetime=lifetime
    )
    typer.echo(issued.text)


@app.command()
def inspect(token: Annotated[str, typer.Argument(help="The token; '-' reads standard input.")]) -> None:
    """Say whether a token is good, ours or Better Auth's, and what it says. Whether it is revoked is not asked.

    Example: taskwell token inspect - < token.txt
    """
    text = typer.get_text_stream("stdin").read().strip() if token == "-" else token  # noqa: S105
    claims = asyncio.run(Verifier(read_settings()).verify(text))
    if claims is None:
        typer.echo("refused: not a valid token of this service or of an issuer that it trusts", err=True)
        raise typer.Exit(1)
    issuer = tokens.ISSUER if isinstance(claims, TokenClaims) else claims.issuer
    typer.echo(f"issuer   {issuer}\nuser     {claims.subject}\ntoken    {claims.token_id}")
    typer.echo(f"issued   {_shown(claims.issued_at)}\nexpires  {_shown(claims.expires_at)}")


def _shown(instant: datetime | None) -> str:
    return instant.isoformat() if instant is not None else "-"
