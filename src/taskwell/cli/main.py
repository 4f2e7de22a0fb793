"""The commands, in the order in which an operator meets them; one module for each group."""

import sys
from importlib import import_module
from typing import Annotated

import typer

from taskwell import __version__
from taskwell.cli import errors

_COMMANDS = {
    "serve": ("serve", "serve"),
    "worker": ("worker", "worker"),
    "migrate": ("migrate", "migrate"),
    "doctor": ("doctor", "doctor"),
    "openapi": ("openapi", "openapi"),
    "backup": ("backups", "backup"),
    "restore": ("backups", "restore"),
    "seed": ("seed", "seed_command"),
    "users": ("users", "app"),
    "token": ("tokens", "app"),
}
"""The module and the function of each command; ``app`` is a group of commands."""


def command_line(word: str | None = None) -> typer.Typer:
    """The command line. If ``word`` is a command, only this one is loaded: a backup imports no web server."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=_everywhere,
        pretty_exceptions_enable=False,
        help="The Taskwell task backend. Settings come from the environment and .env.",
    )
    for name in [word] if word in _COMMANDS else _COMMANDS:
        module, member = _COMMANDS[name]
        found = getattr(import_module(f"taskwell.cli.{module}"), member)
        if member == "app":
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    app.command("version")(version)
    return app


def _everywhere(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version; with any command.")] = False
) -> None:
    """Declares the option, which ``main`` reads itself."""


def version() -> None:
    """Print the version.

    Example: taskwell version
    """
    typer.echo(__version__)


def main() -> None:
    """The entry point of the installed command."""
    if "--version" in sys.argv[1:]:
        sys.argv[1:] = ["version"]
    errors.run(command_line(sys.argv[1] if len(sys.argv) > 1 else None))
