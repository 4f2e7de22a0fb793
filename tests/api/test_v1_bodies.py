"""v1: what bodies and queries may hold, and how what is wrong is told."""

from typing import Any

import httpx2
import pytest

from tests.support.people import Person

PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
JSON = "application/json"


async def post(ada: Person, body: bytes, content_type: str | None = JSON) -> httpx2.Response:
    headers = {"Content-Type": content_type} if content_type else {}
    return await ada.http.post("/api/v1/tasks", content=body, headers=headers)


async def stored(ada: Person) -> list[dict[str, Any]]:
    return (await ada.http.get("/api/v1/tasks")).json()["items"]


def assert_problem(response: httpx2.Response, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == PROBLEM | ({"errors"} if status == 422 else set())
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == response.headers["x-request-id"]
    assert isinstance(problem["detail"], str)
    assert problem["detail"]
    assert problem["type"].startswith("/")
    for error in problem.get("errors", []):
        assert set(error) == {"location", "field", "message", "type"}
        assert all(isinstance(value, str) for value in error.values())


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"title": "x",}',
        b'{"title": "x"} trailing',
        b"{'title': 'x'}",
        b'{"title": NaN}',
        b'{"title": Infinity}',
        b'{"title": -Infinity}',
        b'\xef\xbb\xbf{"title": "x"}',
        '{"title": "x"}'.encode("utf-16"),
        '{"title": "x"}'.encode("utf-16-le"),
        '{"title": "x"}'.encode("utf-32"),
        b'{"title": "\xff"}',
        b'{"title": "\xed\xa0\x80"}',
        b'{"title": "a\nb"}',
        b" ",
        b"\x00",
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_what_is_not_json_is_a_400(ada: Person, body: bytes):
    assert_problem(await post(ada, body), 400, "malformed_body")
    assert await stored(ada) == []


async def test_a_number_of_any_length_is_json(ada: Person):
    response = await post(ada, b'{"title": ' + b"9" * 5000 + b"}")

    assert_problem(response, 422, "validation_failed")
    assert [each["field"] for each in response.json()["errors"]] == ["title"]


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
    ids=["open", "closed", "objects"],
)
async def test_what_is_nested_beyond_reason_is_a_400(ada: Person, body: bytes):
    assert (await post(ada, body)).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"null", ""),
        (b"[]", ""),
        (b'"title"', ""),
        (b"5", ""),
        (b"true", ""),
        (b"", ""),
        (b"{}", "title"),
        (b'{"title": null}', "title"),
        (b'{"title": 5}', "title"),
        (b'{"title": 1e400}', "title"),
        (b'{"title": ' + b"9" * 400 + b"}", "title"),
        (b'{"title": ["x"]}', "title"),
        (b'{"title": {"$ne": 1}}', "title"),
        (rb'{"title": "a\u0000b"}', "title"),
        (rb'{"title": "\ud800"}', "title"),
        (rb'{"title": "\udc00\ud800"}', "title"),
        (rb'{"title": "x", "description": "\udfff"}', "description"),
        (rb'{"title": "x", "description": "\u0000"}', "description"),
        (rb'{"title": "x", "tags": ["\ud800"]}', "tags.0"),
        (rb'{"title": "x", "tags": ["ok", "\u0000"]}', "tags.1"),
        (rb'{"title": "x", "tags": ["next\u0085line"]}', "tags.0"),
        (b'{"title": "x", "completed": 1}', "completed"),
        (b'{"title": "x", "completed": "true"}', "completed"),
        (b'{"title": "x", "completed": null}', "completed"),
        (b'{"title": "x", "priority": "HIGH"}', "priority"),
        (b'{"title": "x", "priority": 3}', "priority"),
        (b'{"title": "x", "priority": null}', "priority"),
        (b'{"title": "x", "tags": "home"}', "tags"),
        (b'{"title": "x", "tags": null}', "tags"),
        (b'{"title": "x", "list_id": 5}', "list_id"),
        (b'{"title": "x", "list_id": "inbox"}', "list_id"),
        (b'{"title": "x", "due_date": "2026-13-01"}', "due_date"),
        (b'{"title": "x", "due_date": "2026-12-24T00:00:00Z"}', "due_date"),
        (b'{"title": "x", "due_at": "2026-12-24T18:00:00"}', "due_at"),
        (b'{"title": "x", "due_at": "2026-12-24"}', "due_at"),
        (b'{"title": "x", "due_at": 1}', "due_at"),
        (b'{"title": "x", "id": "y"}', "id"),
        (b'{"title": "x", "user_id": "y"}', "user_id"),
        (b'{"title": "x", "revision": 1}', "revision"),
        (b'{"title": "x", "created_at": "2026-12-24T18:00:00Z"}', "created_at"),
        (b'{"title": "x", "completed_at": null}', "completed_at"),
        (b'{"title": "x", "deleted_at": null}', "deleted_at"),
        (b'{"title": "x", "": 1}', ""),
        (b'{"title": "x", "__proto__": {}}', "__proto__"),
        (rb'{"title": "x", "\u0000": 1}', "\x00"),
        (b'{"title": "x", "n": ' + b"9" * 400 + b"}", "n"),
    ],
    ids=lambda value: repr(value[:60]),
)
async def test_what_breaks_a_rule_is_a_422_that_names_the_field(ada: Person, body: bytes, field: str):
    response = await post(ada, body)

    assert_problem(response, 422, "validation_failed")
    assert {(error["location"], error["field"]) for error in response.json()["errors"]} == {("body", field)}
    assert await stored(ada) == []


