"""A real server process that tests may kill."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.command import KNOWN, Forked
from tests.support.postgres import free_port, wait_until

TASKWELL = Path(sys.executable).parent / "taskwell"
SECRET = "chaos-only-0123456789-abcdefghijklmnopqrstuvwxyz"
UNLIMITED = {"SECRET_KEY": SECRET, "RATE_LIMIT_PER_MINUTE": "0", "LOG_LEVEL": "WARNING"}
"""For those who send more than a person would, and know the key that the tokens are signed with."""


class Server:
    """``taskwell serve`` in a process group of its own, on a port that it keeps when it is started again.

    Attributes:
        command: What starts it, where that is not forked from a process that has imported everything.
    """

    def __init__(self, folder: Path, database_url: str, *, workers: int = 1, **environment: str) -> None:
        """Args:
        folder: Where it runs; its log stays there.
        environment: What is set beside ``UNLIMITED``.
        """
        self.command: list[str] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._folder = folder
        self.arguments = ("serve", "--port", str(self.port), "--workers", str(workers))
        known = {name: value for name, value in os.environ.items() if name in KNOWN}
        self.environment = known | UNLIMITED | {"DATABASE_URL": database_url} | environment
        self._process: Forked | subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> "Forked | subprocess.Popen[bytes]":
        assert self._process is not None, "the server was not started"
        return self._process

    def start(self, seconds: float = 30) -> None:
        """Starts it and waits until it is ready."""
        self._process = self._installed() if self.command else self._forked()
        wait_until(self.is_ready, seconds)

    def _forked(self) -> Forked:
        return Forked(self._folder, self.arguments, self.environment, (os.devnull, str(self.log), str(self.log)))

    def _installed(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self.command,
                cwd=self._folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        """As a power cut would: no process of it gets to do anything more."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 30) -> int:
        """As an operator would; gives the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)


def installed(folder: Path, database_url: str, **options: Any) -> Server:
    """A server that the installed command starts, which takes its second and a half."""
    server = Server(folder, database_url, **options)
    server.command = [str(TASKWELL), *server.arguments]
    return server


@contextmanager
def serving(folder: Path, database_url: str, **environment: str) -> Iterator[str]:
    """The address of a server as somebody has it who has just installed it."""
    server = Server(folder, database_url, workers=1, **environment)
    for name in UNLIMITED.keys() - environment.keys():
        del server.environment[name]
    server.start()
    try:
        yield server.url
    finally:
        assert server.stop() == 0, server.log.read_text()
