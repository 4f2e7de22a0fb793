"""v1: the exports of other programs, one after the other."""

import io
import json
import zipfile

import pytest

from taskwell.tasks.exchange import zips
from tests.support.import_files import FOLDER, bring_content, bring_file, ignored, move, tasks_of
from tests.support.people import Person

FIELDS = ("priority", "completed", "due_date", "due_at", "list", "tags")


async def shown(person: Person, name: str) -> dict[str, tuple]:
    await move(person, "Europe/Berlin")
    await bring_file(person, name)
    return {title: tuple(task[field] for field in FIELDS) for title, task in (await tasks_of(person)).items()}


async def test_ticktick(ada: Person):
    assert await shown(ada, "ticktick.csv") == {
        "Order tiles": ("high", False, "2026-12-24", None, "Kitchen", ["shop", "tiles"]),
        "Paint": ("medium", False, None, "2026-12-24T08:30:00Z", "Kitchen", []),
        "Sand the wall": ("medium", False, None, None, "Kitchen", []),
        "Buy brushes": ("medium", True, None, None, "Kitchen", []),
        "Measure": ("low", True, None, None, "Kitchen", []),
    }
    assert (await tasks_of(ada))["Paint"]["description"] == "First the primer"
    again = await bring_file(ada, "ticktick.csv")
    assert again["skipped"] == 5
    assert set(ignored(again)) == {
        *("Folder Name", "column Reminder", "column Repeat", "parentId"),
        "that a checklist's item is part of a task",
    }


async def test_outlook(ada: Person):
    assert await shown(ada, "outlook.csv") == {
        "Send the invoice": ("high", False, "2026-12-24", None, None, ["Office", "Money"]),
        "Order paper": ("medium", True, None, None, None, []),
        "Tidy the desk": ("low", False, "2027-01-02", None, None, []),
    }
    report = await bring_file(ada, "outlook.csv", dry_run=True)
    assert set(ignored(report)) == {
        *("start date", "reminder on/off", "column Reminder Date", "column Reminder Time", "% complete"),
    }


async def test_outlooks_dates_are_read_as_all_of_them_together_allow(ada: Person):
    lines = (b'"Subject","Due Date","%% Complete"', b'"a","1/2/2027","0"', b'"b","%b","0"')

    report = await bring_content(ada, b"\r\n".join(lines) % b"24/12/2026")
    ambiguous = await bring_content(ada, (b"\r\n".join(lines) % b"3/4/2027").replace(b'"a"', b'"c"'))

    tasks = await tasks_of(ada)
    assert (tasks["a"]["due_date"], tasks["c"]["due_date"]) == ("2027-02-01", "2027-01-02")
    assert (ignored(report), len(ignored(ambiguous))) == ({}, 1)


async def test_taskwarrior(ada: Person):
    assert await shown(ada, "taskwarrior.json") == {
        "Weigh the flour": ("high", False, None, "2026-12-24T17:00:00Z", "Bakery", ["kitchen"]),
        "Light the oven": ("medium", True, None, None, None, []),
        "Sweep the floor": ("low", False, None, "2026-12-01T08:00:00Z", None, []),
    }
    tasks = await tasks_of(ada)
    assert tasks["Weigh the flour"]["id"] == "0b1c5a52-5f0c-4a0d-9a75-0c51a3c3e001"
    assert tasks["Weigh the flour"]["description"] == "Two kilos"
    assert tasks["Light the oven"]["completed_at"] == "2026-11-03T08:00:00Z"
    report = await bring_file(ada, "taskwarrior.json")
    assert set(ignored(report)) == {"recur", "depends", "status recurring (the task is open)"}


async def test_todo_txt(ada: Person):
    assert await shown(ada, "todo.txt") == {
        "Call the bank about the loan": ("urgent", False, "2026-12-01", None, "House", ["phone"]),
        "Pay the deposit": ("high", True, None, None, "House", []),
        "Read https://example.com/book +Reading +House @evening t:2026-12-01": (
            *("low", False, None, None, "Reading", ["evening"]),
        ),
        "Sharpen pencils": ("medium", False, None, None, None, ["desk"]),
    }
    report = await bring_file(ada, "todo.txt", dry_run=True)
    assert ignored(report) == {"t: (it stays in the title)": 1, "second projects of a task": 1}


