"""The commands, in the order in which an operator meets them; one module for each group."""

import typer

from taskwell import __version__
from taskwell.cli import backups, doctor, endings, schema, serve, tokens, users, worker
from taskwell.cli.seed import seed_command

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
    """The installed command."""
    endings.run(app)
