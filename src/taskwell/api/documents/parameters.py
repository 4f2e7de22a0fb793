"""Parameters that an operation reads without having them in its signature."""

from typing import Any

from taskwell.api.documents.conduct import Conduct

Json = dict[str, Any]

_USER_ID: Json = {
    "name": "user_id",
    "in": "path",
    "required": True,
    "description": "The caller: the token's `sub`, or the caller's own user id. Another user's is a 403.",
    "schema": {"type": "string", "maxLength": 255},
}
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Makes a retry safe: for 24 hours the same key and body get the first answer again, and nothing is "
        "done twice."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that you read; if somebody wrote since, the answer is 412 and nothing changes.",
    "schema": {"type": "string"},
    "example": '"42"',
}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that you have; if nothing changed, the answer is 304 without a body.",
    "schema": {"type": "string"},
}


def add_parameters(written: Json, conduct: Conduct) -> None:
    """Adds the path's user and the headers that apply."""
    parameters: list[Json] = written.get("parameters", [])
    for parameter in parameters:
        _mark_id(parameter)
    named = {parameter["name"] for parameter in parameters}
    added = [
        (_USER_ID, "user_id" in conduct.path_params and "user_id" not in named),
        (_IDEMPOTENCY_KEY, conduct.takes_idempotency_key),
        (_IF_MATCH, conduct.takes_if_match),
        (_IF_NONE_MATCH, conduct.takes_if_none_match),
    ]
    parameters += [dict(parameter) for parameter, applies in added if applies]
    parameters.sort(key=lambda parameter: ["path", "query", "header"].index(parameter["in"]))
    if parameters:
        written["parameters"] = parameters


def _mark_id(parameter: Json) -> None:
    if parameter["in"] == "path" and parameter["name"].endswith("_id") and parameter["name"] != "user_id":
        parameter["schema"]["format"] = "uuid"
