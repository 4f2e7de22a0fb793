"""``taskwell openapi``."""

import json
from typing import Annotated

import typer

from taskwell.app import create_contracts


def openapi(
    contract: Annotated[str, typer.Argument(help="v1, v1_by_user, todos, user_tasks or v1_user_tasks.")] = "v1",
) -> None:
    """Print a contract's OpenAPI document.

    Example: taskwell openapi todos > todos.json
    """
    contracts = create_contracts()
    if contract not in contracts:
        raise typer.BadParameter(f"there is no contract {contract!r}; choose one of {', '.join(contracts)}")
    typer.echo(json.dumps(contracts[contract].app.openapi(), indent=2))
