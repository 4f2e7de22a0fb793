"""What keeps Taskwell from starting is one line that names the setting, and an exit code; never a traceback."""

import os
import socket
from pathlib import Path

from tests.conftest import SECRET, SERVER_URL
from tests.support.command import Outcome, taskwell

PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": SECRET}


def assert_refused(outcome: Outcome, code: int, *words: str) -> None:
    assert outcome.code == code, outcome
    (line,) = outcome.complaint.splitlines()
    assert line.startswith("taskwell: ")
    for word in words:
        assert word in line
    assert SECRET not in line


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path):
    assert_refused(taskwell(tmp_path, "serve", ENVIRONMENT="production"), 2, "SECRET_KEY is missing")
    assert list(tmp_path.iterdir()) == []


def test_a_bad_env_file_is_told(tmp_path: Path):
    (tmp_path / ".env").write_text("PORT=abc\nDEBUG=perhaps\n")

    assert_refused(taskwell(tmp_path, "serve"), 2, "PORT", "DEBUG")


def test_production_refuses_an_old_schema(tmp_path: Path):
    assert taskwell(tmp_path, "migrate", "0001", **PRODUCTION).code == 0

    assert_refused(taskwell(tmp_path, "serve", **PRODUCTION), 1, "is at 0001", "taskwell migrate")


def test_a_port_that_is_taken_is_told(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        assert_refused(taskwell(tmp_path, "serve", "--port", port), 2, "PORT", port, "in use")


def test_an_address_that_is_not_ours_is_told(tmp_path: Path):
    assert_refused(taskwell(tmp_path, "serve", HOST="203.0.113.5"), 2, "HOST 203.0.113.5")


def test_sqlite_takes_one_process(tmp_path: Path):
    assert_refused(taskwell(tmp_path, "serve", "--workers", "2"), 2, "--workers", "DATABASE_URL")


def test_a_file_that_is_not_a_database_is_told(tmp_path: Path):
    (tmp_path / "taskwell.db").write_text("Dear diary" * 1000)

    assert_refused(taskwell(tmp_path, "serve"), 1, "DATABASE_URL", "taskwell.db")
    assert (tmp_path / "taskwell.db").read_text().startswith("Dear diary")


def test_an_unreachable_database_is_told(tmp_path: Path):
    url = "postgresql://ada:secret@127.0.0.1:1/taskwell"

    outcome = taskwell(tmp_path, "serve", DATABASE_URL=url, DATABASE_WAIT_SECONDS="0")

    assert_refused(outcome, 1, "DATABASE_URL", "127.0.0.1:1", "cannot be reached")
    assert "secret" not in outcome.complaint


def test_a_missing_database_is_told(tmp_path: Path):
    url = os.environ[SERVER_URL].rsplit("/", 1)[0] + "/nowhere"

    assert_refused(taskwell(tmp_path, "serve", DATABASE_URL=url), 2, "DATABASE_URL", "nowhere")


def test_with_debug_a_traceback_is_shown(tmp_path: Path):
    outcome = taskwell(tmp_path, "serve", DEBUG="true", DATABASE_URL=f"sqlite:///{tmp_path}")

    assert outcome.code != 0
    assert "Traceback" in outcome.complaint
