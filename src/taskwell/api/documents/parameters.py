"""Adds parameters that are not in an operation's signature."""

from typing import Any

from taskwell.api.documents.operation_facts import OperationFacts

Json = dict[str, Any]

_USER_ID: Json = {
    "name": "user_id",
    "in": "path",
    "required": True,
    "description": "The caller: the token's `sub`, or the caller's own user id. Another user's is a 403.",
    "schema": {"type": "string", "maxLength": 255},
}
_SPACE: Json = {
    "name": "space",
    "in": "query",
    "required": False,
    "description": "The id of a space of yours, or `personal`; your own without it. Any other is a 404.",
    "schema": {"type": "string"},
}
_HEADERS: dict[str, Json] = {
    "Idempotency-Key": {
        "description": (
            "Makes a retry safe: for 24 hours the same key and body get the first answer again, and nothing is "
            "done twice."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    },
    "If-Match": {
        "description": "The ETag that you read; if somebody wrote since, the answer is 412 and nothing changes.",
        "schema": {"type": "string"},
        "example": '"42"',
    },
    "If-None-Match": {
        "description": "The ETag that you have; if nothing changed, the answer is 304 without a body.",
        "schema": {"type": "string"},
    },
}


def add_parameters(written: Json, facts: OperationFacts) -> None:
    """Adds the user in the path, the space and the headers."""
    parameters: list[Json] = written.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path" and parameter["name"].endswith("_id"):
            parameter["schema"]["format"] = "uuid"
    if "user_id" in facts.path_params:
        parameters.append(dict(_USER_ID))
    if facts.takes_space and all(each["name"] != "space" for each in parameters):
        parameters.append(dict(_SPACE))
    parameters += [
        {"name": name, "in": "header", "required": False} | _HEADERS[name] for name in facts.request_headers
    ]
    parameters.sort(key=lambda parameter: ["path", "query", "header"].index(parameter["in"]))
    if parameters:
        written["parameters"] = parameters
