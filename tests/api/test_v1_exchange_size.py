"""v1: files that are too large, in whichever way, are refused before they cost much."""

import threading
import time
import tracemalloc
from contextlib import suppress

import pytest

from taskwell.errors import AppError
from taskwell.tasks.exchange import read_file
from taskwell.tasks.exchange.record import Row
from tests.api.test_v1_exchange import bring, everything
from tests.support.people import Person

TOO_MANY = ("rows", "A file may hold 10000 tasks; split it.", "too_many_rows")


async def reason(person: Person, content: bytes, kind: str, **params: str) -> tuple[str, str, str]:
    refused = await bring(person, content, kind, **params)
    assert refused.status_code == 422, refused.text
    (error,) = refused.json()["errors"]
    return error["field"], error["message"], error["type"]


@pytest.mark.parametrize(("columns", "status"), [(100, 200), (101, 400)])
async def test_a_file_may_name_a_hundred_columns(ada: Person, columns: int, status: int):
    answer = await bring(ada, b"title" + b",x" * (columns - 1) + b"\r\nBuy milk\r\n", "csv")

    assert answer.status_code == status
    if status == 400:
        assert answer.json()["detail"] == "The file's first line may name 100 columns at most."


def test_short_lines_under_a_long_header_take_no_more_memory_than_what_they_say():
    header = b"title," + b",".join(b"column %d" % number for number in range(99))
    content = header + b"\r\n" + b"Buy milk\r\n" * 5_000

    tracemalloc.start()
    try:
        found = read_file(content, time_zone="UTC")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(found.tasks) == 5_000
    assert peak < 5_000 * 2_500, "bytes; a hundred empty cells would be five thousand for each line"


@pytest.mark.parametrize(
    ("content", "kind", "params"),
    [
        (b"title\r\n" + b"x\r\n" * 10_001 + b'"open', "csv", {}),
        (b"TYPE,CONTENT\r\n" + b"task,x\r\n" * 10_002 + b'"open', "csv", {"format": "todoist"}),
        (b"[" + b'{"title":"x"},' * 10_000 + b'{"title":"x"}]', "json", {}),
        (b"BEGIN:VCALENDAR\r\n" + b"begin:vtodo\r\n" * 10_001, "ics", {}),
    ],
    ids=["csv", "todoist", "json", "ics"],
)
async def test_nothing_is_read_beyond_ten_thousand_tasks(ada: Person, content: bytes, kind: str, params: dict):
    """What comes after them is broken; nobody looks."""
    assert await reason(ada, content, kind, **params) == TOO_MANY
    assert await everything(ada) == []


async def test_a_calendar_of_too_many_lines_is_refused_before_it_is_read(ada: Person):
    content = b"BEGIN:VCALENDAR\r\n" + b"NO LINE OF A CALENDAR\r\n" * 200_001

    assert await reason(ada, content, "ics") == (
        "rows",
        "A calendar may hold 200000 lines; split it.",
        "too_many_lines",
    )


async def test_a_long_text_that_is_folded_is_one_line_of_a_calendar(ada: Person):
    todo = b"BEGIN:VTODO\r\nSUMMARY:Fine\r\nX-LOGO:a\r\n" + b" b\r\n" * 200_001 + b"END:VTODO\r\n"

    report = await bring(ada, b"BEGIN:VCALENDAR\r\n" + todo + b"END:VCALENDAR\r\n", "ics", dry_run=True)

    assert report.json()["imported"] == 1


async def test_rows_are_judged_beside_the_event_loop(ada: Person, monkeypatch: pytest.MonkeyPatch):
    threads = set()
    judge = Row.record

    def watched(row: Row):
        threads.add(threading.current_thread())
        return judge(row)

    monkeypatch.setattr(Row, "record", watched)

    assert (await bring(ada, b"title\r\nBuy milk\r\n", "csv")).status_code == 200
    assert threads
    assert threading.main_thread() not in threads


async def test_notes_are_added_to_their_task_at_its_end(ada: Person):
    """One after the other, two hundred thousand would be copied for minutes."""
    content = b"TYPE,CONTENT\r\nnote,Nobody's\r\ntask,Oven\r\n" + b"note,x\r\n" * 200_000

    refused = await bring(ada, content, "csv", format="todoist")

    assert [(each["row"], each["field"]) for each in refused.json()["errors"]] == [(1, "description")]


@pytest.mark.parametrize(
    "content",
    [
        b"BEGIN:VCALENDAR\n" + b"BEGIN:A\n" * 100_000 + b"END:B\n" * 99_000,
        b"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:x\nA;" + b"B=c;" * 1_000_000 + b"\nEND:VTODO\n",
        b"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:x\nCATEGORIES:" + b"\\," * 1_000_000 + b"\nEND:VTODO\n",
        b"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:x\n" + b"".join(b"X-%d:a\n" % n for n in range(100_000)),
        b"a b c\n" * 1_000_000,
        b";" * 8_000_000,
    ],
    ids=["components", "parameters", "value", "properties", "lines", "columns"],
)
def test_no_file_takes_longer_to_read_than_one_of_the_most_tasks(content: bytes):
    began = time.process_time()
    with suppress(AppError):
        read_file(content, time_zone="UTC")

    assert time.process_time() - began < 10, "seconds; ten thousand tasks take some"
