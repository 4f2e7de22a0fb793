"""The names of operations in generated clients, such as ``tasks.complete``."""

from collections.abc import Sequence
from typing import Any

from taskwell.api.documents.operation_facts import OperationFacts

_VERBS = {
    "activity": "activity",
    "apply_bulk": "bulk",
    "change_password": "change_password",
    "get_stats": "stats",
    "health": "get",
    "list_deliveries": "deliveries",
    "list_trash": "trash",
    "rotate_secret": "new_secret",
    "sign_in": "login",
    "sign_out": "logout",
    "sign_up": "signup",
    "sign_in_by_form": "login",
    "sign_up_without_name": "signup",
}
"""Names that differ from the first word of the endpoint's name."""


def operation_ids(operations: Sequence[OperationFacts], paths: dict[str, Any]) -> dict[tuple[str, str], str]:
    """A unique name for each path and method: its tag and its verb.

    A second path of an operation is named by its last part, or by the method.
    """
    ids: dict[tuple[str, str], str] = {}
    for facts in operations:
        endpoint = facts.operation.name
        word = endpoint.partition("_")[0].replace("change", "update")
        tag = paths[facts.path][facts.method.lower()]["tags"][0].replace(" ", "_")
        last = facts.path.rpartition("/")[2]
        again = [last] if "{" not in last else []
        names = [_VERBS.get(endpoint, word), *again, facts.method.lower(), endpoint]
        ids[facts.path, facts.method] = next(
            name for name in (f"{tag}.{each}" for each in names) if name not in ids.values()
        )
    return ids
