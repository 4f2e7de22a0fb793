"""v1: what other programs write as iCalendar."""

import random

import pytest

from tests.support.import_files import bring_content, bring_file, ignored, move, tasks_of
from tests.support.people import Person

FILE = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ada//EN\r\n"
    "BEGIN:VTODO\r\nSUMMARY:x\r\n{}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)


async def the_task(person: Person, *lines: str) -> dict:
    await bring_content(person, FILE.format("\r\n".join(lines)).encode())
    return (await tasks_of(person))["x"]


async def test_a_floating_time_is_the_users_and_an_unknown_zone_is_told(ada: Person):
    await move(ada, "Europe/Berlin")

    report = await bring_file(ada, "floating_times.ics")

    tasks = await tasks_of(ada)
    assert {task["due_at"] for task in tasks.values()} == {"2026-12-01T08:00:00Z"}
    assert {task["list"] for task in tasks.values()} == {"Workshop"}
    assert [each["example"] for each in report["ignored"]] == ["Nowhere/Island"]


async def test_lines_are_unfolded_as_bytes_and_then_read_strictly(ada: Person):
    report = await bring_file(ada, "encodings.ics")

    assert set(await tasks_of(ada)) == {"Küche", "Glühbirne"}
    (error,) = report["errors"]
    assert (error["row"], error["field"], "old" in error["message"]) == (1, "SUMMARY", True)


async def test_every_way_to_fold_gives_the_same_text(ada: Person):
    title = "Überweisung für Frau Łukasiewicz, 漢字 🥛"
    line = b"SUMMARY:" + title.replace(",", "\\,").encode()
    chance = random.Random(5545)
    folded = b"".join(line[at : at + 1] + chance.choice((b"", b"\r\n ", b"\n\t")) for at in range(len(line)))
    content = FILE.format("").encode().replace(b"SUMMARY:x\r\n", folded + b"\r\n")

    await bring_content(ada, content)

    assert set(await tasks_of(ada)) == {title}


async def test_two_calendars_in_one_file_are_both_read_and_every_todo_counts(ada: Person):
    report = await bring_file(ada, "two_calendars.ics")

    tasks = await tasks_of(ada)
    assert (report["imported"], report["skipped"], report["errors"]) == (2, 1, [])
    assert set(tasks) == {"Water the plants", "Feed the cat"}, "the series, not one occurrence of it"
    assert set(ignored(report)) == {"RRULE", "RECURRENCE-ID"}


async def test_what_a_calendar_has_no_place_for_is_told(ada: Person):
    report = await bring_file(ada, "no_place_for.ics")

    tasks = await tasks_of(ada)
    assert tasks["Give the lecture"]["due_at"] == "2026-12-01T10:30:00Z"
    assert tasks["Hire a hall"]["completed"] is True
    assert ignored(report) == dict.fromkeys(
        (
            *("LOCATION", "URL", "RELATED-TO", "PERCENT-COMPLETE", "VALARM", "VEVENT"),
            *("DTSTART (with its DURATION it is the due)", "STATUS:IN-PROCESS (the task is open)"),
            "STATUS:CANCELLED (the task is completed)",
        ),
        1,
    )


async def test_an_empty_property_is_left_out_and_a_missing_summary_is_told_with_its_uid(ada: Person):
    report = await bring_file(ada, "no_place_for.ics")

    task = (await tasks_of(ada))["Print the programme"]
    assert (task["completed"], task["due_date"], task["priority"], task["tags"]) == (False, None, "medium", [])
    assert report["errors"] == [{"row": 4, "field": "SUMMARY", "message": "SUMMARY is missing (UID nameless)."}]


@pytest.mark.parametrize(
    ("lines", "due_date", "due_at"),
    [
        (["DUE;VALUE=DATE:20261201"], "2026-12-01", None),
        (["DUE:20261201"], "2026-12-01", None),
        (["DUE:20261201T090000Z"], None, "2026-12-01T09:00:00Z"),
        (["DUE;TZID=Europe/Paris:20260701T090000"], None, "2026-07-01T07:00:00Z"),
        (["DUE;TZID=/example.org/2026/Europe/Paris:20260701T090000"], None, "2026-07-01T07:00:00Z"),
        (["DTSTART;VALUE=DATE:20261201", "DURATION:P2D"], "2026-12-03", None),
        (["DTSTART;TZID=Europe/Paris:20260328T090000", "DURATION:P1D"], None, "2026-03-29T07:00:00Z"),
        (["DTSTART:20261201T090000Z"], None, None),
    ],
)
async def test_a_due_is_a_day_or_an_instant(ada: Person, lines: list[str], due_date: str | None, due_at: str | None):
    task = await the_task(ada, *lines)

    assert (task["due_date"], task["due_at"]) == (due_date, due_at)


@pytest.mark.parametrize(
    ("number", "name"),
    [("0", "medium"), ("1", "urgent"), ("2", "high"), ("4", "high"), ("5", "medium"), ("6", "low"), ("9", "low")],
)
async def test_priorities_keep_their_order(ada: Person, number: str, name: str):
    assert (await the_task(ada, f"PRIORITY:{number}"))["priority"] == name


async def test_a_todo_without_an_end_is_told_and_spoils_no_other(ada: Person):
    content = FILE.format("BEGIN:VTODO\r\nSUMMARY:y").encode()

    report = await bring_content(ada, content)

    assert (report["imported"], [each["row"] for each in report["errors"]]) == (1, [1])
    assert set(await tasks_of(ada)) == {"y"}


async def test_a_uid_of_another_program_matches_again(ada: Person):
    content = FILE.format("UID:one@ada.example").encode()

    first, second = [await bring_content(ada, content) for _ in range(2)]

    assert (first["imported"], second["skipped"]) == (1, 1)


async def test_a_todo_that_a_cut_file_does_not_end_is_told_as_such(ada: Person):
    content = FILE.format("UID:whole").partition("END:VCALENDAR")[0] + "BEGIN:VTODO\r\nUID:half\r\nSUMMARY:Half\r\n"

    report = await bring_content(ada, content.encode())

    assert set(await tasks_of(ada)) == {"x"}
    assert report["errors"] == [{"row": 2, "field": "VTODO", "message": "VTODO has no END:VTODO (UID half)."}]
