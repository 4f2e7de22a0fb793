"""Paths and methods, in every contract: slashes, HEAD, Allow, and whose error shape applies."""

import pytest

from taskwell.api.gateway import Gateway
from taskwell.api.routing import Switchboard, Target
from tests.api.test_gateway import bearer, call_raw
from tests.support.people import Person

NOWHERE = "01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f"
V1, TODOS, USER_TASKS = (
    {"type", "title", "status", "detail", "code", "request_id"},
    {"error", "message", "detail", "details"},
    {"detail"},
)


def targets(switchboard: Switchboard) -> list[tuple[str, Target]]:
    """Every operation, by its method."""
    found, nodes = [], [switchboard._root]
    while nodes:
        node = nodes.pop()
        found += list(node.operations.items())
        nodes += [*node.static.values(), *([node.dynamic] if node.dynamic else [])]
    return found


def path_of(template: str, person: Person) -> str:
    path = template.replace("{user_id}", person.id)
    while "{" in path:
        path = path[: path.index("{")] + NOWHERE + path[path.index("}") + 1 :]
    return path


async def test_a_trailing_slash_makes_no_difference_to_any_operation(app: Gateway, ada: Person, nobody):
    """What would change something is asked without a token."""
    for method, target in targets(app._switchboard):
        if method == "DELETE" and target.template.startswith("/api/v1/"):
            continue
        path = path_of(target.template, ada)
        caller = ada.http if method == "GET" else nobody
        plain, slashed = await caller.request(method, path), await caller.request(method, f"{path}/")
        assert (plain.status_code, slashed.is_redirect) == (slashed.status_code, False), (method, path)


async def test_no_delete_of_v1_takes_a_trailing_slash(app: Gateway, ada: Person):
    """Not even as an error that says that one may be deleted."""
    deletes = [target for method, target in targets(app._switchboard) if method == "DELETE"]
    for target in deletes:
        if target.template.startswith("/api/v1/"):
            answer = await ada.http.delete(f"{path_of(target.template, ada)}/")
            assert (answer.status_code, set(answer.json())) == (404, V1), target.template
    assert (await ada.http.get("/api/v1/users/me")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("end", [b"..", b".", b"%2e%2e", b"%2E", b".%2e", b"../", b"%2e%2e/"])
async def test_a_path_that_ends_in_dots_leads_nowhere_in_any_contract(
    app: Gateway, ada: Person, method: str, end: bytes
):
    me = ada.id.encode()
    for path in (
        b"/api/v1/tasks/01938d1c-7d3a-7b6e-9f5e-0a4c1c2d3e4f/reminders/",
        b"/api/v1/users/%s/tasks/" % me,
        b"/api/v1/users/",
        b"/api/v1/tags/",
        b"/api/users/%s/todos/" % me,
        b"/api/%s/tasks/" % me,
        b"/docs/",
    ):
        start, _ = await call_raw(app, method, path + end, [bearer(ada)])
        assert start["status"] == 404, path


async def test_head_answers_wherever_get_does_with_the_same_headers(app: Gateway, ada: Person):
    heads = 0
    for method, target in targets(app._switchboard):
        if method != "GET":
            continue
        path = path_of(target.template, ada)
        got, head = await ada.http.get(path), await ada.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        for name in ("content-type", "etag", "cache-control", "retry-after"):
            assert head.headers.get(name) == got.headers.get(name), (path, name)
        heads += 1
    assert heads > 10


async def test_head_says_how_long_the_body_would_be(ada: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).json()
    path = f"/api/v1/tasks/{task['id']}"

    got, head = await ada.http.get(path), await ada.http.head(path)

    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/health", "GET, HEAD"),
        ("/api/v1/tasks", "GET, HEAD, POST"),
        ("/api/v1/tasks/", "GET, HEAD, POST"),
        (f"/api/v1/tasks/{NOWHERE}", "DELETE, GET, HEAD, PATCH, PUT"),
        (f"/api/v1/tasks/{NOWHERE}/complete", "PATCH"),
        (f"/api/v1/tasks/{NOWHERE}/restore", "POST"),
        ("/api/v1/{user}/tasks", "GET, HEAD, POST"),
        ("/api/v1/users/{user}/tasks", "GET, HEAD, POST"),
        ("/api/v1/auth/signup", "POST"),
        ("/api/v1/auth/me", "GET, HEAD"),
        ("/api/{user}/tasks", "GET, HEAD, POST"),
        ("/api/users/{user}/todos", "GET, HEAD, POST"),
        (f"/api/users/{{user}}/todos/{NOWHERE}", "DELETE, GET, HEAD, PATCH, PUT"),
        ("/api/auth/login", "POST"),
    ],
)
async def test_a_wrong_method_is_told_all_that_are_right(ada: Person, path: str, allowed: str):
    for method in ("TRACE", "OPTIONS", "PROPFIND"):
        response = await ada.http.request(method, path.format(user=ada.id))
        assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/nowhere", V1),
        ("/api", V1),
        ("/api/v1", V1),
        ("/api/v1/nowhere", V1),
        ("/api/v1/auth/nowhere", V1),
        ("/health/nowhere", V1),
        ("/api/auth", TODOS),
        ("/api/auth/nowhere", TODOS),
        ("/auth/nowhere", TODOS),
        ("/api/v1/{user}/tasks/x/y/z", V1),
        ("/api/auth/tasks", TODOS),
        ("/api/users", TODOS),
        ("/api/users/tasks", TODOS),
        (f"/api/users/tasks/{NOWHERE}", TODOS),
        ("/api/users/{user}/nowhere", TODOS),
        ("/api/users/{user}/todos/x/y/z", TODOS),
        ("/api/{user}/tasks/x/y/z", USER_TASKS),
        ("/api/{user}/nowhere", V1),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_path_is_told_in_its_contracts_shape(ada: Person, method: str, path: str, shape: set[str]):
    response = await ada.http.request(method, path.format(user=ada.id))

    assert (response.status_code, set(response.json())) == (404, shape)


@pytest.mark.parametrize(
    ("path", "shape"),
    [("/api/v1/tasks", V1), ("/api/users/{user}/todos", TODOS), ("/api/{user}/tasks", USER_TASKS), ("/health", V1)],
)
async def test_a_wrong_method_is_told_in_its_contracts_shape(ada: Person, path: str, shape: set[str]):
    assert set((await ada.http.request("TRACE", path.format(user=ada.id))).json()) == shape


async def test_an_encoded_user_id_is_the_users(ada: Person):
    encoded = "".join(f"%{ord(letter):02X}" for letter in ada.id)

    assert (await ada.http.get(f"/api/v1/{encoded}/tasks")).status_code == 200


@pytest.mark.parametrize("prefix", ["/api/v1/tasks", "/api/v1/users/{user}/tasks"])
async def test_the_location_of_a_new_task_leads_to_it(ada: Person, prefix: str):
    for path in (prefix, f"{prefix}/"):
        created = await ada.http.post(path.format(user=ada.id), json={"title": "Buy milk"})

        assert created.headers["location"] == prefix.format(user=ada.id) + "/" + created.json()["id"]
        assert (await ada.http.get(created.headers["location"])).json() == created.json()
