"""v1: files of other programs, told apart by what is in them; nothing in them vanishes in silence."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.import_files import FOLDER, bring_content, bring_file, ignored, move, tasks_of
from tests.support.people import Person

ROWS = {
    "completed_long_ago.csv": 1,
    "encodings.ics": 3,
    "floating_times.ics": 3,
    "google_takeout.json": 5,
    "google_takeout.zip": 5,
    "no_place_for.ics": 4,
    "one_id_twice.csv": 2,
    "outlook.csv": 3,
    "semicolons_windows_1252.csv": 2,
    "tabs_utf_16.csv": 1,
    "taskwarrior.json": 4,
    "ticktick.csv": 5,
    "todo.txt": 4,
    "todoist.csv": 5,
    "todoist_backup.zip": 2,
    "trello.json": 5,
    "two_calendars.ics": 3,
    "usual_names.csv": 2,
    "vikunja.zip": 2,
}


def counted(report: dict) -> int:
    rows = {each["row"] for each in report["errors"]}
    assert len(rows) == len(report["errors"]), "each row is named once"
    return report["imported"] + report["skipped"] + report["updated"] + len(rows)


def test_every_file_has_its_number_of_rows_here():
    assert sorted(ROWS) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_the_numbers_of_a_report_add_up_to_the_rows_of_the_file(ada: Person, name: str):
    tried = await bring_file(ada, name, dry_run=True)
    assert await tasks_of(ada) == {}

    report = await bring_file(ada, name)
    again = await bring_file(ada, name, on_existing="update")

    assert tried == report
    assert counted(report) == counted(again) == ROWS[name]
    assert again["updated"] == 0, "nothing in the file has changed"


async def test_google_takeouts_lists_stay_lists_and_its_deleted_tasks_deleted(ada: Person):
    report = await bring_file(ada, "google_takeout.json")

    tasks = await tasks_of(ada)
    trash = (await ada.http.get("/api/v1/tasks/trash")).json()["items"]
    lists = [each["name"] for each in (await ada.http.get("/api/v1/lists")).json()["items"]]
    assert (report["imported"], ignored(report)) == (4, {"parent": 1, "links": 1})
    assert [(each["row"], each["field"]) for each in report["errors"]] == [(4, "title")]
    assert {title: task["list"] for title, task in tasks.items()} == dict.fromkeys(
        ("Call the plumber", "Order paint", "Choose the shade"), "My Tasks"
    )
    assert tasks["Call the plumber"]["completed_at"] == "2026-11-02T08:30:00Z"
    assert (tasks["Order paint"]["due_date"], tasks["Order paint"]["description"]) == (
        "2026-12-05",
        "Two litres, white",
    )
    assert [each["title"] for each in trash] == ["Cut the hedge"]
    assert lists == ["My Tasks", "Garden", "Some day"]
    assert (await bring_file(ada, "google_takeout.json"))["imported"] == 1, "only the task without an id is new"


async def test_usual_names_of_columns_are_known_and_the_others_are_told(ada: Person):
    await move(ada, "Europe/Berlin")

    report = await bring_file(ada, "usual_names.csv")

    tasks = await tasks_of(ada)
    rent, stamps = tasks["Pay rent"], tasks["Buy stamps"]
    assert (rent["description"], rent["due_date"], rent["completed"], rent["priority"]) == (
        *("x", "2026-12-01", True, "high"),
    )
    assert (stamps["due_at"], stamps["completed"]) == ("2026-12-02T17:30:00Z", False)
    assert report["ignored"] == [{"what": "column Colour", "count": 1, "example": "red"}]


async def test_columns_of_any_name_can_be_named(ada: Person):
    content = "Aufgabe;Fällig\r\nMüll;24.12.2026\r\n".encode("windows-1252")

    report = await bring_content(ada, content, columns="title:Aufgabe,due_date:Fällig")

    assert report["imported"] == 1
    assert (await tasks_of(ada))["Müll"]["due_date"] == "2026-12-24"


@pytest.mark.parametrize(
    ("columns", "content", "words"),
    [
        ("title:Wer", b"Was\r\nx", "no column 'Wer'"),
        ("due_date:Wann", b"title\r\nx", "no column 'Wann'"),
        ("title", b"title\r\nx", "title:Task"),
        ("colour:x", b"title\r\nx", "the fields are"),
        ("title:a,title:b", b"a,b\r\nx,y", "once"),
        ("title:title", b"[]", "Only CSV"),
    ],
)
async def test_what_is_wrong_with_named_columns_is_told(ada: Person, columns: str, content: bytes, words: str):
    refused = await ada.http.post("/api/v1/tasks/import", content=content, params={"columns": columns})

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["location"], error["field"]) == ("query", "columns")
    assert words in error["message"]


async def test_commas_semicolons_and_tabs_are_read_in_every_usual_encoding(ada: Person):
    await bring_file(ada, "semicolons_windows_1252.csv")
    await bring_file(ada, "tabs_utf_16.csv")

    tasks = await tasks_of(ada)
    assert (tasks["Miete zahlen"]["due_date"], tasks["Miete zahlen"]["description"]) == (
        *("2026-12-01", "bar, nicht per Karte"),
    )
    assert tasks["Briefmarken kaufen"]["description"] == "für; Karten"
    assert tasks["Pay rent"]["description"] == "Ä"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_quoted_names_of_columns_are_read_with_every_delimiter(ada: Person, delimiter: str):
    lines = ('"title"', '"notes"'), ('"a, b; c"', '"x"')

    await bring_content(ada, "\r\n".join(delimiter.join(line) for line in lines).encode())

    assert (await tasks_of(ada))["a, b; c"]["description"] == "x"


async def test_quotes_in_todo_txt_are_text(ada: Person):
    await bring_content(ada, b'"Big" boxes +House\n(A) Call "Eve\n')

    assert set(await tasks_of(ada)) == {'"Big" boxes', 'Call "Eve'}


async def test_todoists_csv_keeps_sections_labels_notes_and_dates_and_tells_the_rest(ada: Person):
    await move(ada, "America/New_York")

    report = await bring_file(ada, "todoist.csv")

    tasks = await tasks_of(ada)
    oven, plants = tasks["Clean the oven"], tasks["Water the plants"]
    assert (oven["tags"], oven["priority"], oven["due_date"], oven["list"]) == (
        *(["home", "5minutes"], "urgent", "2026-12-24", "Kitchen"),
    )
    assert oven["description"] == "With soda\n\nThe soda is under the sink"
    assert tasks["Scrub the grill"]["due_at"] == "2026-10-06T22:30:00Z"
    assert (plants["description"], plants["priority"], plants["due_date"]) == ("every monday", "low", None)
    assert tasks["Defrost"]["due_at"] == "2026-12-24T23:00:00Z"
    assert tasks["Paint the door"]["due_date"] == "2026-12-30"
    assert ignored(report) == {
        "lines of type meta": 1,
        "notes of the project": 1,
        "column AUTHOR": 7,
        "column RESPONSIBLE": 1,
        "column DURATION": 1,
        "column DURATION_UNIT": 1,
        "DEADLINE beside a DATE": 1,
        "INDENT: that a task is part of another": 1,
        "DATE in words, such as a repeat (it is in the description)": 1,
    }


async def test_todoists_csv_may_have_its_columns_in_any_order_and_short_lines(ada: Person):
    content = b"CONTENT,DATE,TYPE\r\nShort\r\n@home,2026-12-24 18:00,task\r\nA B @x,,task\r\n"

    report = await bring_content(ada, content)

    tasks = await tasks_of(ada)
    assert {title: (task["tags"], task["due_at"]) for title, task in tasks.items()} == {
        "@home": ([], "2026-12-24T18:00:00Z"),
        "A B": (["x"], None),
    }
    assert ignored(report) == {"lines of type (none)": 1}


async def test_an_imported_task_is_new_to_this_server_and_created_no_later_than_completed(ada: Person):
    before = datetime.now(UTC)
    await bring_file(ada, "completed_long_ago.csv")
    await bring_content(ada, b"title,created_at,updated_at\r\nkept,2026-01-02T00:00:00Z,2026-01-03T00:00:00Z\r\n")

    tasks = await tasks_of(ada)
    assert tasks["old"]["created_at"] == tasks["old"]["completed_at"] == "2026-01-01T00:00:00Z"
    assert tasks["kept"]["created_at"] == "2026-01-02T00:00:00Z"
    for task in tasks.values():
        assert datetime.fromisoformat(task["updated_at"]) >= before - timedelta(seconds=1)


async def test_unknown_fields_of_json_are_told(ada: Person):
    report = await bring_content(ada, b'{"tasks": [{"title": "a", "mood": "good", "note": null}], "owner": "ada"}')

    assert report["ignored"] == [
        {"what": "owner", "count": 1, "example": "ada"},
        {"what": "mood", "count": 1, "example": "good"},
    ]


async def test_a_report_names_a_hundred_kinds_of_things_at_most(ada: Person):
    fields = ", ".join(f'"field {number}": "\\ud800"' for number in range(150))

    report = await bring_content(ada, f'[{{"title": "a", {fields}}}]'.encode())

    assert sum(ignored(report).values()) == 150
    assert ignored(report)["other things"] == 50


@pytest.mark.parametrize(
    "names",
    ["title,dueDate,isCompleted,listName", "Title,Due-Date,Is done?,List_Name", "TITLE,DUE_DATE,IS_DONE,LIST"],
)
async def test_a_columns_name_counts_by_its_words_however_they_are_joined(ada: Person, names: str):
    report = await bring_content(ada, f"{names}\nPay rent,2026-12-01,yes,Home\n".encode())

    task = (await tasks_of(ada))["Pay rent"]
    assert (task["due_date"], task["completed"], task["list"]) == ("2026-12-01", True, "Home")
    assert report["ignored"] == []
