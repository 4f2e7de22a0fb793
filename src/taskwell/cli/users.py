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
from taskwell.errors import Conflict
from taskwell.users import Account, User
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
