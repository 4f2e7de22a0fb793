"""``taskwell users``: see and manage accounts."""

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer

from taskwell import users
from taskwell.api.accounts import SignUp
from taskwell.api.bodies import validated
from taskwell.cli import events
from taskwell.cli.database import with_database
from taskwell.database import Database
from taskwell.errors import Conflict, Forbidden
from taskwell.mail import links
from taskwell.settings import InvalidSettings, read_settings
from taskwell.users import Account, PersonalToken, User, totp
from taskwell.users.events import Kind, SecurityEvent, keep

app = typer.Typer(no_args_is_help=True, help="See and manage accounts.")

Who = Annotated[
    str, typer.Argument(help="The account's e-mail or id, ours or Better Auth's; 'users list' shows them.")
]


@app.command("list")
def list_accounts(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for scripts.")] = False,
) -> None:
    """List every account, the oldest first: id, day of sign-up, state, e-mail, name, and who else keeps it.

    Example: taskwell users list --json | jq -r .email
    """

    async def show(database: Database) -> None:
        async for account in users.every(database):
            typer.echo(json.dumps(asdict(account), default=str) if as_json else _line(account))

    with_database(show)


def _line(account: Account) -> str:
    state = "disabled" if account.disabled_at else "active"
    issuer = f"  ({account.subject} at {account.issuer})" if account.issuer else ""
    return f"{account.id}  {account.created_at:%Y-%m-%d}  {state:<8}  {account.email or '-'}  {account.name}{issuer}"


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="The e-mail to sign in with.")],
    name: Annotated[str, typer.Argument(help="What to call the user.")],
) -> None:
    """Open an account and print its id. The password is asked for, or read from standard input.

    Example: taskwell users create ada@example.com Ada < password.txt
    """
    wanted = validated(SignUp, {"email": email, "password": _password(), "name": name}, "body", is_strict=True)

    async def open_account(database: Database) -> User:
        return await users.sign_up(database, email=wanted.email, password=wanted.password, name=wanted.name)

    typer.echo(with_database(open_account).id)


@app.command()
def disable(who: Who) -> None:
    """Refuse an account's tokens and password, within two seconds; what it owns stays.

    Example: taskwell users disable ada@example.com
    """
    _to(who, lambda database, user: users.disable(database, user.id), "is disabled")


@app.command()
def enable(who: Who) -> None:
    """Let a disabled account in again.

    Example: taskwell users enable ada@example.com
    """
    _to(who, lambda database, user: users.enable(database, user.id), "is enabled")


@app.command()
def verify(who: Who) -> None:
    """Confirm an account's e-mail yourself, such as where this server sends no mail.

    Example: taskwell users verify ada@example.com
    """

    async def confirm(database: Database, user: User) -> None:
        if not await users.confirm(database, user.id):
            raise Conflict(f"{user.name} has no e-mail that could be confirmed.")
        await _note(database, "email_verified", user_id=user.id)

    _to(who, confirm, "is confirmed")


@app.command("set-password")
def set_password(who: Who) -> None:
    """Set an account's password and refuse its tokens. It is asked for, or read from standard input.

    Example: taskwell users set-password ada@example.com < password.txt
    """
    password = _password()

    async def change(database: Database, user: User) -> None:
        await users.set_password(database, user, password)
        await _note(database, "password_changed", user_id=user.id)

    _to(who, change, "has a new password")


@app.command("disable-totp")
def disable_totp(who: Who) -> None:
    """Ask an account for no codes any more, such as where its owner has lost the phone and the recovery codes.

    Example: taskwell users disable-totp ada@example.com
    """

    async def forget(database: Database, user: User) -> None:
        async with database.transaction() as transaction:
            if not await totp.forget(transaction, user.id):
                raise Conflict(f"{user.name} signs in without codes already.")
        await _note(database, "totp_off", user_id=user.id)

    _to(who, forget, "signs in without codes")


@app.command("tokens")
def list_tokens(who: Who) -> None:
    """List an account's personal tokens: id, day made, last use, end, scopes, name.

    Example: taskwell users tokens ada@example.com
    """

    async def found(database: Database) -> list[PersonalToken]:
        return await users.list_tokens(database, (await users.by_email_or_id(database, who)).id)

    for token in with_database(found):
        end = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "no end    "
        last_use = f"{token.last_used_on or 'never':<10}"
        typer.echo(
            f"{token.id}  {token.created_at:%Y-%m-%d}  {last_use}  {end}  {','.join(token.scopes):<10}  {token.name}"
        )


@app.command("reset-link")
def reset_link(who: Who) -> None:
    """Print a link, good once and for 30 minutes, with which an account's owner chooses another password.

    Example: taskwell users reset-link ada@example.com
    """
    settings = read_settings()
    if settings.is_production and not (settings.public_url or settings.frontend_url):
        raise InvalidSettings("PUBLIC_URL is missing; set it to the address at which people reach this server")

    async def make(database: Database) -> str:
        user = await users.by_email_or_id(database, who)
        token = user.email and await users.reset_token(database, user_id=user.id, email=user.email)
        if not token:
            raise Forbidden("The account is disabled, or another service keeps it; it has no password to reset here.")
        await _note(database, "reset_link_made", user_id=user.id)
        return links.reset_password(settings, token)

    typer.echo(with_database(make))


@app.command("sign-out")
def sign_out(who: Who) -> None:
    """Refuse every token of an account, within two seconds; its password stays as it is.

    Example: taskwell users sign-out ada@example.com
    """

    async def end(database: Database, user: User) -> None:
        await users.end_every_session(database, user.id, personal=True)
        await _note(database, "signed_out_everywhere", user_id=user.id)

    _to(who, end, "is signed out everywhere")


@app.command()
def delete(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an account and everything that it owns; it leaves every shared space. Only a backup brings it back.

    Example: taskwell users delete ada@example.com --yes
    """
    if not yes:
        typer.confirm(f"Remove {who} and everything that it owns?", abort=True)

    async def remove(database: Database, user: User) -> None:
        await users.delete(database, user.id)
        await _note(database, "account_deleted", subject=user.id)

    _to(who, remove, "is gone")


app.command("events")(events.events)


def _to(who: str, act: Callable[[Database, User], Awaitable[None]], done: str) -> None:
    """Acts on the account, and says what it is now."""

    async def work(database: Database) -> User:
        user = await users.by_email_or_id(database, who)
        await act(database, user)
        return user

    user = with_database(work)
    typer.echo(f"{user.email or user.name} {done}.")


async def _note(database: Database, kind: Kind, *, user_id: str | None = None, subject: str | None = None) -> None:
    await keep(database, [SecurityEvent(kind, user_id, None, subject)])


def _password() -> str:
    """From a prompt, twice, or from standard input; never from the command line, which everybody can read."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
