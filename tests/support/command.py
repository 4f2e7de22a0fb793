"""The ``taskwell`` command, run as an operator runs it.

A process of its own for each command, forked from one that has imported everything already: starting Python and
importing Taskwell would take more than a second each time. Passwords are hashed as quickly as in all tests. What
has to be the installed command is started by ``tests/support/server.py``.
"""

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.process
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

KNOWN = {"PATH", "HOME", "LANG", "TMPDIR"}
MEASURED = "COVERAGE_PROCESS_CONFIG"

_processes = multiprocessing.get_context("forkserver")
_COMMANDS = ("backups", "doctor", "migrate", "openapi", "seed", "serve", "tokens", "users", "worker")
_processes.set_forkserver_preload(
    [
        "alembic.command",
        "alembic.autogenerate",
        "uvloop",
        "uvicorn.lifespan.on",
        "uvicorn.protocols.http.httptools_impl",
        "uvicorn.protocols.websockets.auto",
        "tests.support.hashing",
        "taskwell.cli.main",
        "taskwell.app",
        *(f"taskwell.cli.{each}" for each in _COMMANDS),
    ]
)
_ONE_AT_A_TIME = threading.Lock()
"""Whoever starts a process also looks after all the others, and an exit code can be read once."""


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    complaint: str


class Forked:
    """A command in a process group of its own; what ``subprocess.Popen`` can and the tests need."""

    def __init__(
        self, folder: Path, arguments: tuple[str, ...], environment: dict[str, str], ends: tuple[str, str, str]
    ) -> None:
        """Args:
        ends: Files: one to read from as standard input, and those that output and complaints are added to.
        """
        self._process: BaseProcess = _processes.Process(target=_run, args=(str(folder), arguments, environment, ends))
        with _ONE_AT_A_TIME:
            _start_unmeasured()
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with _ONE_AT_A_TIME:
            return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        connection.wait([self._process.sentinel], seconds)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("taskwell", seconds or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def taskwell(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> Outcome:
    """Runs a command to its end, in a folder and with nothing set but these settings."""
    environment = {name: value for name, value in os.environ.items() if name in KNOWN} | measured()
    with tempfile.TemporaryDirectory() as streams:
        given, output, complaint = (Path(streams, name) for name in ("in", "out", "err"))
        given.write_text(stdin)
        process = Forked(folder, arguments, environment | settings, (str(given), str(output), str(complaint)))
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise TimeoutError(f"'taskwell {' '.join(arguments)}' did not end: {complaint.read_text()}") from None
        return Outcome(code, output.read_text(), complaint.read_text())


def measured() -> dict[str, str]:
    """What makes a process count in the coverage; nothing where none is measured.

    It starts a moment later, and one that is killed does not count.
    """
    return {MEASURED: os.environ[MEASURED]} if MEASURED in os.environ else {}


def _start_unmeasured() -> None:
    """Starts what commands are forked from; its own figures would come after the others were added up."""
    given = measured()
    for name in given:
        del os.environ[name]
    multiprocessing.forkserver.ensure_running()
    os.environ.update(given)


def _run(folder: str, arguments: tuple[str, ...], environment: dict[str, str], ends: tuple[str, str, str]) -> None:
    from taskwell.cli import main
    from tests.support import hashing

    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, (path, mode) in enumerate(zip(ends, ("r", "a", "a"), strict=True)):
        with Path(path).open(mode) as end:
            os.dup2(end.fileno(), descriptor)
    sys.stdin = os.fdopen(0)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    sys.argv = ["taskwell", *arguments]
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined]  # as for a command that a shell starts
    hashing.make_quick()
    if MEASURED in environment:
        import coverage

        coverage.process_startup()
    main()