async def test_a_lone_surrogate_in_a_name_is_told(ada: Person):
    response = await post(ada, rb'{"title": "x", "\ud800": 1}')

    assert response.status_code in (400, 422)
    assert await stored(ada) == []


async def test_every_broken_field_is_told_at_once(ada: Person):
    response = await ada.http.post("/api/v1/tasks", json={"title": "", "priority": "x", "nope": 1})

    assert {error["field"] for error in response.json()["errors"]} == {"title", "priority", "nope"}


async def test_both_dues_are_one_too_many(ada: Person):
    body = {"title": "x", "due_date": "2026-12-24", "due_at": "2026-12-24T18:00:00Z"}

    assert_problem(await ada.http.post("/api/v1/tasks", json=body), 422, "validation_failed")


async def test_of_a_repeated_member_the_last_counts(ada: Person):
    assert (await post(ada, b'{"title": "first", "title": "last"}')).json()["title"] == "last"


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/ld+json",
    ],
)
async def test_json_by_any_of_its_names_is_read(ada: Person, content_type: str):
    assert (await post(ada, b'{"title": "x"}', content_type)).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/xml", "application/x-www-form-urlencoded", "json", "text/json"],
)
async def test_a_body_of_another_media_type_is_a_415(ada: Person, content_type: str | None):
    assert_problem(await post(ada, b'{"title": "x"}', content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize("title", ["x", " x ", "x" * 200, "  " + "é" * 200 + "\n", "😀" * 200, "a\tb"])
async def test_a_title_is_trimmed_and_counted_in_characters(ada: Person, title: str):
    response = await ada.http.post("/api/v1/tasks", json={"title": title})

    assert response.json()["title"] == title.strip()


@pytest.mark.parametrize("title", ["", " ", "\t\n", "x" * 201, "😀" * 201, "\u00a0"])
async def test_a_title_has_1_to_200_characters(ada: Person, title: str):
    assert_problem(await ada.http.post("/api/v1/tasks", json={"title": title}), 422, "validation_failed")


async def test_a_description_has_10_000_characters_at_most(ada: Person):
    for length, status in ((10_000, 201), (10_001, 422)):
        body = {"title": "x", "description": "ж" * length}
        assert (await ada.http.post("/api/v1/tasks", json=body)).status_code == status


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("nope=1", "nope"),
        ("Status=all", "Status"),
        ("status=done", "status"),
        ("status=", "status"),
        ("status=all&status=pending", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 400, "limit"),
        ("limit=1&limit=2", "limit"),
        ("sort=nope", "sort"),
        ("order=up", "order"),
        ("include_total=perhaps", "include_total"),
        ("priority=low&priority=nope", "priority"),
        ("offset=5", "offset"),
        ("%00=1", "\x00"),
        ("x=1&x=2", "x"),
        ("%FF=1&%FF=2", ""),
    ],
)
async def test_a_query_that_breaks_a_rule_names_the_parameter(ada: Person, query: str, field: str):
    response = await ada.http.get(f"/api/v1/tasks?{query}")

    assert_problem(response, 422, "validation_failed")
    (error,) = response.json()["errors"]
    assert (error["location"], error["field"]) == ("query", field)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/auth/me"), ("POST", "/api/v1/tasks"), ("GET", "/api/v1/tasks/trash")]
)
async def test_no_operation_takes_a_parameter_that_it_does_not_know(ada: Person, method: str, path: str):
    response = await ada.http.request(method, f"{path}?nope=1", json={"title": "x"} if method == "POST" else None)

    assert_problem(response, 422, "validation_failed")
    assert response.json()["errors"][0]["field"] == "nope"
