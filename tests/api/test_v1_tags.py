"""v1: tags over HTTP."""

from urllib.parse import quote

import pytest

from tests.support.people import Person

TAGS = "/api/v1/tags"


async def _task(person: Person, *tags: str, **values) -> dict:
    made: dict = (await person.http.post("/api/v1/tasks", json={"title": "A", "tags": tags} | values)).json()
    return made


async def _items(person: Person) -> list[dict]:
    items: list[dict] = (await person.http.get(TAGS)).json()["items"]
    return items


async def test_tags_are_counted(ada: Person, eve: Person):
    await _task(ada, "home", "b")
    await _task(ada, "home", completed=True)
    await _task(eve, "hers")

    assert await _items(ada) == [
        {"name": "b", "tasks": 1, "open_tasks": 1},
        {"name": "home", "tasks": 2, "open_tasks": 1},
    ]


@pytest.mark.parametrize("name", ["a/b", "50%", "größe 🦆", "a b", "?x=1#y", "...", "%2F", "+"])
async def test_any_tag_has_an_address(ada: Person, name: str):
    task = await _task(ada, name)
    address = f"{TAGS}/{quote(name, safe='')}"

    renamed = await ada.http.patch(address, json={"name": f"{name}!"})

    assert (renamed.status_code, renamed.json()) == (200, {"name": f"{name}!", "tasks": 1, "open_tasks": 1})
    assert (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json()["tags"] == [f"{name}!"]
    assert (await ada.http.delete(f"{TAGS}/{quote(name + '!', safe='')}")).status_code == 204
    assert await _items(ada) == []


async def test_renaming_onto_another_tag_merges_them(ada: Person):
    both = await _task(ada, "groceries", "x", "Shopping")
    await _task(ada, "shopping")

    answer = await ada.http.patch(f"{TAGS}/Groceries", json={"name": " shopping "})

    assert answer.json() == {"name": "shopping", "tasks": 2, "open_tasks": 2}
    assert (await ada.http.get(f"/api/v1/tasks/{both['id']}")).json()["tags"] == ["shopping", "x"]
    assert await _items(ada) == [answer.json(), {"name": "x", "tasks": 1, "open_tasks": 1}]


@pytest.mark.parametrize("name", ["", " ", "x" * 51, "a,b", "a\nb", "a\x00b", None, 5])
async def test_a_name_that_is_no_tag_is_refused(ada: Person, name):
    await _task(ada, "home")

    answer = await ada.http.patch(f"{TAGS}/home", json={"name": name})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")
    assert [each["name"] for each in await _items(ada)] == ["home"]


@pytest.mark.parametrize("name", ["hers", "nowhere", "a%00b", "%FF", "x" * 300])
async def test_an_unknown_tag_and_somebody_elses_are_404(ada: Person, eve: Person, name: str):
    await _task(ada, "home")
    await _task(eve, "hers")

    answers = [await ada.http.patch(f"{TAGS}/{name}", json={"name": "mine"}), await ada.http.delete(f"{TAGS}/{name}")]

    assert [each.status_code for each in answers] == [404, 404]
    assert [each["name"] for each in await _items(eve)] == ["hers"]


async def test_unchanged_tags_are_not_sent_again(ada: Person):
    await _task(ada, "home")
    tag = (await ada.http.get(TAGS)).headers["etag"]

    assert (await ada.http.get(TAGS, headers={"If-None-Match": tag})).status_code == 304
    await ada.http.patch(f"{TAGS}/home", json={"name": "house"})
    assert (await ada.http.get(TAGS, headers={"If-None-Match": tag})).status_code == 200
