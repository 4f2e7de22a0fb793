"""The texts of the documents, and their shared parts."""

from dataclasses import dataclass
from typing import Any

from taskwell import __version__
from taskwell.api.failures import FAILURES

Json = dict[str, Any]

VERSION = __version__
SERVERS: list[dict[str, Any]] = [{"url": "/", "description": "This server."}]
LICENSE = {"name": "MIT", "identifier": "MIT"}


@dataclass(frozen=True, slots=True)
class About:
    """The description of a contract."""

    title: str
    summary: str
    text: str


_SIGN_IN = """\
**Sign in** with *Authorize*: your e-mail is the `username`. Or `POST {signup}` and send the `access_token` as
`Authorization: Bearer …`. No cookie is ever read.
"""

ABOUT = {
    "v1": About(
        "Taskwell",
        "Tasks, lists and tags, safe to write at the same time and safe to retry.",
        _SIGN_IN.format(signup="/api/v1/auth/signup")
        + """
**Shapes.** JSON in snake_case; instants in UTC ending in `Z`; ids are UUIDs. An unknown field or query parameter
is a 422, so that a typing error never goes unseen. PATCH changes what it names, PUT sets everything.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`; [every code](/errors) and what to do.

**At the same time.** Send the `ETag` that you read as `If-Match`: who wrote in between is never overwritten (412).
`If-None-Match` on a GET costs a 304 where nothing changed.

**Again.** Send an `Idempotency-Key` with any POST: a retry gets the first answer and does nothing twice.

**Spaces.** Tasks, lists and tags lie in a space: your own, or one that you share. Add `?space=` to name it.

**By user.** `/users/me` and each path of tasks exist again under `/api/v1/users/{user_id}`, for clients that put the
caller into the path; [their document](/openapi/v1_by_user.json).
""",
    ),
    "v1_by_user": About(
        "Taskwell: v1, addressed by user",
        "The operations of v1 whose path may name the caller.",
        _SIGN_IN.format(signup="/api/v1/auth/signup")
        + """
Shapes, errors and rules are those of [v1](/docs). The `user_id` must be the caller's own, else the answer is 403.
""",
    ),
    "todos": About(
        "Taskwell: the todos contract",
        "The task service for clients of the older todo API.",
        _SIGN_IN.format(signup="/api/auth/signup")
        + """
The calls under `/api/auth` are there again under `/auth`, where a sign-up needs no `name` and a sign-in takes a form.

**Errors** are `{error, message, detail, details}`. A value that breaks a rule is 400; a body that is not JSON
or lacks a required field is 422. Unknown fields and parameters are ignored.

These are the same tasks as in [v1](/docs), which can do more.
""",
    ),
    "user_tasks": About(
        "Taskwell: the user_tasks contract",
        "The task service for Better Auth front ends.",
        _SIGN_IN.format(signup="/api/v1/auth/signup")
        + """
A token of your own Better Auth server works as well, where the server is set up for it.

**Shapes.** Lists are bare arrays. PUT changes only the fields that it names. Unknown fields are ignored.

**Errors** are `{detail}`, with `errors` for a 422.

These are the same tasks as in [v1](/docs), which can do more.
""",
    ),
    "v1_user_tasks": About(
        "Taskwell: the v1_user_tasks contract",
        "The task service for front ends of the HTTP and database upgrade.",
        _SIGN_IN.format(signup="/api/v1/auth/signup")
        + """
**Shapes** are those of [user_tasks](/docs/user_tasks), but a DELETE answers 204 without a body.

**Errors** are `application/problem+json`, as in [v1](/docs); a body that is not JSON is 422.

These are the same tasks as in [v1](/docs), which can do more.
""",
    ),
}

TAGS = {
    "auth": "Opening an account, signing in and out.",
    "users": "The caller's own account.",
    "tokens": "Personal access tokens, which scripts send in the place of a password.",
    "spaces": "Whose things tasks and lists are: the caller's own, and those that are shared.",
    "tasks": "What there is to do.",
    "lists": "Named groups of tasks.",
    "tags": "Free labels on tasks.",
    "comments": "What members say about a task.",
    "reminders": "Told by e-mail or webhook when a task is due.",
    "todos": "What there is to do, in the older todo API's words.",
    "root auth": "The calls of auth at the addresses without /api.",
    "webhooks": "Where reminders go by webhook, and what became of them.",
    "health": "Whether the service lives, is ready, and reaches its database.",
}

SECURITY: list[dict[str, list[str]]] = [{"EmailAndPassword": []}, {"BearerToken": []}]
SECURITY_SCHEMES: Json = {
    "EmailAndPassword": {
        "type": "oauth2",
        "description": "Sign in with your e-mail as `username`, and your password.",
        "flows": {"password": {"tokenUrl": "/api/v1/auth/token", "scopes": {}}},
    },
    "BearerToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access_token` of signup, login or token, a personal token, or your identity provider's.",
    },
}


def _object(required: list[str], properties: Json, **rest: Any) -> Json:
    return {"type": "object", "required": required, "properties": properties} | rest


_TEXT: Json = {"type": "string"}
_FIELD_ERRORS: Json = {
    "type": "array",
    "description": "For a 422: each broken rule.",
    "items": _object(
        ["location", "field", "message", "type"],
        {
            "location": {"type": "string", "enum": ["body", "query", "path", "header"]},
            "field": {"type": "string", "description": "Dotted path down to the value."},
            "message": _TEXT,
            "type": {"type": "string", "description": "Stable name of the rule."},
        },
    ),
}

ERROR_SCHEMAS: dict[str, dict[str, Json]] = {
    "v1": {
        "Problem": _object(
            ["type", "title", "status", "detail", "code", "request_id"],
            {
                "type": {"type": "string", "format": "uri-reference", "description": "Where the code is explained."},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": {"type": "string", "description": "One sentence that a person can act on."},
                "code": {"$ref": "#/components/schemas/ProblemCode"},
                "request_id": {"type": "string", "description": "As in X-Request-ID and in the server's log."},
                "errors": _FIELD_ERRORS,
                "challenge": {"type": "string", "description": "Of a sign-in: send it with the code."},
                "index": {"type": "integer", "description": "Of a bulk: the operation that failed."},
            },
            description="RFC 9457 problem details.",
        ),
        "ProblemCode": {
            "type": "string",
            "enum": sorted(FAILURES),
            "description": "Stable; the one thing to decide on.",
        },
    },
    "todos": {
        "TodoError": _object(
            ["error", "message", "detail", "details"],
            {
                "error": {"type": "string", "description": "A short title."},
                "message": {"type": "string", "description": "One sentence that a person can act on."},
                "detail": {"type": "string", "description": "The same sentence."},
                "details": {
                    "type": "array",
                    "items": _object(["field", "message"], {"field": _TEXT, "message": _TEXT}),
                },
            },
        )
    },
    "user_tasks": {
        "Detail": _object(
            ["detail"],
            {
                "detail": {"type": "string", "description": "One sentence that a person can act on."},
                "errors": _FIELD_ERRORS,
            },
        )
    },
}
ERROR_SCHEMAS |= dict.fromkeys(("v1_by_user", "v1_user_tasks"), ERROR_SCHEMAS["v1"])
