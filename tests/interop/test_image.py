"""The image: its Dockerfile's own steps, and a server from it that can write nothing but its data."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dockerfile import Stage, build, context_of
from tests.support.postgres import free_port, wait_until

ROOT = Path(__file__).parents[2]
STATE = "/var/lib/taskwell"
SECRET = "image-only-0123456789-abcdefghijklmnopqrstuvwxyz"
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] if os.geteuid() == 0 else []
"""Without its capabilities root, too, may write only where it says so."""


pytestmark = pytest.mark.skipif(
    os.environ.get("REQUIRE_INTEROP") != "1", reason="'make image' does it; it takes a processor for twenty seconds"
)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The last stage, read-only but for its volume."""
    folder = tmp_path_factory.mktemp("image")
    stage = build(ROOT / "deploy" / "Dockerfile", context_of(ROOT, folder / "context"), folder)
    shutil.rmtree(folder / "stage-1")
    _let_write(stage.root, yes=False)
    _let_write(stage.inside(STATE), yes=True)
    yield stage
    _let_write(stage.root, yes=True)


def _let_write(folder: Path, *, yes: bool) -> None:
    subprocess.run(["chmod", "-R", "u+w" if yes else "a-w", str(folder)], check=True)


def environment(image: Stage, **changes: str) -> dict[str, str]:
    return image.variables() | {"HOST": "127.0.0.1", "SECRET_KEY": SECRET, **changes}


def run(image: Stage, *command: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*POWERLESS, *command],
        cwd=image.inside("."),
        env=environment(image, **changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_holds_what_the_lock_file_says_and_no_tool_that_could_change_it(image: Stage):
    listed = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    held = json.loads(run(image, str(image.inside("/opt/taskwell/bin/python")), "-c", listed).stdout)
    locked = set(re.findall(r"^([\w.-]+)==([^ ]+)", (ROOT / "requirements" / "image.txt").read_text(), re.MULTILINE))

    assert held.pop("taskwell")
    assert {(_plain(name), version) for name, version in held.items()} <= locked
    assert {"opentelemetry-sdk", "sentry-sdk"} <= {_plain(name) for name in held}
    assert image.runs == 0, "nothing is made in the last stage, so nothing that makes is needed there"
    found = {path.name for path in image.root.rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    assert not found & {"uv", "pip", "pip3", "gcc", "cc", "make", "hatchling"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_it_serves_with_a_read_only_root(image: Stage):
    before = _files(image)
    assert run(image, "touch", str(image.inside("/opt/taskwell/mark"))).returncode != 0
    migrated = run(image, *image.command("ENTRYPOINT"), "migrate")
    assert migrated.returncode == 0, migrated.stderr

    port = str(free_port())
    command = [*POWERLESS, *image.command("ENTRYPOINT"), *image.command("CMD")]
    with subprocess.Popen(
        command, cwd=image.inside("."), env=environment(image, PORT=port), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            wait_until(lambda: _is_healthy(image, port), seconds=30)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
                assert answer.status == 200
        finally:
            server.terminate()
            log, _ = server.communicate(timeout=30)

    assert server.returncode == 0
    assert all(json.loads(line) for line in log.splitlines()), "one JSON object a line, as in production"
    assert _files(image) == before
    assert image.inside(f"{STATE}/taskwell.db").is_file()


def _is_healthy(image: Stage, port: str) -> bool:
    """By the image's own health check."""
    check = json.loads(image.declared["HEALTHCHECK"].partition(" CMD ")[2])
    return run(image, *check, PORT=port, ALLOWED_HOSTS="api.example.com").returncode == 0


def _files(image: Stage) -> dict[Path, int]:
    state = image.inside(STATE)
    return {path: path.lstat().st_mtime_ns for path in image.root.rglob("*") if not path.is_relative_to(state)}


def test_it_says_in_one_line_what_is_missing(image: Stage):
    refused = run(image, *image.command("ENTRYPOINT"), *image.command("CMD"), SECRET_KEY="")

    assert refused.returncode == 2
    assert "SECRET_KEY" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_it_is_nobody_and_gives_its_volume_to_nobody_else(image: Stage):
    owner = image.declared["USER"]

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", owner), "a number, which Kubernetes can see is not root"
    assert f"COPY --from=build --chown={owner} /state {STATE}" in (ROOT / "deploy" / "Dockerfile").read_text()
    assert json.loads(image.declared["VOLUME"]) == [STATE] == [image.folder]
