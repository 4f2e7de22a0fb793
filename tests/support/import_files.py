"""Files of other programs, all written for these tests."""

from pathlib import Path
from typing import Any

from tests.support.people import Person

FOLDER = Path(__file__).parent.parent / "files" / "imports"


async def bring_file(person: Person, name: str, **params: str | bool) -> dict[str, Any]:
    """Brings a file in, under a media type that says nothing; gives the report."""
    return await bring_content(person, (FOLDER / name).read_bytes(), **params)


async def bring_content(person: Person, content: bytes, **params: str | bool) -> dict[str, Any]:
    headers = {"Content-Type": "application/octet-stream"}
    answer = await person.http.post("/api/v1/tasks/import", content=content, headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def tasks_of(person: Person) -> dict[str, dict[str, Any]]:
    """The person's tasks by title, with the name of their list."""
    page = (await person.http.get("/api/v1/tasks", params={"limit": 100})).json()
    lists = {each["id"]: each["name"] for each in (await person.http.get("/api/v1/lists")).json()["items"]}
    return {task["title"]: task | {"list": lists.get(task["list_id"])} for task in page["items"]}


def ignored(report: dict[str, Any]) -> dict[str, int]:
    return {each["what"]: each["count"] for each in report["ignored"]}


async def move(person: Person, time_zone: str) -> None:
    moved = await person.http.patch("/api/v1/users/me", json={"time_zone": time_zone})
    assert moved.status_code == 200
