"""Errors as each contract writes them."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from taskwell.api.replies import PRIVATE, json_response
from taskwell.errors import AppError, FieldError, Invalid, Location, MalformedBody

Renderer = Callable[[AppError, str], Response]
"""Writes an error for a request id."""


class Internal(AppError):
    """Our fault; what it was is in the log under the request id."""

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side; it has been logged under the request id.")


def problem(error: AppError, request_id: str) -> dict[str, Any]:
    """RFC 9457 problem details, with our own ``code``, ``request_id`` and ``errors``."""
    members: dict[str, Any] = {
        "type": f"/errors#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, Invalid):
        members["errors"] = [
            {"location": each.location, "field": each.field, "message": each.message, "type": each.type}
            for each in error.errors
        ]
    return members


def render_problem(error: AppError, request_id: str) -> Response:
    """The shape of v1."""
    return _response(error.status, problem(error, request_id), error, "application/problem+json")


def render_todo_error(error: AppError, request_id: str) -> Response:
    """The shape of the todos contract: 400 for a value, 422 for a body that lacks something or is not JSON."""
    details = error.errors if isinstance(error, Invalid) else ()
    body = {
        "error": error.title,
        "message": error.detail,
        "details": [{"field": each.field, "message": each.message} for each in details],
    }
    return _response(_todo_status(error), body, error)


def _todo_status(error: AppError) -> int:
    if isinstance(error, MalformedBody):
        return 422
    if type(error) is Invalid:
        return 422 if any(each.type == "missing" for each in error.errors) else 400
    return error.status


def render_detail(error: AppError, request_id: str) -> Response:
    """The shape of the user_tasks contract."""
    body: dict[str, Any] = {"detail": error.detail}
    if isinstance(error, Invalid):
        body["errors"] = problem(error, request_id)["errors"]
    return _response(422 if isinstance(error, MalformedBody) else error.status, body, error)


def _response(status: int, body: dict[str, Any], error: AppError, media_type: str = "application/json") -> Response:
    return json_response(body, status=status, headers=PRIVATE | error.headers, media_type=media_type)


def invalid(error: ValidationError, location: Location) -> Invalid:
    """What Pydantic found, by field; the values themselves are not repeated."""
    return Invalid([_field_error(each["loc"], each["type"], each["msg"], location) for each in error.errors()])


def _field_error(path: Sequence[int | str], rule: str, message: str, location: Location) -> FieldError:
    field = ".".join(str(part) for part in path if part != "function-after")
    sentence = {
        "missing": "This field is required.",
        "extra_forbidden": "There is no such field here." if location == "body" else "There is no such parameter.",
        "string_unicode": "It must be text without lone surrogates.",
    }.get(rule, message.removeprefix("Value error, "))
    return FieldError(location, field.encode("utf-8", "replace").decode(), sentence, rule)
