"""The commands, in the order in which an operator meets them; one module for each group."""

import sys

import typer

from taskwell import __version__
from taskwell.cli import backups, doctor, schema, serve, tokens, users, worker
from taskwell.cli.seed import seed_command
from taskwell.errors import AppError
from taskwell.settings import InvalidSettings, read_settings

FAILED, MISUSED = 1, 2
"""Exit codes: the work could not be done; the command or the settings are wrong."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The Taskwell task backend. Settings come from the environment and .env.",
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("migrate")(schema.migrate)
app.command("doctor")(doctor.doctor)
app.command("openapi")(schema.openapi)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.command("seed")(seed_command)
app.add_typer(users.app, name="users")
app.add_typer(tokens.app, name="token")


@app.command()
def version() -> None:
    """Print the version.

    Example: taskwell version
    """
    typer.echo(__version__)


def main() -> None:
    """Runs the command line; what an operator can mend is one line, without a traceback unless DEBUG is set."""
    try:
        app()
    except InvalidSettings as error:
        _end(str(error), MISUSED)
    except (AppError, OSError) as error:
        if _debugs():
            raise
        _end(str(error), FAILED)


def _end(message: str, code: int) -> None:
    typer.echo(f"taskwell: {message}", err=True)
    sys.exit(code)


def _debugs() -> bool:
    try:
        return read_settings().debug
    except InvalidSettings:
        return False
