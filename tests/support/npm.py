"""Packages of npm that the interop tests need, each folder's by its own lock file."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def install(folder: Path) -> None:
    """Installs them once; skips the test where that cannot be, unless REQUIRE_INTEROP=1."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _give_up("node and npm are not on PATH (Node 20 or newer)")
    lock, done = folder / "package-lock.json", folder / "node_modules" / ".taskwell-installed"
    with Path(tempfile.gettempdir(), f"taskwell-npm-{folder.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # for the other workers of this test run
        if done.is_file() and done.read_text() == lock.read_text():
            return
        ran = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            _give_up(f"npm could not install {folder.name}: {ran.stderr[-500:]}")
        done.write_text(lock.read_text())


def _give_up(reason: str) -> None:
    assert os.environ.get("REQUIRE_INTEROP") != "1", f"REQUIRE_INTEROP=1, and {reason}"
    pytest.skip(reason)
