"""v1: tasks out as files, and in again."""

import csv
import io
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar

from taskwell.tasks.exchange import imports
from tests.support.people import Person

DRAFTS = (
    {"title": "Buy milk", "tags": ["Home", "5 minutes"], "due_date": "2026-12-24", "priority": "urgent"},
    {"title": "=cmd|' /C calc'!A0", "description": 'line one\nline two; with, signs \\ and "quotes"'},
    {"title": "'quoted'", "due_at": "2026-12-24T10:00:00.123456Z", "completed": True},
    {"title": "Ünïcode 🥛 " + "x" * 150, "description": "y" * 200, "priority": "low"},
)
KEPT = ("title", "description", "priority", "completed", "completed_at", "due_date", "due_at", "tags", "created_at")
TODO = b"BEGIN:VTODO\r\n%b\r\nEND:VTODO\r\n"
MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "ics": "text/calendar"}


async def filled(person: Person) -> list[dict]:
    made = await person.http.post("/api/v1/lists", json={"name": "Home, sweet; home"})
    for draft in DRAFTS:
        created = await person.http.post("/api/v1/tasks", json=draft | {"list_id": made.json()["id"]})
        assert created.status_code == 201
    return await everything(person)


async def everything(person: Person) -> list[dict]:
    page = await person.http.get("/api/v1/tasks", params={"order": "asc"})
    lists = {each["id"]: each["name"] for each in (await person.http.get("/api/v1/lists")).json()["items"]}
    return [
        {name: task[name] for name in KEPT} | {"list": lists.get(task["list_id"])} for task in page.json()["items"]
    ]


async def file_of(person: Person, kind: str) -> bytes:
    answer = await person.http.get("/api/v1/tasks/export", params={"format": kind})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(MEDIA_TYPES[kind])
    assert answer.headers["content-disposition"] == f'attachment; filename="tasks.{kind}"'
    return answer.content


async def bring(person: Person, content: bytes, kind: str, **params: str | bool):
    headers = {"Content-Type": MEDIA_TYPES.get(kind, "text/csv")}
    return await person.http.post("/api/v1/tasks/import", content=content, headers=headers, params=params)


@pytest.mark.parametrize("kind", ["json", "csv", "ics"])
async def test_tasks_taken_out_and_brought_into_an_empty_account_are_equal(ada: Person, eve: Person, kind: str):
    before = await filled(ada)

    report = await bring(eve, await file_of(ada, kind), kind)

    assert report.json() == {"imported": len(DRAFTS), "skipped": 0, "errors": []}
    assert await everything(eve) == before


@pytest.mark.parametrize("kind", ["json", "csv", "ics"])
async def test_a_file_brought_in_twice_adds_nothing(ada: Person, kind: str):
    before = await filled(ada)

    report = await bring(ada, await file_of(ada, kind), kind)

    assert report.json() == {"imported": 0, "skipped": len(DRAFTS), "errors": []}
    assert await everything(ada) == before


@pytest.mark.parametrize("kind", ["json", "csv", "ics"])
async def test_an_empty_account_gives_a_file_that_can_be_brought_in(ada: Person, kind: str):
    report = await bring(ada, await file_of(ada, kind), kind)

    assert report.json() == {"imported": 0, "skipped": 0, "errors": []}


async def test_a_spreadsheet_sees_no_formula(ada: Person):
    await filled(ada)

    rows = list(csv.reader(io.StringIO((await file_of(ada, "csv")).decode(), newline="")))

    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_a_calendar_program_reads_the_calendar(ada: Person):
    await filled(ada)
    content = await file_of(ada, "ics")

    todos: dict[str, Any] = {str(todo["summary"]): todo for todo in Calendar.from_ical(content).walk("VTODO")}

    assert todos["Buy milk"].decoded("due") == date(2026, 12, 24)
    assert todos["Buy milk"]["categories"].cats == ["Home", "5 minutes"]
    assert todos["'quoted'"].decoded("due") == datetime(2026, 12, 24, 10, tzinfo=UTC)
    assert todos["'quoted'"]["status"] == "COMPLETED"
    assert max(map(len, content.split(b"\r\n"))) <= 75  # RFC 5545 section 3.1


