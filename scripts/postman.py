"""Writes the Postman collection of all contracts from their OpenAPI documents.

``make openapi`` runs it; ``tests/test_postman.py`` fails while the file differs. Each folder can be run from top to
bottom: it opens an account, every request finds the ids that the ones before it left in variables, and the account is
closed in the end.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskwell.app import create_contracts

FILE = Path(__file__).parents[1] / "postman" / "taskwell.postman_collection.json"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS = ("get", "post", "put", "patch", "delete")
VARIABLES = {
    "base_url": "http://localhost:8000",
    "email": "",
    "password": "",
    "token": "",
    "user_id": "",
    "name": "",
    "tomorrow": "",
}

CHAPTERS = {
    "Health": "GET /health, GET /health/live, GET /health/ready",
    "Sign in": "POST /auth/signup, POST /auth/login, POST /auth/token, GET /auth/me",
    "Your account": "GET , PATCH ",
    "Lists": "POST /lists, GET /lists, GET /lists/{list_id}, PATCH /lists/{list_id}",
    "Tasks": "POST /tasks, GET /tasks, GET /tasks/{task_id}, PUT /tasks/{task_id}, PATCH /tasks/{task_id}, "
    "PATCH /tasks/{task_id}/complete, POST /tasks/bulk, GET /tasks/stats",
    "Todos": "POST /todos, GET /todos, GET /todos/{todo_id}, PUT /todos/{todo_id}, PATCH /todos/{todo_id}, "
    "PATCH /todos/{todo_id}/complete, DELETE /todos/{todo_id}",
    "Reminders": "POST /tasks/{task_id}/reminders, GET /tasks/{task_id}/reminders, "
    "DELETE /tasks/{task_id}/reminders/{reminder_id}",
    "Webhook": "PUT /webhook, GET /webhook, POST /webhook/secret, GET /deliveries, DELETE /webhook",
    "Tags": "GET /tags, PATCH /tags/{name}, DELETE /tags/{name}",
    "Files": "GET /tasks/export, POST /tasks/import, GET /export",
    "Trash": "DELETE /tasks/{task_id}, GET /tasks/trash, POST /tasks/{task_id}/restore",
    "More": "",
    "The end": "DELETE /lists/{list_id}, POST /auth/password, POST /auth/logout, DELETE ",
}
"""The order in which requests find what they need; what is not named here comes under More."""

_ORDER = {
    call: (chapter, number)
    for chapter, calls in CHAPTERS.items()
    for number, call in enumerate(calls.split(", "))
    if calls
}
_BASE = re.compile(r"^/api(?:/v1)?(?:/users/(?:me|\{user_id\})|/\{user_id\})?")
_ONE = re.compile(r"/\{\w+_id\}")
"""What the path of one thing has beyond that of all."""

ALIASES = re.compile(r"^/auth/|/(?:register|signin|signout)$")
"""Other addresses of calls that the collection has already."""

_PARAMETER = re.compile(r"\{(\w+)\}")
_SECRETS = {"password": "{{password}}", "current_password": "{{password}}", "username": "{{email}}"}
_REPLACED = _SECRETS | {"email": "{{email}}", "id": "{{task_id}}", "due_date": "{{tomorrow}}"}

NEW_ACCOUNT = [
    "pm.collectionVariables.set('email', `ada-${Date.now()}-${Math.floor(Math.random() * 1e6)}@example.com`);",
    "pm.collectionVariables.set('password', 'engine 1843');",
    "pm.collectionVariables.set('name', 'home');",
    "// Examples never grow old.",
    "pm.collectionVariables.set('tomorrow', new Date(Date.now() + 86400000).toISOString().slice(0, 10));",
]


@dataclass(frozen=True)
class Call:
    """An operation, as its document describes it."""

    contract: str
    method: str
    path: str
    operation: dict[str, Any]
    document: dict[str, Any]

    @property
    def tail(self) -> str:
        """Method and path without what says whose."""
        return f"{self.method} {_BASE.sub('', self.path)}"

    @property
    def chapter(self) -> str:
        return _ORDER.get(self.tail, ("More", 0))[0]

    @property
    def place(self) -> tuple[int, int]:
        chapter, number = _ORDER.get(self.tail, ("More", METHODS.index(self.method.lower())))
        return list(CHAPTERS).index(chapter), number

    @property
    def folder(self) -> str:
        """By contract, and in v1 by how a task is addressed."""
        return "v1, addressed by user" if self.path.startswith("/api/v1/users/{user_id}") else self.contract

    @property
    def status(self) -> int:
        return min(int(status) for status in self.operation["responses"] if status.startswith("2"))

    @property
    def needs_token(self) -> bool:
        return bool(self.operation.get("security"))


def collection() -> dict[str, Any]:
    """The collection, in Postman's format 2.1."""
    calls = [
        Call(contract, method.upper(), path, item[method], document)
        for contract, held in create_contracts().items()
        for document in (held.app.openapi(),)
        for path, item in document["paths"].items()
        if not ALIASES.search(path)
        for method in METHODS
        if method in item
    ]
    folders = dict.fromkeys(call.folder for call in calls)
    known = {(call.contract, call.tail): call for call in reversed(calls)}
    return {
        "info": {
            "name": "Taskwell",
            "description": "Every operation of every contract. Set base_url; run a folder from top to bottom.",
            "schema": SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": name, "value": value, "type": "string"} for name, value in VARIABLES.items()],
        "item": [
            _folder(name, sorted((call for call in calls if call.folder == name), key=lambda call: call.place), known)
            for name in folders
        ],
    }


def text() -> str:
    return json.dumps(collection(), indent=2, ensure_ascii=False) + "\n"


def _folder(name: str, calls: list[Call], known: dict[tuple[str, str], Call]) -> dict[str, Any]:
    chapters: dict[str, list[dict[str, Any]]] = {}
    for chapter, call in _in_turn(calls, known):
        chapters.setdefault(chapter, []).append(_request(call, {each.path for each in calls}))
    return {"name": name, "item": [{"name": chapter, "item": items} for chapter, items in chapters.items()]}


def _in_turn(calls: list[Call], known: dict[tuple[str, str], Call]) -> Iterator[tuple[str, Call]]:
    """The calls, and before each whatever it needs of an account and a token."""
    enter = {name: known["v1", f"POST /auth/{name}"] for name in ("signup", "login")}
    has_account = has_token = False
    for call in calls:
        if not has_account and (call.needs_token or call.tail in ("POST /auth/login", "POST /auth/token")):
            yield call.chapter if call.chapter == "The end" else "Sign in", enter["signup"]
            has_account = has_token = True
        if call.needs_token and not has_token:
            yield call.chapter, enter["login"]
        yield call.chapter, call
        has_account = (has_account or call.tail == "POST /auth/signup") and call.tail != "DELETE "
        has_token = has_account and call.tail != "POST /auth/logout"
    if has_account:
        if not has_token:
            yield "The end", enter["login"]
        yield "The end", known["v1", "DELETE "]


def _request(call: Call, paths: set[str]) -> dict[str, Any]:
    operation = call.operation
    parameters = [each for each in operation.get("parameters", []) if each["in"] in ("query", "header")]
    request: dict[str, Any] = {
        "method": call.method,
        "header": [_header(each) for each in parameters if each["in"] == "header"],
        "url": _url(call, [each for each in parameters if each["in"] == "query"]),
    }
    if not call.needs_token:
        request["auth"] = {"type": "noauth"}
    if description := operation.get("description"):
        request["description"] = description
    if (body := _body(call)) is not None:
        request["body"] = body
        if body["mode"] == "raw":
            request["header"].insert(0, {"key": "Content-Type", "value": "application/json"})
    events = [_event("test", _checks(call, paths))]
    if call.tail == "POST /auth/signup":
        events.insert(0, _event("prerequest", NEW_ACCOUNT))
    return {"name": operation["summary"], "event": events, "request": request, "response": []}


def _header(parameter: dict[str, Any]) -> dict[str, Any]:
    """A new key each time makes a retry by hand a new request; the others are there to be ticked."""
    if parameter["name"] == "Idempotency-Key":
        return {"key": "Idempotency-Key", "value": "{{$guid}}", "description": parameter.get("description", "")}
    value = str(parameter.get("example", ""))
    return _ticked_off(parameter, value)


def _ticked_off(parameter: dict[str, Any], value: str) -> dict[str, Any]:
    return {
        "key": parameter["name"],
        "value": value,
        "description": parameter.get("description", ""),
        "disabled": True,
    }


def _url(call: Call, queries: list[dict[str, Any]]) -> dict[str, Any]:
    steps = [_PARAMETER.sub(r":\1", step) for step in call.path.strip("/").split("/")]
    url: dict[str, Any] = {"raw": f"{{{{base_url}}}}/{'/'.join(steps)}", "host": ["{{base_url}}"], "path": steps}
    if names := _PARAMETER.findall(call.path):
        url["variable"] = [{"key": name, "value": f"{{{{{name}}}}}"} for name in names]
    if queries:
        url["query"] = [_ticked_off(each, _default(each)) for each in queries]
    return url


def _default(parameter: dict[str, Any]) -> str:
    value = parameter.get("example", parameter["schema"].get("default", ""))
    return json.dumps(value) if isinstance(value, bool) else str("" if value is None else value)


def _body(call: Call) -> dict[str, Any] | None:
    content = call.operation.get("requestBody", {}).get("content", {})
    if "application/x-www-form-urlencoded" in content:
        fields = {"grant_type": "password", "username": "{{email}}", "password": "{{password}}"}
        return {"mode": "urlencoded", "urlencoded": [{"key": name, "value": each} for name, each in fields.items()]}
    if "application/json" not in content:
        return None
    example = _filled(_example(content["application/json"], call.document))
    raw = json.dumps(example, indent=2, ensure_ascii=False)
    return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}


