"""The ``taskwell`` command, run as an operator runs it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KNOWN = {"PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH"}


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    complaint: str


def taskwell(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> Outcome:
    """Runs a command to its end, in a folder and with nothing set but these settings."""
    environment = {name: value for name, value in os.environ.items() if name in KNOWN}
    done = subprocess.run(
        [sys.executable, "-m", "taskwell", *arguments],
        cwd=folder,
        env=environment | settings,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
