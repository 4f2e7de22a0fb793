"""The OpenAPI documents say all that a client needs, and nothing that is not so."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from taskwell.api.documents.operation_facts import facts_of
from taskwell.api.failures import FAILURES
from taskwell.app import create_contracts
from tests.support.people import Person

CONTRACTS = create_contracts()
COMMITTED = Path(__file__).parents[2] / "openapi"
METHODS = {"get", "post", "put", "patch", "delete"}

each_contract = pytest.mark.parametrize("name", CONTRACTS)


def document(name: str) -> dict[str, Any]:
    return CONTRACTS[name].app.openapi()


def operations(name: str) -> list[tuple[str, dict[str, Any]]]:
    paths = document(name)["paths"]
    return [(f"{method.upper()} {path}", each) for path, methods in paths.items() for method, each in methods.items()]


def resolved(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        _, *steps = part["$ref"].split("/")
        part = whole
        for step in steps:
            part = part[step]
    return part


@each_contract
def test_the_committed_document_is_the_one_that_is_served(name: str):
    committed = json.loads((COMMITTED / f"{name}.json").read_text())

    assert committed == document(name), "review the difference, then run 'make openapi' and commit it"


@each_contract
def test_every_operation_is_in_the_document(name: str):
    served = {f"{facts.method} {facts.path}" for facts in facts_of(CONTRACTS[name].app)}

    assert served == {where for where, _ in operations(name)}


@each_contract
def test_every_operation_has_a_summary_a_tag_and_an_id_of_its_own(name: str):
    ids = [each["operationId"] for _, each in operations(name)]

    assert len(ids) == len(set(ids))
    assert all(each["summary"] and each["tags"] for _, each in operations(name))
    assert {tag for _, each in operations(name) for tag in each["tags"]} == {
        t["name"] for t in document(name)["tags"]
    }


@each_contract
def test_whoever_sends_a_body_is_told_of_its_media_type_and_size(name: str):
    silent = [
        where
        for where, operation in operations(name)
        if "requestBody" in operation and not {"413", "415"} <= operation["responses"].keys()
    ]

    assert not silent


@each_contract
def test_every_body_has_examples_that_its_schema_accepts(name: str):
    whole = document(name)
    for where, operation in operations(name):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in resolved(whole, body).get("content", {}).values():
                examples = [each["value"] for each in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                schema = content["schema"] | {"components": whole["components"]}
                assert examples, where
                for example in examples:
                    jsonschema_rs.validate(schema, example)


@each_contract
def test_every_path_parameter_is_declared_once(name: str):
    for where, operation in operations(name):
        in_path = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
        assert sorted(in_path) == sorted(part[1:-1] for part in where.split("/") if part.startswith("{"))


@each_contract
def test_signed_in_operations_say_how_to_sign_in_and_what_comes_without(name: str):
    whole = document(name)
    flow = whole["components"]["securitySchemes"]["EmailAndPassword"]["flows"]["password"]
    assert flow["tokenUrl"] == "/api/v1/auth/token"
    for facts in facts_of(CONTRACTS[name].app):
        operation = whole["paths"][facts.path][facts.method.lower()]
        assert bool(operation["security"]) == facts.operation.needs_principal
        assert ("401" in operation["responses"]) or not facts.operation.needs_principal
        assert ("403" in operation["responses"]) or "{user_id}" not in facts.path


@each_contract
def test_errors_have_the_contracts_own_shape(name: str):
    whole = document(name)
    media_type = "application/problem+json" if name.startswith("v1") else "application/json"
    for where, operation in operations(name):
        for status, answer in operation["responses"].items():
            if status >= "400" and "$ref" in answer:
                assert media_type in resolved(whole, answer)["content"], where
    assert "HTTPValidationError" not in json.dumps(whole)


def test_tasks_of_v1_tell_the_headers_that_make_writing_safe():
    paths = document("v1")["paths"]
    headers = {
        (method, path): {each["name"] for each in paths[path][method]["parameters"] if each["in"] == "header"}
        for method, path in [
            ("post", "/api/v1/tasks"),
            ("get", "/api/v1/tasks/{task_id}"),
            ("put", "/api/v1/tasks/{task_id}"),
            ("patch", "/api/v1/tasks/{task_id}"),
            ("patch", "/api/v1/tasks/{task_id}/complete"),
            ("delete", "/api/v1/tasks/{task_id}"),
        ]
    }
    assert headers.pop(("post", "/api/v1/tasks")) == {"Idempotency-Key"}
    assert headers.pop(("get", "/api/v1/tasks/{task_id}")) == {"If-None-Match"}
    assert all(names == {"If-Match"} for names in headers.values())
    assert set(paths["/api/v1/tasks"]["post"]["responses"]["201"]["headers"]) >= {"ETag", "Location"}
    assert "412" in paths["/api/v1/tasks/{task_id}"]["patch"]["responses"]


@each_contract
def test_what_is_sent_has_no_default_that_a_generated_client_would_have_to_send(name: str):
    whole = document(name)
    sent = [
        resolved(whole, content["schema"])
        for _, operation in operations(name)
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]

    assert sent
    assert [schema for schema in sent if '"default"' in json.dumps(schema)] == []


@each_contract
def test_operations_are_named_by_what_they_do_to_what(name: str):
    ids = [operation["operationId"] for _, operation in operations(name)]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", each) for each in ids), ids


def test_the_document_of_v1_names_each_call_once():
    assert not [path for path in document("v1")["paths"] if "{user_id}" in path]
    assert "/api/v1/users/{user_id}/tasks/{task_id}" in document("v1_by_user")["paths"]


def test_a_bulk_is_a_union_by_verb_and_a_problem_names_its_codes():
    schemas = document("v1")["components"]["schemas"]

    assert schemas["OperationBody"]["discriminator"]["propertyName"] == "op"
    assert "not_found" in schemas["ProblemCode"]["enum"]


def test_signing_up_tells_that_the_e_mail_may_be_taken():
    for name, path in [("v1", "/api/v1/auth/signup"), ("todos", "/api/auth/signup")]:
        whole = document(name)
        answer = resolved(whole, whole["paths"][path]["post"]["responses"]["409"])
        assert "email_taken" in next(iter(answer["content"].values()))["examples"]


def test_every_error_that_a_document_names_is_known():
    assert all(code == failure.error.code for code, failure in FAILURES.items())


async def test_an_answer_and_an_error_fit_their_schemas(ada: Person):
    whole = document("v1")
    created = await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})
    refused = await ada.http.post("/api/v1/tasks", json={"title": "", "colour": "red"})

    post = whole["paths"]["/api/v1/tasks"]["post"]["responses"]
    for response in (created, refused):
        content = resolved(whole, post[str(response.status_code)])["content"]
        schema = content[response.headers["content-type"]]["schema"] | {"components": whole["components"]}
        jsonschema_rs.validate(schema, response.json())


async def test_an_answer_has_the_headers_that_its_document_names(ada: Person):
    titles = [{"title": "Buy milk"}, {"title": "Buy bread", "tags": ["home"]}]
    tasks = [await ada.http.post("/api/v1/tasks", json=each) for each in titles]
    task, user = tasks[0].json()["id"], ada.id
    await ada.http.post(f"/api/users/{user}/todos", json={"title": "Buy tea"})
    for name, method, path, query in [
        ("v1", "post", "/api/v1/tasks", ""),
        ("v1", "get", "/api/v1/tasks", "?limit=1"),
        ("v1", "get", "/api/v1/tasks/{task_id}", ""),
        ("v1", "get", "/api/v1/tasks/stats", ""),
        ("v1", "post", "/api/v1/lists", ""),
        ("v1", "get", "/api/v1/lists", ""),
        ("v1", "get", "/api/v1/tags", ""),
        ("v1_by_user", "post", "/api/v1/users/{user_id}/tasks", ""),
        ("user_tasks", "get", "/api/{user_id}/tasks", "?limit=1"),
        ("user_tasks", "post", "/api/{user_id}/tasks", ""),
    ]:
        address = path.format(task_id=task, user_id=user) + query
        body = {"name": "Home"} if path.endswith("/lists") else {"title": "Buy milk"}
        answer = await ada.http.request(method, address, json=body if method == "post" else None)
        documented = document(name)["paths"][path][method]["responses"][str(answer.status_code)]
        named = set(documented.get("headers", {})) - {"Idempotency-Replayed"}
        given = {each for each in ("ETag", "Link", "Location", "X-Total-Count") if each in answer.headers}
        assert given == named, (method, path)