async def test_trello(ada: Person):
    assert await shown(ada, "trello.json") == {
        "Pack the books": ("medium", False, None, "2026-12-24T09:00:00Z", "To do", ["heavy slow", "blue"]),
        "Buy boxes": ("medium", True, None, None, "To do", []),
        "Borrow a van": ("medium", False, None, "2026-12-23T09:00:00Z", "To do", []),
        "Hand over the keys": ("medium", True, None, None, "To do", []),
        "Find a flat": ("medium", True, None, None, "Old", []),
    }
    again = await bring_file(ada, "trello.json")
    assert (again["skipped"], ignored(again)) == (
        5,
        {
            "actions": 1,
            "idMembers": 1,
            "that a checklist's item is part of a card": 2,
            "that a card is archived (the task is completed)": 1,
        },
    )


@pytest.mark.parametrize("is_packed", [True, False])
async def test_vikunja(ada: Person, is_packed: bool):  # noqa: FBT001
    content = (FOLDER / "vikunja.zip").read_bytes()
    if not is_packed:
        content = zipfile.ZipFile(io.BytesIO(content)).read("data.json")

    first, second = [await bring_content(ada, content) for _ in range(2)]

    tasks = await tasks_of(ada)
    bulbs = tasks["Plant bulbs"]
    assert (bulbs["priority"], bulbs["due_at"], bulbs["tags"]) == ("urgent", "2026-12-01T10:00:00Z", ["autumn"])
    assert bulbs["description"] == "Deep & wide\nIn rows"
    assert (tasks["Rake leaves"]["completed_at"], tasks["Rake leaves"]["due_at"]) == ("2026-11-05T10:00:00Z", None)
    assert {each["name"] for each in (await ada.http.get("/api/v1/lists")).json()["items"]} == {"Garden", "Empty"}
    assert (first["imported"], second["skipped"]) == (2, 2)
    assert set(ignored(first)) - {"other files in the ZIP file"} == {"repeat_after", "related_tasks"}


async def test_todoists_backup_has_a_list_for_each_project_and_section(ada: Person):
    found = await shown(ada, "todoist_backup.zip")

    assert {title: values[4] for title, values in found.items()} == {
        "Clean the oven": "Home: Kitchen",
        "Write to Eve": "Inbox",
    }


def packed(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (packed(a=b"0" * (zips.MAX_UNPACKED + 1)), 413, "67108864 bytes at most, unpacked"),
        (packed(**{f"{number}": b"" for number in range(zips.MAX_ENTRIES + 1)}), 413, "1000 files at most"),
        (packed(a=b"text"), 422, "no backup of Todoist's"),
        (packed(a=b"text")[:-10], 400, "broken"),
    ],
    ids=["too large", "too many files", "unknown", "broken"],
)
async def test_a_zip_file_is_unpacked_within_bounds(ada: Person, content: bytes, status: int, words: str):
    refused = await ada.http.post("/api/v1/tasks/import", content=content)

    assert refused.status_code == status
    assert words in refused.json()["detail"]


@pytest.mark.parametrize(
    ("name", "format_", "status"),
    [
        ("todoist.csv", "todoist", 200),
        ("todoist.csv", "csv", 200),
        ("todoist.csv", "json", 422),
        ("todoist.csv", "trello", 422),
        ("todoist_backup.zip", "todoist", 200),
        ("trello.json", "json", 200),
        ("trello.json", "google", 422),
        ("todo.txt", "todotxt", 200),
        ("todo.txt", "xlsx", 422),
    ],
)
async def test_a_format_that_is_named_is_the_one_that_is_read(ada: Person, name: str, format_: str, status: int):
    content = (FOLDER / name).read_bytes()

    answer = await ada.http.post("/api/v1/tasks/import", content=content, params={"format": format_})

    assert answer.status_code == status


@pytest.mark.parametrize("value", [None, "", [], {}, "x", 5, True, [1], {"a": 1}, "\ud800", "\x00"])
async def test_values_of_another_kind_are_told_and_never_an_error_of_the_server(ada: Person, value: object):
    task = dict.fromkeys(("id", "notes", "status", "due", "completed", "uuid", "description", "tags", "end"), value)
    cards = [task | {"labels": value, "idList": value, "name": value}]
    files = (
        {"kind": "tasks#taskLists", "items": [{"title": value, "items": [task | {"title": "a"}, value]}]},
        [task | {"status": "pending", "annotations": value}, value],
        {"lists": value, "cards": cards, "checklists": [{"idCard": value, "checkItems": value}]},
        [{"title": value, "tasks": [task | {"title": "a", "labels": value, "priority": value}]}],
        {"exported_at": value, "lists": [value, {"id": value}], "tasks": [value, task], "reminders": [value]},
    )
    for file in files:
        answer = await ada.http.post("/api/v1/tasks/import", content=json.dumps(file).encode())

        assert answer.status_code in (200, 422), answer.text
