"""What an operator reads: one shape, one line a request, one traceback an error, and no secret in any of it."""

import asyncio
import json
import logging
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from taskwell.api.gateway import Gateway
from taskwell.database import Database
from taskwell.database.watch import StatementWatch
from taskwell.observability import logs
from taskwell.settings import Settings
from tests.conftest import SECRET
from tests.support.command import measured, taskwell
from tests.support.counted import counted
from tests.support.load import Connection, signed_up
from tests.support.people import PASSWORD, Person
from tests.support.server import Server

EXAMPLE = Path(__file__).parents[1] / ".env.example"
REDIS = "redis://:hunter-redis@127.0.0.1:1/0"


@pytest.fixture
def configured(capfd) -> Iterator[Any]:
    """Configures the logs for one test; gives what was written since, a line each."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def configure(**changes: object) -> Any:
        given: dict[str, Any] = {"log_format": "json", "secret_key": SECRET} | changes
        logs.configure(Settings(_env_file=None, **given))
        capfd.readouterr()
        return lambda: capfd.readouterr().out.splitlines()  # noqa: PLW0108  # reads when it is called

    yield configure
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_time_level_and_event(configured):
    written = configured()
    structlog.get_logger("test").warning("it happened", count=3, what="naïve\nlines")

    (line,) = written()
    event = json.loads(line)
    assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
    assert (event["level"], event["event"], event["what"]) == ("warning", "it happened", "naïve\nlines")


def test_other_libraries_write_in_the_same_shape(configured):
    written = configured()
    logging.getLogger("uvicorn.error").error("Exception in %s", "ASGI application")
    logging.getLogger("uvicorn.error").info("not worth a line")

    (line,) = written()
    assert json.loads(line) | {"timestamp": ""} == {
        "timestamp": "",
        "level": "error",
        "event": "Exception in ASGI application",
    }


@pytest.mark.parametrize("kind", ["json", "console"])
def test_a_traceback_is_written_once_and_without_the_values_of_variables(configured, kind: str):
    written = configured(log_format=kind)
    before = counted("taskwell_unexpected_errors_total")
    password = "pass" + "word-in-a-variable"
    try:
        raise ValueError(len(password))
    except ValueError:
        structlog.get_logger("test").exception("unexpected error")

    text = "\n".join(written())
    assert text.count("Traceback") == 1
    assert text.count("unexpected error") == 1
    assert password not in text
    assert counted("taskwell_unexpected_errors_total") == before + 1


def test_the_level_keeps_quiet_what_is_below_it(configured):
    written = configured(log_level="WARNING")
    structlog.get_logger("test").info("nothing")

    assert written() == []


def test_a_log_that_cannot_be_written_stops_nobody(configured, monkeypatch):
    configured()
    monkeypatch.setattr(logs, "STDOUT", -1)

    structlog.get_logger("test").warning("nobody hears this")


def test_settings_are_shown_without_their_secrets():
    settings = Settings(
        _env_file=None,
        environment="production",
        secret_key=SECRET,
        database_url="postgresql://ada:hunter-url@db/taskwell?password=hunter-query&sslmode=require",
        redis_url=REDIS,
        smtp_password="hunter-smtp",
        metrics_token="hunter-metrics",
        sentry_dsn="https://hunter-sentry@example.com/1",
        better_auth_secret="hunter-better-auth-0123456789-abcdef",
    )

    shown = logs.effective(settings)

    assert set(shown) == set(Settings.model_fields)
    text = json.dumps(shown, default=str)
    assert "hunter" not in text
    assert SECRET not in text
    assert shown["database_url"] == "postgresql://ada:***@db/taskwell?password=***&sslmode=require"


def test_a_terminal_shows_the_settings_that_are_not_as_by_default(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLE, tmp_path / ".env")

    assert logs.effective(Settings(port=8001, secret_key=SecretStr(SECRET))) == {
        "port": 8001,
        "secret_key": "***",
        "database_url": "sqlite:///taskwell.db",
    }


async def test_a_slow_statement_is_logged_without_its_values(
    app: Gateway, ada: Person, database: Database, monkeypatch
):
    watch = StatementWatch(database.name, 0.000_001)
    monkeypatch.setattr(database, "_watch", watch)
    with structlog.testing.capture_logs() as lines:
        await ada.http.post("/api/v1/tasks", json={"title": "A very private title"})
        await ada.http.get("/api/v1/tasks?q=private")

    slow = [line for line in lines if line["event"] == "slow query"]
    assert any("INSERT INTO tasks" in line["statement"] for line in slow)
    assert all(line["log_level"] == "warning" and line["milliseconds"] >= 0 for line in slow)
    assert "private" not in str(slow)


def test_a_statement_is_not_slow_where_that_is_switched_off():
    assert StatementWatch("sqlite", 0)._slow_seconds == float("inf")


async def test_a_server_in_production_writes_json_and_nothing_else(tmp_path: Path):
    environment: dict[str, Any] = {"ENVIRONMENT": "production", "LOG_LEVEL": "INFO", "SMTP_PASSWORD": "hunter-smtp"}
    environment |= {"SLOW_QUERY_MILLISECONDS": "0.001", "REDIS_URL": REDIS}
    url = f"sqlite:///{tmp_path}/taskwell.db"
    server = Server(tmp_path, url, **environment)
    server.environment |= measured()
    assert (await asyncio.to_thread(taskwell, tmp_path, "migrate", **server.environment)).code == 0
    await asyncio.to_thread(server.start)
    token = await signed_up(server.port, "ada")
    connection = await Connection.open(server.port)
    made = await connection.ask("POST", "/api/v1/tasks", token, {"title": "A very private title"})
    connection.writer.write(b"nonsense\r\n\r\n")
    await connection.reader.read()
    connection.writer.close()
    assert await asyncio.to_thread(server.stop) == 0

    text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    for secret in ("hunter", "very private", token, PASSWORD, "engine 1843", "chaos-only"):
        assert secret not in text
    first = lines[0]
    assert (first["event"], first["workers"], first["settings"]["environment"]) == ("starting", 1, "production")
    assert (first["settings"]["secret_key"], first["settings"]["smtp_password"]) == ("***", "***")
    (request,) = [line for line in lines if line["event"] == "request" and line["route"] == "/api/v1/tasks"]
    assert (request["method"], request["status"]) == ("POST", 201)
    assert request["user_id"] == json.loads(made.body)["user_id"]
    assert request["request_id"] == made.headers["x-request-id"]
    slow = [
        line for line in lines if line["event"] == "slow query" and line.get("request_id") == request["request_id"]
    ]
    assert any("INSERT INTO tasks" in line["statement"] for line in slow)
    assert "Invalid HTTP request received." in {line["event"] for line in lines}
    assert lines[-1]["event"] == "stopped"
