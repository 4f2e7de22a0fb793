"""v1: what becomes of tasks that are there already, and of our own exports."""

import orjson
import pytest

from taskwell.api.gateway import Gateway
from taskwell.tasks.exchange import OnExisting, import_file, read_file
from tests.support.counting import CountingLane
from tests.support.import_files import bring_content, ignored, tasks_of
from tests.support.people import Person


async def test_everything_that_a_user_takes_out_comes_in_without_a_loss(ada: Person, eve: Person):
    home, other = [
        (await ada.http.post("/api/v1/lists", json={"name": "Home", "color": color})).json()
        for color in ("#112233", "#445566")
    ]
    empty = (await ada.http.post("/api/v1/lists", json={"name": "Empty"})).json()
    made = [
        (await ada.http.post("/api/v1/tasks", json=draft)).json()
        for draft in (
            {"title": "Kept", "list_id": home["id"], "due_at": "2030-01-01T10:00:00.5Z", "tags": ["a"]},
            {"title": "Other", "list_id": other["id"], "completed": True},
            {"title": "Trashed"},
        )
    ]
    await ada.http.post(f"/api/v1/tasks/{made[0]['id']}/reminders", json={"minutes_before_due": 30})
    await ada.http.delete(f"/api/v1/tasks/{made[2]['id']}")
    document = await ada.http.get("/api/v1/users/me/export")

    report = await bring_content(eve, document.content)
    again = await bring_content(eve, document.content)

    theirs, hers = document.json(), (await eve.http.get("/api/v1/users/me/export")).json()
    assert (report["imported"], report["errors"], again["skipped"]) == (3, [], 3)
    assert set(ignored(report)) <= {"user", "activity"}
    moved = ("space_id", "created_at", "updated_at", "revision")
    assert [without(each, *moved) for each in hers["lists"]] == [without(each, *moved) for each in theirs["lists"]]
    assert empty["name"] in [each["name"] for each in hers["lists"]]
    new = ("user_id", "space_id", "created_by", "completed_by", "updated_at", "revision")
    assert [without(each, *new) for each in hers["tasks"]] == [without(each, *new) for each in theirs["tasks"]]
    assert [(each["task_id"], each["minutes_before_due"]) for each in hers["reminders"]] == [(made[0]["id"], 30)]


def without(found: dict, *names: str) -> dict:
    return {name: value for name, value in found.items() if name not in names}


async def test_a_reminder_whose_moment_has_passed_is_not_sent_after_an_import(ada: Person):
    task = "5d3fbd0e-7c1a-4c1e-9e55-0d6f5f0a1b11"
    reminders = [
        {"task_id": task, "channel": "email", "remind_at": "2020-01-01T00:00:00Z"},
        {"task_id": "none", "channel": "email", "remind_at": "2999-01-01T00:00:00Z"},
        {"task_id": task, "channel": "pigeon", "minutes_before_due": 5},
    ]
    tasks = [{"id": task, "title": "Old", "due_date": "2999-01-01"}]
    content = orjson.dumps({"exported_at": "2026-01-01T00:00:00Z", "tasks": tasks, "reminders": reminders})

    report = await bring_content(ada, content)

    (reminder,) = (await ada.http.get(f"/api/v1/tasks/{task}/reminders")).json()["items"]
    assert (reminder["remind_at"], reminder["sent_at"]) == ("2020-01-01T00:00:00Z", None)
    assert ignored(report) == {"reminders of no task in the file": 1, "reminders that cannot be read": 1}


async def test_one_list_can_take_everything(ada: Person, eve: Person):
    made = (await ada.http.post("/api/v1/lists", json={"name": "Inbox"})).json()
    hers = (await eve.http.post("/api/v1/lists", json={"name": "Hers"})).json()

    await bring_content(ada, b"title,list\r\na,Home\r\nb,\r\n", list=made["id"])
    refused = await ada.http.post("/api/v1/tasks/import", content=b"title\r\na\r\n", params={"list": hers["id"]})

    assert {task["list"] for task in (await tasks_of(ada)).values()} == {"Inbox"}
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "list")


async def test_what_is_there_already_is_updated_where_that_is_asked_for(ada: Person):
    content = b"id,title,priority,due date\r\n5d3fbd0e-7c1a-4c1e-9e55-0d6f5f0a1b11,Milk,high,2026-12-01\r\n"
    await bring_content(ada, content)
    (task,) = (await tasks_of(ada)).values()
    await ada.http.patch(f"/api/v1/tasks/{task['id']}", json={"description": "two", "tags": ["x"]})
    changed = content.replace(b"Milk,high,2026-12-01", b"Oat milk,high,")

    skipped = await bring_content(ada, changed)
    tried = await bring_content(ada, changed, on_existing="update", dry_run=True)
    updated = await bring_content(ada, changed, on_existing="update")
    again = await bring_content(ada, changed, on_existing="update")

    assert (skipped["skipped"], tried, updated["updated"], again["skipped"]) == (1, updated, 1, 1)
    (after,) = (await tasks_of(ada)).values()
    assert (after["title"], after["due_date"], after["description"], after["tags"]) == (
        "Oat milk",
        None,
        "two",
        ["x"],
    )
    assert after["revision"] > task["revision"]


async def test_an_update_leaves_the_trash_alone(ada: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Gone"})).json()
    await ada.http.delete(f"/api/v1/tasks/{task['id']}")

    report = await bring_content(ada, b'[{"id": "%b", "title": "Back"}]' % task["id"].encode(), on_existing="update")

    assert (report["skipped"], report["updated"]) == (1, 0)
    assert await tasks_of(ada) == {}


async def test_a_foreign_id_matches_again_but_not_a_plain_number(ada: Person):
    content = b"id,title\r\nabc-1,Named\r\n7,Numbered\r\n"

    first, second = [await bring_content(ada, content) for _ in range(2)]

    assert (first["imported"], second["imported"], second["skipped"]) == (2, 1, 1)
    assert ignored(first) == {"ids that are plain numbers": 1}


@pytest.mark.parametrize("on_existing", ["skip", "update"])
async def test_a_batch_of_rows_costs_the_same_statements_however_many_they_are(
    ada: Person, app: Gateway, on_existing: OnExisting
):
    assert app.services is not None
    counted = []
    for count in (5, 400):
        lines = (b"row-%d,Task %d,List %d\r\n" % (number, number, number) for number in range(count))
        file = read_file(b"id,title,list\r\n" + b"".join(lines), time_zone="UTC")
        lane = CountingLane(app.services.database)
        await import_file(lane, ada.principal, ada.space, file, list_id=None, on_existing=on_existing, dry_run=False)
        counted.append(lane.statements)

    assert counted[1] - counted[0] == (on_existing == "update"), "it looks at those that are there already"
