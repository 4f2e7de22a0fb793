"""``taskwell token``: make a token, look into one."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import jwt
import typer

from taskwell import users
from taskwell.cli.database import with_database
from taskwell.database import Database, now
from taskwell.errors import Conflict, InvalidToken
from taskwell.security import tokens
from taskwell.security.claims import TokenClaims
from taskwell.security.unverified import read_unverified
from taskwell.security.verifier import Verifier
from taskwell.settings import read_settings

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
    typer.echo(with_database(partial(_issued, email=email, days=days)))


async def _issued(database: Database, *, email: str, days: float | None) -> str:
    """Issues the token.

    Raises:
        Conflict: the token would be refused.
    """
    settings = read_settings()
    key, algorithm = settings.signing_key, settings.algorithm
    lifetime = timedelta(days=days or settings.access_token_expire_days)
    user = await users.by_email(database, email)
    token = tokens.issue(user.id, key=key, algorithm=algorithm, now=now(), lifetime=lifetime).text
    claims = tokens.verify(token, key=key, algorithm=algorithm)
    if await users.holder_of(database, claims) is None:
        raise Conflict(
            f"{user.email} is disabled, so no token is good: run 'taskwell users enable {user.email}' first."
        )
    return token


@app.command()
def inspect(token: Annotated[str, typer.Argument(help="The token; '-' reads standard input.")]) -> None:
    """Say whether a token is good, ours or Better Auth's, and what it says, or why it is refused.

    Whether it is revoked is not asked.

    Example: taskwell token inspect - < token.txt
    """
    text = typer.get_text_stream("stdin").read().strip() if token == "-" else token  # noqa: S105
    settings = read_settings()
    try:
        claims = asyncio.run(Verifier(settings).verify(text))
    except InvalidToken as refused:
        typer.echo(f"{refused.detail}{_what_it_says(text)}", err=True)
        raise typer.Exit(1) from None
    issuer = tokens.ISSUER if isinstance(claims, TokenClaims) else claims.issuer
    typer.echo(f"issuer   {issuer}\nuser     {claims.subject}\ntoken    {claims.token_id}")
    typer.echo(f"issued   {_shown(claims.issued_at)}\nexpires  {_shown(claims.expires_at)}")


def _what_it_says(text: str) -> str:
    """The claims that most often cause a refusal, unverified."""
    try:
        token = read_unverified(text)
    except (ValueError, jwt.PyJWTError):
        return ""
    said = {"alg": token.algorithm} | {name: token.claims.get(name) for name in ("iss", "aud", "sub", "iat", "exp")}
    return " It says: " + ", ".join(f"{name} {value!r}" for name, value in said.items()) + "."


def _shown(instant: datetime | None) -> str:
    return instant.isoformat() if instant is not None else "-"
