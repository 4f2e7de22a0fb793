"""Input that would cost far more than it weighs, and stop everybody else meanwhile."""

import asyncio

import pytest

from tests.support.people import Person

ACCENTED = "a" + "\u0301" * 50_000 + "\u0323" * 50_000
"""What a composition sorts by insertion; 100,000 such take a minute."""


@pytest.fixture(autouse=True)
async def soon():
    """Most take milliseconds."""
    async with asyncio.timeout(5):
        yield


@pytest.mark.parametrize("field", ["email", "password"])
async def test_a_login_of_endless_accents_is_refused_as_any_other(field: str, ada: Person):
    login = {"email": ada.email, "password": "engine 1843"} | {field: ACCENTED}

    answer = await ada.http.post("/api/v1/auth/login", json=login)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


async def test_a_description_of_endless_accents_is_found_by_its_other_words(ada: Person):
    task = {"title": "x", "description": f"{ACCENTED[40_000:49_000]} milk"}

    for _ in range(10):
        assert (await ada.http.post("/api/v1/tasks", json=task)).status_code == 201

    assert len((await ada.http.get("/api/v1/tasks?q=milk")).json()["items"]) == 10


@pytest.mark.parametrize("path", ["/api/v1/auth/signup", "/api/v1/tasks"])
async def test_of_very_many_unknown_fields_one_error_is_told(path: str, ada: Person):
    answer = await ada.http.post(path, json={f"field {number}": 0 for number in range(50_000)})

    assert answer.status_code == 422
    assert [each["type"] for each in answer.json()["errors"]] == ["too_many_fields"]


@pytest.mark.parametrize(
    "tags", [[1] * 100_000, [f"tag {number}" for number in range(50_000)]], ids=["no", "distinct"]
)
async def test_of_very_many_tags_one_error_is_told(tags: list[object], ada: Person):
    answer = await ada.http.post("/api/v1/tasks", json={"title": "x", "tags": tags})

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["tags"]


async def test_a_hundred_errors_are_told_at_most(ada: Person):
    operations = [{"op": "create", "data": {str(number): 0 for number in range(50)}} for _ in range(100)]

    answer = await ada.http.post("/api/v1/tasks/bulk", json={"operations": operations, "atomic": True})

    assert 0 < len(answer.json()["errors"]) <= 100


@pytest.mark.parametrize("call", [("POST", "/api/v1/auth/token"), ("GET", "/api/v1/tasks")])
async def test_a_form_and_a_query_of_very_many_fields_are_refused(call: tuple[str, str], ada: Person):
    method, path = call
    fields = "&".join(["a=1"] * 5_000)
    form = {"content": fields, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}

    answer = await ada.http.request(method, path, **(form if method == "POST" else {"params": fields}))

    assert answer.status_code == 422
    told = [(each["location"], each["type"]) for each in answer.json()["errors"]]
    assert told == [("body" if method == "POST" else "query", "too_many_fields")]
