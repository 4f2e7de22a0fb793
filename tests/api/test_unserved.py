"""Why the database cannot be used: told to the operator, once and without anybody's values, and not to the caller."""

from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import structlog
from asyncpg.exceptions._base import DataError
from sqlalchemy.engine import make_url

from taskwell import worker
from taskwell.app import create_app
from taskwell.errors import Unavailable
from taskwell.observability import logs
from tests.conftest import running, settings_of
from tests.support.people import arrive


@pytest.fixture(autouse=True)
def _nothing_told_yet(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "_told_at", {})
    for module, name in ((logs, "log"), (worker, "log")):
        monkeypatch.setattr(module, name, structlog.get_logger())  # one that no other test has configured


@asynccontextmanager
async def unusable(url: str):
    """The database's file is overwritten, or its server knows it by another name."""
    name = make_url(url).database or ""
    if url.startswith("sqlite"):
        for path in Path(name).parent.glob(Path(name).name + "*"):
            path.write_bytes(b"Dear diary" * 10_000)
        yield "DatabaseError: file is not a database"
        return
    admin = await asyncpg.connect(url.rsplit("/", 1)[0] + "/postgres")
    try:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await admin.execute(f'ALTER DATABASE "{name}" RENAME TO "{name}_away"')
        yield f'InvalidCatalogNameError: database "{name}" does not exist'
        await admin.execute(f'ALTER DATABASE "{name}_away" RENAME TO "{name}"')
    finally:
        await admin.close()


async def test_the_log_says_what_the_database_said_and_the_caller_hears_only_that_it_cannot_be_used(empty_url: str):
    async with running(create_app(settings_of(empty_url))) as app:
        ada = await arrive(app, "ada")
        await ada.http.get("/api/v1/tasks")
        async with unusable(empty_url) as cause:
            with structlog.testing.capture_logs() as lines:
                answers = [await ada.http.get("/api/v1/tasks") for _ in range(5)]
                assert (await ada.http.get("/health/ready")).status_code == 503

    assert {answer.status_code for answer in answers} == {503}
    detail = answers[0].json()["detail"]
    assert detail.startswith("The database cannot be ")
    told = [line for line in lines if line["event"] == "not served"]
    assert told == [{"event": "not served", "log_level": "warning", "reason": detail, "cause": cause}]


async def test_a_probe_tells_where_nobody_else_asks(empty_url: str):
    async with running(create_app(settings_of(empty_url))) as app:
        ada = await arrive(app, "ada")
        async with unusable(empty_url) as cause:
            with structlog.testing.capture_logs() as lines:
                await ada.http.get("/health/ready")

    assert [line["cause"] for line in lines if line["event"] == "not served"] == [cause]


async def test_the_worker_says_what_the_database_said():
    async def lost() -> None:
        raise Unavailable("The database cannot be reached.") from ConnectionRefusedError("[Errno 111] refused")

    with structlog.testing.capture_logs() as lines:
        await worker._logged(lost())

    assert [line["cause"] for line in lines] == ["ConnectionRefusedError: [Errno 111] refused"]


def from_the_server(**fields: str) -> Exception:
    return asyncpg.PostgresError.new({"C": "53100", "S": "ERROR"} | fields)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (DataError("invalid input for query argument $1: 'A very private title'"), "DataError"),
        (UnicodeEncodeError("utf-8", "private \ud800", 8, 9, "surrogates not allowed"), "UnicodeEncodeError"),
        (from_the_server(M="no room", D="Key (title)=(private)."), "DiskFullError: no room"),
        (OSError("x" * 500), "OSError: " + "x" * 200),
        (TimeoutError(), "TimeoutError"),
        (None, None),
    ],
)
def test_of_what_was_said_no_value_is_told(cause: Exception | None, told: str | None):
    error = Unavailable("The database cannot be used.")
    error.__cause__ = cause

    assert logs.cause_of(error) == told
