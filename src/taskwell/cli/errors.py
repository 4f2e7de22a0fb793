"""Errors of a command: one line on standard error, an exit code, and a traceback only with DEBUG."""

import sys
from typing import NoReturn

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from taskwell.database.engine import DRIVERS_OWN, own_words
from taskwell.errors import AppError, Invalid, Unavailable
from taskwell.settings import InvalidSettings, read_settings

FAILED, MISUSED = 1, 2
"""Exit codes: the work failed; the command line or a setting is wrong."""


def run(app: typer.Typer) -> NoReturn:
    """Runs the command line and exits."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        _end("stopped; nothing was done.", FAILED)
    except UsageError as error:
        _end_of_misuse(error)
    except InvalidSettings as error:
        _end(str(error), MISUSED)
    except (AppError, OSError, *DRIVERS_OWN) as error:
        if _debugs():
            raise
        _end(_sentence(error), FAILED)


def _debugs() -> bool:
    try:
        return read_settings().debug
    except InvalidSettings:  # the command may have failed before it read them
        return False


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}."
    if isinstance(error, DRIVERS_OWN):
        return f"The database that DATABASE_URL names says: {own_words(error)}"
    if isinstance(error, Invalid):
        return "; ".join(map(str, error.errors))
    cause = error.__cause__ if isinstance(error, Unavailable) else None
    said = own_words(cause) if isinstance(cause, DRIVERS_OWN) else ""
    return str(error) if said in str(error) else f"{str(error).rstrip('.')} ({said})."


def _end_of_misuse(error: UsageError) -> NoReturn:
    if isinstance(error, NoArgsIsHelpError):
        error.show()
        sys.exit(MISUSED)
    asked = error.ctx.command_path if error.ctx else "taskwell"
    _end(f"{error.format_message().rstrip('.')}; see '{asked} --help'.", MISUSED)


def _end(message: str, code: int) -> NoReturn:
    typer.echo(f"taskwell: {' '.join(message.split())}", err=True)
    sys.exit(code)
