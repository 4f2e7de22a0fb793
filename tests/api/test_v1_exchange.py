"""v1: tasks out as files, and in again."""

import csv
import io
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar

from taskwell.tasks.exchange import import_lists
from tests.support.people import Person

DRAFTS = (
    {"title": "Buy milk", "tags": ["Home", "5 minutes"], "due_date": "2026-12-24", "priority": "urgent"},
    {"title": "=cmd|' /C calc'!A0", "description": 'line one\nline two; with, signs \\ and "quotes"'},
    {"title": "'quoted'", "due_at": "2026-12-24T10:00:00Z", "completed": True},
    {"title": "Ünïcode 🥛 " + "x" * 150, "description": "y" * 200, "priority": "low"},
)
KEPT = ("title", "description", "priority", "completed", "completed_at", "due_date", "due_at", "tags", "created_at")
TODO = b"BEGIN:VTODO\r\n%b\r\nEND:VTODO\r\n"
NOTHING: dict[str, Any] = {"imported": 0, "skipped": 0, "updated": 0, "errors": [], "ignored": []}
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


def at_seconds(task: dict) -> dict:
    """The task as iCalendar can have it."""
    instants = {name: task[name] and re.sub(r"[.]\d+Z", "Z", task[name]) for name in ("completed_at", "created_at")}
    return task | instants


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

    assert report.json() == NOTHING | {"imported": len(DRAFTS)}
    assert await everything(eve) == [at_seconds(task) for task in before] if kind == "ics" else before


@pytest.mark.parametrize("kind", ["json", "csv", "ics"])
async def test_a_file_brought_in_twice_adds_nothing(ada: Person, kind: str):
    before = await filled(ada)

    report = await bring(ada, await file_of(ada, kind), kind)

    assert report.json() == NOTHING | {"skipped": len(DRAFTS)}
    assert await everything(ada) == before


@pytest.mark.parametrize("kind", ["json", "csv", "ics"])
async def test_an_empty_account_gives_a_file_that_can_be_brought_in(ada: Person, kind: str):
    report = await bring(ada, await file_of(ada, kind), kind)

    assert report.json() == NOTHING


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


async def test_a_row_that_breaks_a_rule_is_told_once_and_spoils_no_other(ada: Person):
    content = b"title,priority,due date\r\nFine,high,\r\n,low,soon\r\nAlso fine,sometimes,\r\n"

    report = (await bring(ada, content, "csv")).json()

    assert report["imported"] == 1
    assert [(each["row"], each["field"]) for each in report["errors"]] == [(2, "title"), (3, "priority")]
    assert "due_date" in report["errors"][0]["message"]
    assert [each["title"] for each in await everything(ada)] == ["Fine"]


@pytest.mark.parametrize(
    ("content", "kind", "row", "field"),
    [
        (b'[{"title": "Fine"}, {"title": "\\ud800"}]', "json", 2, "title"),
        (b'[{"title": "Fine"}, "Odd"]', "json", 2, ""),
        *(
            (b'[{"title": "Fine"}, {"title": "Odd", "list": %b}]' % value, "json", 2, "list")
            for value in (b"5", b"[1]", b'{"name": "Home"}', b"true", b'"\\ud800"', b'"\\u0000"')
        ),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nDUE:soon", "ics", 2, "DUE"),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nPRIORITY:some", "ics", 2, "PRIORITY"),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nPRIORITY:99", "ics", 2, "PRIORITY"),
        (TODO % b"SUMMARY:Fine" + TODO % b"SUMMARY:Odd\r\nDUE;TZID=Europe/Berlin:00010101T000000", "ics", 2, "DUE"),
        (TODO % b"SUMMARY:Odd\r\nDUE;VALUE=PERIOD:20261224T100000Z/PT1H" + TODO % b"SUMMARY:Fine", "ics", 1, "DUE"),
    ],
)
async def test_a_row_that_cannot_be_read_is_named_and_the_others_are_stored(
    ada: Person, content: bytes, kind: str, row: int, field: str
):
    if kind == "ics":
        content = b"BEGIN:VCALENDAR\r\n" + content + b"END:VCALENDAR\r\n"

    tried = await bring(ada, content, kind, dry_run=True)
    report = await bring(ada, content, kind)

    assert (report.status_code, report.json()) == (200, tried.json())
    assert report.json()["imported"] == 1
    assert [(each["row"], each["field"]) for each in report.json()["errors"]] == [(row, field)]
    assert [each["title"] for each in await everything(ada)] == ["Fine"]


async def test_a_calendar_keeps_backslashes_and_drops_only_what_it_cannot_have(ada: Person, eve: Person):
    odd = {"title": "C:\\New; C:\\notes, \x07", "description": "One\r\ntwo\rthree\nfour, five; \\n"}
    await ada.http.post("/api/v1/tasks", json=odd)

    content = await file_of(ada, "ics")
    await bring(eve, content, "ics")

    assert re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f]|\r(?!\n)|(?<!\r)\n", content) is None
    (brought,) = await everything(eve)
    assert brought["title"] == "C:\\New; C:\\notes,"
    assert brought["description"] == "One\ntwo\nthree\nfour, five; \\n"


async def test_a_dry_run_says_what_would_happen_and_stores_nothing(ada: Person):
    report = (await bring(ada, b"title,list\r\nFine,New\r\n,New\r\n", "csv", dry_run=True)).json()

    assert (report["imported"], report["skipped"]) == (1, 0)
    assert [(each["row"], each["field"]) for each in report["errors"]] == [(2, "title")]
    assert await everything(ada) == []
    assert (await ada.http.get("/api/v1/lists")).json() == {"items": []}


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"{", 400, "not valid JSON"),
        (b'[{"title": "\\ud800"}, {"title": NaN}]', 400, "not valid JSON"),
        (b'{"tasks": 1}', 422, "no array of tasks"),
        (b"[1]", 422, "no array of tasks"),
        (b'[{"name": "Buy milk"}]', 422, "no array of tasks"),
        (b"\xff\xfe\x00", 400, "not text"),
        (b"\x00\x01\x02", 400, "not text"),
        (b"a,b\r\nno title,x", 422, "first line names its columns"),
        (b'title\r\n"open', 400, "not CSV"),
        (b"BEGIN:NOTHING", 422, "does not know this kind of file"),
        (b"", 422, "A file is required"),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
async def test_a_file_of_unknown_shape_is_refused_with_a_sentence(
    ada: Person, content: bytes, media_type: str, status: int, words: str
):
    headers = {"Content-Type": media_type}

    refused = await ada.http.post("/api/v1/tasks/import", content=content, headers=headers)

    assert refused.status_code == status
    assert words in refused.json()["detail"]
    assert await everything(ada) == []


async def test_a_task_has_one_due(ada: Person):
    content = b'[{"title": "Pay", "due_date": "2026-12-24", "due_at": "2026-12-24T10:00:00Z"}]'

    (error,) = (await bring(ada, content, "json")).json()["errors"]

    assert (error["row"], "one of them" in error["message"]) == (1, True)


async def test_a_file_brings_no_more_new_lists_than_are_allowed(ada: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_lists, "MAX_NEW_LISTS", 1)
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