async def test_one_bad_row_stores_nothing_and_is_named(ada: Person):
    content = b"title,priority\r\nFine,high\r\n,low\r\nAlso fine,sometimes\r\n"

    refused = await bring(ada, content, "csv")

    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["rows.2.title", "rows.3.priority"]
    assert await everything(ada) == []


@pytest.mark.parametrize(
    ("content", "kind", "field"),
    [
        (b'[{"title": "Fine"}, {"title": "\\ud800"}]', "json", "rows.2.title"),
        *(
            (b'[{"title": "Fine"}, {"title": "Odd", "list": %b}]' % value, "json", "rows.2.list")
            for value in (b"5", b"[1]", b'{"name": "Home"}', b"true", b'"\\ud800"', b'"\\u0000"')
        ),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nDUE:soon", "ics", "rows.2"),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nPRIORITY:some", "ics", "rows.2"),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nPRIORITY:99", "ics", "rows.2"),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nDUE;TZID=Europe/Berlin:00010101T000000", "ics", "rows.2"),
        (TODO % b"SUMMARY:Odd\r\nDUE;VALUE=PERIOD:20261224T100000Z/PT1H" + TODO % b"SUMMARY:Fine", "ics", "rows.1"),
    ],
)
async def test_a_row_that_cannot_be_read_is_named(ada: Person, content: bytes, kind: str, field: str):
    if kind == "ics":
        content = b"BEGIN:VCALENDAR\r\n" + content + b"END:VCALENDAR\r\n"

    refused = await bring(ada, content, kind)
    report = await bring(ada, content, kind, dry_run=True)

    assert (refused.status_code, report.status_code) == (422, 200)
    assert [each["field"] for each in refused.json()["errors"]] == [field]
    assert (report.json()["imported"], report.json()["errors"]) == (1, refused.json()["errors"])
    assert await everything(ada) == []


async def test_a_calendar_keeps_the_text_that_it_cannot_have_until_another_program_changes_it(
    ada: Person, eve: Person
):
    odd = {"title": "Bell\x07\x1b", "description": "One\r\ntwo\rthree\nfour, five; \\n"}
    await ada.http.post("/api/v1/tasks", json=odd)

    content = await file_of(ada, "ics")
    await bring(eve, content, "ics")
    await bring(eve, re.sub(rb"UID:.*", b"UID:theirs", content).replace(b"SUMMARY:Bell", b"SUMMARY:Ball"), "ics")

    assert re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f]|\r(?!\n)|(?<!\r)\n", content) is None
    brought = [(task["title"], task["description"]) for task in await everything(eve)]
    assert sorted(brought) == [("Ball", odd["description"]), (odd["title"], odd["description"])]


async def test_a_dry_run_says_what_would_happen_and_stores_nothing(ada: Person):
    report = (await bring(ada, b"title,list\r\nFine,New\r\n,New\r\n", "csv", dry_run=True)).json()

    assert (report["imported"], report["skipped"]) == (1, 0)
    assert [each["field"] for each in report["errors"]] == ["rows.2.title"]
    assert await everything(ada) == []
    assert (await ada.http.get("/api/v1/lists")).json() == {"items": []}


async def test_todoists_csv_keeps_sections_labels_notes_and_dates(ada: Person):
    content = (
        b"TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE\r\n"
        b"section,Kitchen,,,,,,,,\r\n"
        b"task,Clean the oven @home @5minutes,With soda,1,1,Ada (1),,2026-12-24,en,UTC\r\n"
        b"note,The soda is under the sink,,,,Ada (1),,,,\r\n"
        b"task,Water the plants,,4,1,Ada (1),,every monday,en,UTC\r\n"
    )

    report = await bring(ada, content, "csv", format="todoist")

    assert report.json()["imported"] == 2
    oven, plants = sorted(await everything(ada), key=lambda task: task["title"])
    assert (oven["title"], oven["tags"], oven["priority"]) == ("Clean the oven", ["home", "5minutes"], "urgent")
    assert (oven["due_date"], oven["list"]) == ("2026-12-24", "Kitchen")
    assert oven["description"] == "With soda\n\nThe soda is under the sink"
    assert (plants["description"], plants["priority"], plants["due_date"]) == ("every monday", "low", None)


