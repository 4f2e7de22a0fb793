"""The OpenAPI documents, as a linter and three generators of clients read them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from taskwell.app import create_contracts
from tests.support import npm
from tests.support.server import serving

GENERATORS = Path(__file__).parent / "generators"
TSC = ("tsc", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck")
PYTHON_GENERATOR = "openapi-python-client==0.29.1"
UV = Path(sys.executable).parent / "uv"
SEEN = {
    "made": "Buy milk",
    "pages": ["Buy tea", "Buy milk"],
    "toggled": True,
    "bulk": [200, 201],
    "problem": ["validation_failed", "title"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The programs, the packages of npm, and the document of v1, in a folder of their own."""
    npm.install(GENERATORS)
    shutil.copytree(GENERATORS, tmp_path, ignore=shutil.ignore_patterns("node_modules"), dirs_exist_ok=True)
    (tmp_path / "node_modules").symlink_to(GENERATORS / "node_modules")
    (tmp_path / "v1.json").write_text(json.dumps(create_contracts()["v1"].app.openapi()))
    return tmp_path


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server, and a token."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, f"sqlite:///{folder}/taskwell.db") as address:
        ada = {"email": "ada@example.com", "password": "engine 1843", "name": "Ada"}
        yield address, httpx2.post(f"{address}/api/v1/auth/signup", json=ada).json()["access_token"]


def run(folder: Path, *command: str) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def npx(folder: Path, *command: str) -> str:
    return run(folder, str(folder / "node_modules" / ".bin" / command[0]), *command[1:])


@pytest.mark.parametrize("name", create_contracts())
def test_a_linter_finds_no_error_in_a_document(folder: Path, name: str):
    (folder / "document.json").write_text(json.dumps(create_contracts()[name].app.openapi()))

    npx(folder, "redocly", "lint", "document.json")


def test_a_client_by_openapi_typescript_compiles_and_works(folder: Path, server: tuple[str, str]):
    npx(folder, "openapi-typescript", "v1.json", "-o", "v1.ts")
    npx(folder, *TSC, "by_openapi_typescript.ts")

    assert json.loads(run(folder, "node", "by_openapi_typescript.js", *server)) == SEEN


def test_a_client_by_hey_api_compiles_and_works(folder: Path, server: tuple[str, str]):
    npx(folder, "openapi-ts")
    npx(folder, *TSC, "by_hey_api.ts")

    assert json.loads(run(folder, "node", "by_hey_api.js", *server)) == SEEN


def test_a_client_by_openapi_python_client_works(folder: Path, server: tuple[str, str]):
    generator = (str(UV), "tool", "run", "--from", PYTHON_GENERATOR, "openapi-python-client")
    run(folder, *generator, "generate", "--path", "v1.json", "--output-path", "client")
    program = (str(UV), "run", "--no-project", "--with", "./client", "python", "by_openapi_python_client.py")

    assert json.loads(run(folder, *program, *server)) == SEEN