def _example(media: dict[str, Any], document: dict[str, Any]) -> Any:
    if "example" in media:
        return media["example"]
    schema = media["schema"]
    while "examples" not in schema:
        schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema["examples"][0]


def _filled(example: Any) -> Any:
    """The example with what this run's account and tasks are."""
    if isinstance(example, dict):
        kept = {name: value for name, value in example.items() if name != "if_match"}
        return {name: _REPLACED.get(name, _filled(value)) for name, value in kept.items()}
    return [_filled(each) for each in example] if isinstance(example, list) else example


def _checks(call: Call, paths: set[str]) -> list[str]:
    """What is tested of the answer, and what is kept of it for the requests after it."""
    lines = [f"pm.test('the status is {call.status}', () => pm.response.to.have.status({call.status}));"]
    if call.tail in ("POST /auth/signup", "POST /auth/login"):
        lines += _kept("token", "access_token") + _kept("user_id", "user.id")
    elif call.tail == "POST /auth/password":
        lines.append("pm.collectionVariables.set('password', JSON.parse(pm.request.body.raw).new_password);")
    elif call.method == "PATCH" and call.path.endswith("{name}"):
        lines += _kept("name", "name")
    elif call.method == "POST":
        made = [rest[0] for path in paths if (rest := _ONE.fullmatch(path.removeprefix(call.path)))]
        lines += [line for name in made for line in _kept(name.strip("/{}"), "id")]
    return lines


def _kept(variable: str, member: str) -> list[str]:
    return [f"pm.collectionVariables.set('{variable}', pm.response.json().{member});"]


def _event(listen: str, lines: list[str]) -> dict[str, Any]:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
