"""Errors as each contract writes them."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from taskwell.api.replies import PRIVATE, json_response
from taskwell.errors import AppError, FieldError, Forbidden, Invalid, Location, MalformedBody, NotFound
from taskwell.users.errors import TotpRequired

Renderer = Callable[[AppError, str], Response]
"""Writes an error for a request id."""

MALFORMED = "malformed_body"
_FIELD_OF_RULE = {"two_dues": ("due_at",), "one_moment": ("remind_at",)}
"""Where an error of several fields shows in a form: at the one that is named last."""


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
        members["errors"] = _field_errors(error)
    if isinstance(error, TotpRequired):
        members["challenge"] = error.challenge
    if error.index is not None:
        members["index"] = error.index
    return members


def render_problem(error: AppError, request_id: str) -> Response:
    """The shape of v1."""
    return _response(error.status, problem(error, request_id), error, "application/problem+json")


def render_user_task_problem(error: AppError, request_id: str) -> Response:
    """The shape of the v1_user_tasks contract: v1's, with the statuses and words of user_tasks."""
    told = _as_user_tasks_say(error)
    body = problem(told, request_id)
    if told.status == 403:
        body["title"] = Forbidden.title
    return _response(told.status, body, error, "application/problem+json")


def render_todo_error(error: AppError, request_id: str) -> Response:
    """The shape of the todos contract."""
    told = _with_malformed_as_invalid(error)
    details = told.errors if isinstance(told, Invalid) else ()
    body = {
        "error": told.title,
        "message": told.detail,
        "detail": told.detail,
        "details": [{"field": each.field or each.location, "message": each.message} for each in details],
    }
    return _response(_todo_status(told), body, error)


def _todo_status(error: AppError) -> int:
    """400 for a value that breaks a rule, 422 for a body that is not JSON or lacks a required field."""
    if type(error) is Invalid and not any(each.type in {"missing", MALFORMED} for each in error.errors):
        return 400
    return error.status


def render_detail(error: AppError, request_id: str) -> Response:
    """The shape of the user_tasks contract."""
    told = _as_user_tasks_say(error)
    detail = told.detail
    if told.status == 403 and not detail.startswith(Forbidden.title):
        detail = f"{Forbidden.title}: {detail[0].lower()}{detail[1:]}"
    body: dict[str, Any] = {"detail": detail}
    if isinstance(told, Invalid):
        body["errors"] = _field_errors(told)
    return _response(told.status, body, error)


def _as_user_tasks_say(error: AppError) -> AppError:
    """Their clients look for these words, and take a body that is not JSON for a wrong value."""
    return NotFound("Task not found.") if error.status == 404 else _with_malformed_as_invalid(error)


def _with_malformed_as_invalid(error: AppError) -> AppError:
    """To the older contracts a body that is not JSON is one more that does not validate."""
    return Invalid.field("", error.detail, MALFORMED) if isinstance(error, MalformedBody) else error


def _field_errors(error: Invalid) -> list[dict[str, str]]:
    return [
        {"location": each.location, "field": each.field, "message": each.message, "type": each.type}
        for each in error.errors
    ]


def _response(status: int, body: dict[str, Any], error: AppError, media_type: str = "application/json") -> Response:
    return json_response(body, status=status, headers=PRIVATE | error.headers, media_type=media_type)


def invalid(error: ValidationError, location: Location) -> Invalid:
    """What Pydantic found, by field; the values themselves are not repeated."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid([_field_error(each["loc"], each["type"], each["msg"], location) for each in found])


def _field_error(path: Sequence[int | str], rule: str, message: str, location: Location) -> FieldError:
    named = path[:1] if location == "query" else (*path, *_FIELD_OF_RULE.get(rule, ()))
    field = ".".join(str(part) for part in named if part != "function-after")
    sentence = {
        "missing": "This field is required.",
        "model_type": "It must be a JSON object.",
        "extra_forbidden": "There is no such field here." if location == "body" else "There is no such parameter.",
        "string_unicode": "It must be text without lone surrogates.",
    }.get(rule, message.removeprefix("Value error, "))
    return FieldError(location, field.encode("utf-8", "replace").decode(), sentence, rule)
