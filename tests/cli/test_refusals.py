"""What keeps Taskwell from starting is one line that names the setting, and an exit code; never a traceback."""

import asyncio
import errno
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import typer

from taskwell.cli import errors
from taskwell.database.sqlite import translated_errors
from taskwell.errors import Unavailable
from tests.conftest import SECRET, SERVER_URL, new_postgres_database
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


def test_an_env_file_that_cannot_be_read_is_told(tmp_path: Path):
    (tmp_path / ".env").symlink_to("/proc/self/mem")  # a file that not even its owner can read from its beginning

    assert_refused(taskwell(tmp_path, "serve"), 2, ".env cannot be read: Input/output error")


def test_what_fails_under_settings_that_are_wrong_is_one_line_too(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "abc")
    app = typer.Typer()

    @app.command()
    def print_it() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "openapi.json")

    monkeypatch.setattr("sys.argv", ["taskwell"])
    with pytest.raises(SystemExit) as ended:
        errors.run(app)

    assert (ended.value.code, capsys.readouterr().err) == (1, "taskwell: openapi.json: No space left on device.\n")


def test_a_schema_from_before_the_first_release_is_refused(tmp_path: Path):
    assert taskwell(tmp_path, "migrate", **PRODUCTION).code == 0
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0012'")

    for command in ("serve", "migrate"):
        assert_refused(taskwell(tmp_path, command, **PRODUCTION), 1, "is at 0012", "before the first release")


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


def test_whoever_works_at_the_command_line_hears_what_the_database_said():
    with pytest.raises(Unavailable) as refused, translated_errors():
        raise sqlite_error("file is not a database", sqlite3.SQLITE_NOTADB)

    sentence = "The database cannot be used; try again shortly (file is not a database)."
    assert errors._sentence(refused.value) == sentence


def sqlite_error(words: str, code: int) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(words)
    error.sqlite_errorcode = code
    return error


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


def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path):
    assert_refused(taskwell(tmp_path, "restore", "missing.backup"), 1, "missing.backup: No such file or directory.")
    assert_refused(taskwell(tmp_path, "restore", "."), 1, ".: Is a directory.")


def test_a_backup_that_cannot_be_written_is_told_by_its_name(tmp_path: Path):
    assert taskwell(tmp_path, "migrate").code == 0

    outcome = taskwell(tmp_path, "backup", "nowhere/x.backup")

    assert_refused(outcome, 1, "nowhere/x.backup: No such file or directory.")


def test_a_damaged_backup_is_told(tmp_path: Path):
    (tmp_path / "diary.backup").write_text("Dear diary")

    assert_refused(taskwell(tmp_path, "restore", "diary.backup"), 1, "diary.backup is damaged")


def test_a_database_file_that_cannot_be_opened_is_told(tmp_path: Path):
    outcome = taskwell(tmp_path, "migrate", DATABASE_URL=f"sqlite:///{tmp_path}")

    assert_refused(outcome, 1, f"DATABASE_URL names {tmp_path}, which cannot be used: unable to open database file")


def test_what_a_database_refuses_to_do_is_told_in_its_own_words(tmp_path: Path):
    url = os.environ[SERVER_URL].rsplit("/", 1)[0] + "/postgres?default_transaction_read_only=on"
    with closing(sqlite3.connect(tmp_path / "taskwell.db")) as database:
        database.execute("CREATE TABLE users (name)")

    assert_refused(taskwell(tmp_path, "migrate"), 1, "DATABASE_URL", "table users already exists")
    assert_refused(taskwell(tmp_path, "migrate", DATABASE_URL=url), 1, "DATABASE_URL", "read-only transaction")


def test_a_command_line_that_is_wrong_is_told(tmp_path: Path):
    assert_refused(taskwell(tmp_path, "sevre"), 2, "No such command 'sevre'", "'serve'", "see 'taskwell --help'.")
    assert_refused(taskwell(tmp_path, "serve", "--port", "99999"), 2, "--port", "see 'taskwell serve --help'.")
    assert_refused(taskwell(tmp_path, "users", "events", "--since", "soon"), 2, "'soon' is not a day")
    assert_refused(taskwell(tmp_path, "users", "disable"), 2, "'who'")


def test_a_question_that_nobody_answers_stops_the_command(tmp_path: Path):
    outcome = taskwell(tmp_path, "users", "delete", "ada@example.com")

    assert (outcome.code, outcome.complaint.splitlines()[-1]) == (1, "taskwell: stopped; nothing was done.")


def test_what_only_a_serving_process_finds_out_is_told(tmp_path: Path):
    outcome = taskwell(tmp_path, "serve", "--port", "0", REDIS_URL="redis://127.0.0.1/?socket_timeout=soon")

    assert outcome.code == 1
    assert "REDIS_URL cannot be used" in outcome.output + outcome.complaint
    assert "Traceback" not in outcome.output + outcome.complaint


async def test_processes_of_which_none_can_start_are_not_started_for_ever(tmp_path: Path):
    async with new_postgres_database("taskwell_refusals") as url:
        outcome = await asyncio.to_thread(
            taskwell,
            tmp_path,
            "serve",
            "--port",
            "0",
            "--workers",
            "2",
            DATABASE_URL=url,
            SENTRY_DSN="http://nonsense",
        )

    assert outcome.code == 1
    assert "taskwell: SENTRY_DSN cannot be used" in outcome.complaint
    assert "Traceback" not in outcome.output + outcome.complaint