async def test_todoists_csv_may_have_its_columns_in_any_order_and_short_lines(ada: Person):
    content = b"CONTENT,DATE,TYPE\r\nShort\r\n@home,2026-12-24 18:00,task\r\nA%b,,task\r\n" % (
        b" " * 90_000 + b"B @x"
    )

    long = await bring(ada, content, "csv", format="todoist", dry_run=True)
    await bring(ada, content.replace(b" " * 90_000, b" "), "csv", format="todoist")

    assert [each["field"] for each in long.json()["errors"]] == ["rows.2.title"]

    found = sorted((task["title"], task["tags"], task["description"]) for task in await everything(ada))
    assert found == [("@home", [], "2026-12-24 18:00"), ("A B", ["x"], None)]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "json", 400),
        (b'{"tasks": 1}', "json", 422),
        (b"[1]", "json", 422),
        (b"\xff\xfe", "csv", 400),
        (b"name\r\nno title", "csv", 400),
        (b'title\r\n"open', "csv", 400),
        (b"BEGIN:NOTHING", "ics", 400),
        (b"", "json", 422),
        (b"plain", "text", 415),
    ],
)
async def test_a_file_of_another_kind_is_refused(ada: Person, content: bytes, kind: str, status: int):
    headers = {"Content-Type": MEDIA_TYPES.get(kind, "text/plain")}

    refused = await ada.http.post("/api/v1/tasks/import", content=content, headers=headers)

    assert refused.status_code == status


@pytest.mark.parametrize(
    ("content", "params", "field", "words"),
    [
        (
            b'[{"title": "Pay", "due_date": "2026-12-24", "due_at": "2026-12-24T10:00:00Z"}]',
            {},
            "rows.1",
            "one of them",
        ),
        (b'[{"title": "\\ud800"}, {"title": NaN}]', {}, "", "JSON"),
        (b"CONTENT\r\nPay", {"format": "todoist"}, "", "no column TYPE"),
    ],
)
async def test_what_is_wrong_with_a_file_is_told(ada: Person, content: bytes, params: dict, field: str, words: str):
    kind = "csv" if params else "json"

    answer = await bring(ada, content, kind, **params)

    (error,) = answer.json().get("errors") or [{"field": "", "message": answer.json()["detail"]}]
    assert error["field"] == field
    assert words in error["message"]
    assert await everything(ada) == []


async def test_a_file_brings_no_more_new_lists_than_are_allowed(ada: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "MAX_NEW_LISTS", 1)
    await ada.http.post("/api/v1/lists", json={"name": "Old"})
    content = b"title,list\r\na,Old\r\nb,New\r\n"

    enough = await bring(ada, content, "csv")
    refused = await bring(ada, content + b"c,Newer\r\nd,Newest\r\n", "csv")

    assert (enough.status_code, refused.status_code) == (200, 422)
    assert refused.json()["errors"][0]["field"] == "rows"
    assert [each["title"] for each in await everything(ada)] == ["a", "b"]


async def test_more_than_ten_thousand_tasks_are_refused_whole(ada: Person):
    refused = await bring(ada, b"title\r\n" + b"x\r\n" * 10_001, "csv")

    assert refused.status_code == 422
    assert await everything(ada) == []


async def test_ten_thousand_tasks_come_in_at_once(ada: Person):
    report = await bring(ada, b"title,tags\r\n" + b"x,home\r\n" * 10_000, "csv")

    assert report.json()["imported"] == 10_000


async def test_somebody_elses_task_id_brings_nothing_of_it(ada: Person, eve: Person):
    task = (await ada.http.post("/api/v1/tasks", json={"title": "Secret"})).json()

    report = await eve.http.post("/api/v1/tasks/import", json=[{"id": task["id"], "title": "Mine"}])

    assert report.json()["imported"] == 1
    assert (await ada.http.get(f"/api/v1/tasks/{task['id']}")).json() == task
    assert (await eve.http.get(f"/api/v1/tasks/{task['id']}")).json()["title"] == "Mine"
