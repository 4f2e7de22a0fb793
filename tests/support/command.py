"""The ``taskwell`` command, run as an operator runs it.

A process of its own for each command, forked from one that has imported everything already: starting Python and
importing Taskwell would take most of a second each time. ``Server`` starts the installed command itself.
"""

import multiprocessing
import multiprocessing.forkserver
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

KNOWN = {"PATH", "HOME", "LANG", "TMPDIR"}
MEASURED = "COVERAGE_PROCESS_CONFIG"

_processes = multiprocessing.get_context("forkserver")
_COMMANDS = ("backups", "doctor", "migrate", "openapi", "seed", "serve", "tokens", "users", "worker")
_processes.set_forkserver_preload(
    ["taskwell.cli.main", "taskwell.app", *(f"taskwell.cli.{each}" for each in _COMMANDS)]
)


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    complaint: str


def taskwell(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> Outcome:
    """Runs a command to its end, in a folder and with nothing set but these settings."""
    environment = {name: value for name, value in os.environ.items() if name in KNOWN} | measured()
    _start_unmeasured()
    with tempfile.TemporaryDirectory() as streams:
        given, output, complaint = (Path(streams, name) for name in ("in", "out", "err"))
        given.write_text(stdin)
        ends = (str(given), str(output), str(complaint))
        process = _processes.Process(target=_run, args=(str(folder), arguments, environment | settings, ends))
        process.start()
        process.join(60)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"'taskwell {' '.join(arguments)}' did not end: {complaint.read_text()}")
        return Outcome(process.exitcode, output.read_text(), complaint.read_text())


def measured() -> dict[str, str]:
    """What makes a process count in the coverage; nothing where none is measured.

    It starts a second later, and one that is killed does not count.
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

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, (path, mode) in enumerate(zip(ends, ("r", "w", "w"), strict=True)):
        with Path(path).open(mode) as end:
            os.dup2(end.fileno(), descriptor)
    sys.stdin = os.fdopen(0)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    sys.argv = ["taskwell", *arguments]
    if MEASURED in environment:
        import coverage

        coverage.process_startup()
    main()
