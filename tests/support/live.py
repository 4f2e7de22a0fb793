"""A real ``taskwell serve`` in a process of its own."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres import free_port, wait_until


@contextmanager
def serving(folder: Path, database_url: str, **environment: str) -> Iterator[str]:
    """The server's address, once it is ready; it is ended as an operator would end it.

    Args:
        folder: Where it runs; its log stays there.
    """
    port = free_port()
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    settings = {"DATABASE_URL": database_url, "PORT": str(port)} | environment
    with (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "taskwell", "serve"]
        server = subprocess.Popen(command, cwd=folder, env=known | settings, stdout=log, stderr=log)
        try:
            wait_until(lambda: _is_ready(port), seconds=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            assert server.wait(timeout=30) in {0, -15}, (folder / "serve.log").read_text()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
