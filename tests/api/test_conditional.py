"""ETags, If-Match and If-None-Match."""

import asyncio
from typing import Any

import pytest

from tests.support.people import Person


@pytest.fixture
async def task(ada: Person) -> dict[str, Any]:
    return (await ada.http.post("/api/v1/tasks", json={"title": "Buy milk"})).json()


def path_of(task: dict[str, Any]) -> str:
    return f"/api/v1/tasks/{task['id']}"


async def test_the_etag_is_the_revision(ada: Person, task: dict[str, Any]):
    for response in (
        await ada.http.get(path_of(task)),
        await ada.http.patch(path_of(task), json={}),
        await ada.http.put(path_of(task), json={"title": "Buy bread"}),
        await ada.http.patch(path_of(task), json={"title": "Buy cheese"}),
        await ada.http.patch(path_of(task) + "/complete"),
    ):
        assert response.headers["etag"] == f'"{response.json()["revision"]}"'
        assert response.headers["cache-control"] == "private, no-cache"


async def test_a_write_that_changes_nothing_takes_no_revision(ada: Person, task: dict[str, Any]):
    for method, body in (("PATCH", {}), ("PATCH", {"title": " Buy milk "}), ("PUT", {"title": "Buy milk"})):
        assert (await ada.http.request(method, path_of(task), json=body)).json() == task


@pytest.mark.parametrize("given", ["{tag}", "W/{tag}", '"0", {tag}', '"0",{tag}', "*", '"0" , W/{tag} , "1"'])
async def test_an_unchanged_task_is_a_304(ada: Person, task: dict[str, Any], given: str):
    tag = f'"{task["revision"]}"'

    for method in ("GET", "HEAD"):
        response = await ada.http.request(method, path_of(task), headers={"If-None-Match": given.format(tag=tag)})

        assert (response.status_code, response.content) == (304, b"")
        assert (response.headers["etag"], response.headers["cache-control"]) == (tag, "private, no-cache")


@pytest.mark.parametrize("given", ['"0"', 'W/"0"', "", "nonsense", '"', "{bare}", ",,,"])
async def test_what_does_not_match_gets_the_task(ada: Person, task: dict[str, Any], given: str):
    headers = {"If-None-Match": given.format(bare=task["revision"])}

    assert (await ada.http.get(path_of(task), headers=headers)).status_code == 200


async def test_a_changed_task_is_no_304(ada: Person, task: dict[str, Any]):
    await ada.http.patch(path_of(task), json={"title": "Buy bread"})

    response = await ada.http.get(path_of(task), headers={"If-None-Match": f'"{task["revision"]}"'})

    assert (response.status_code, response.json()["title"]) == (200, "Buy bread")


CHANGES = [
    ("PUT", "", {"title": "y"}),
    ("PATCH", "", {"title": "y"}),
    ("PATCH", "/complete", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "suffix", "body"), CHANGES)
@pytest.mark.parametrize("given", ["{tag}", '"0", {tag}', "*", '{tag}, "0"', ", {tag},"])
async def test_a_precondition_that_holds_lets_the_write_through(ada: Person, task, method, suffix, body, given: str):
    headers = {"If-Match": given.format(tag=f'"{task["revision"]}"')}

    assert (await ada.http.request(method, path_of(task) + suffix, json=body, headers=headers)).is_success


@pytest.mark.parametrize(("method", "suffix", "body"), CHANGES)
@pytest.mark.parametrize("given", ['"0"', "W/{tag}", '"abc"', '"0{revision}"', '"{revision}-1"', '""', '"é"'])
async def test_a_precondition_that_does_not_hold_changes_nothing(ada: Person, task, method, suffix, body, given: str):
    revision = task["revision"]
    sent = given.format(tag=f'"{revision}"', revision=revision).encode("latin-1")

    response = await ada.http.request(method, path_of(task) + suffix, json=body, headers=[(b"If-Match", sent)])

    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert (await ada.http.get(path_of(task))).json() == task


@pytest.mark.parametrize(("method", "suffix", "body"), CHANGES)
@pytest.mark.parametrize(
    "given", ["", "{revision}", '"1', '1"', "W/1", 'w/"1"', '"1" "2"', '*, "1"', '"1", *', "**", ","]
)
async def test_a_malformed_precondition_is_told(ada: Person, task, method, suffix, body, given: str):
    headers = {"If-Match": given.format(revision=task["revision"])}

    response = await ada.http.request(method, path_of(task) + suffix, json=body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_header")


async def test_several_preconditions_are_one_list(ada: Person, task: dict[str, Any]):
    headers = [("If-Match", '"0"'), ("If-Match", f'"{task["revision"]}"')]

    assert (await ada.http.patch(path_of(task), json={"title": "y"}, headers=headers)).status_code == 200


async def test_of_twenty_writers_with_one_etag_one_wins(ada: Person, task: dict[str, Any]):
    headers = {"If-Match": f'"{task["revision"]}"'}
    writes = [ada.http.patch(path_of(task), json={"title": f"By {n}"}, headers=headers) for n in range(20)]

    statuses = sorted(response.status_code for response in await asyncio.gather(*writes))

    assert statuses == [200] + [412] * 19


async def test_a_monstrous_list_of_tags_is_read_quickly(ada: Person, task: dict[str, Any]):
    for header in ("If-Match", "If-None-Match"):
        for value in ("," * 60_000 + "x", " " * 60_000 + "x", '"' * 60_001, '"a",' * 15_000):
            async with asyncio.timeout(1):
                await ada.http.get(path_of(task), headers={header: value})
                await ada.http.patch(path_of(task), json={}, headers={header: value})
