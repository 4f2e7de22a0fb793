"""What a guide names exists: settings, commands and their options, targets, error codes, metrics and files."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from scripts import reference
from taskwell.api.failures import FAILURES
from taskwell.cli.main import command_line
from tests.test_docs import GUIDES, ROOT

READERS_OWN = {"NEXT_PUBLIC_TASKWELL_URL", "TASKWELL_URL", "USER_ID", "YOUR_IMAGE"}
"""Names that a guide makes up for its reader."""

_BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)


def code(guide: Path) -> list[str]:
    """What a guide sets as code: blocks and words."""
    text = guide.read_text()
    return _BLOCK.findall(text) + re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text))


def named(pattern: str) -> Iterator[tuple[str, str]]:
    """Every match in the guides' code, with the guide that has it."""
    for guide in GUIDES:
        for passage in code(guide):
            for found in re.findall(pattern, passage):
                yield found, str(guide.relative_to(ROOT))


def commands(command: Any, name: str) -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    return {name: command} | {
        full: each for word in inner for full, each in commands(inner[word], f"{name} {word}").items()
    }


COMMANDS = commands(typer.main.get_command(command_line()), "taskwell")


def test_every_setting_that_a_guide_names_is_one():
    others = [ROOT / "Makefile", *(ROOT / "deploy").rglob("*"), *(ROOT / "benchmarks").rglob("*.py")]
    elsewhere = "".join(path.read_text() for path in others if path.is_file())
    known = {name.upper() for name in reference.known_settings()} | READERS_OWN

    unknown = {
        (name, guide)
        for name, guide in named(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b")
        if name not in known and not name.startswith("OTEL_") and name not in elsewhere
    }

    assert unknown == set()


def test_every_command_that_a_guide_names_is_one():
    for line, guide in named(r"(?<![-./\w])(?<!-n )(?<!exec )taskwell (?!taskwell)[a-z][^\n|&;]*"):
        words = line.split()
        depth = 3 if words[1] in {"users", "token"} and len(words) > 2 else 2
        command = COMMANDS.get(" ".join(words[:depth]))
        assert command is not None, f"{guide}: {line}"
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options | {"--help"}, line


def test_every_target_that_a_guide_names_is_one():
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {name for name, _ in named(r"\bmake ([a-z][a-z-]+)")} <= targets


def test_every_error_code_that_a_guide_names_is_one():
    told = {code for guide in GUIDES for code in re.findall(r"\b[45]\d\d `([a-z_]+)`", guide.read_text())}

    assert told
    assert told <= set(FAILURES)


def test_every_metric_that_a_guide_names_is_counted():
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))

    assert {name for name, _ in named(r"\btaskwell_[a-z_]+[a-z]") if name not in source} == set()


def test_every_file_that_a_guide_names_is_there():
    """Those that a command writes for its reader, such as ``benchmarks/results``, may not be there yet."""
    folders = "tests|src|docs|scripts|examples|benchmarks(?!/results)|requirements|openapi|postman|deploy"
    missing = {
        (path, guide)
        for path, guide in named(rf"(?<![\w./-])((?:{folders})/[\w./-]*\w)")
        if not any((ROOT / f"{path}{made}").exists() for made in ("", ".example"))
    }

    assert missing == set()


def commands_of(guide: Path) -> str:
    """What a guide has its reader type: in blocks, after a prompt, and in the tables of commands."""
    text = guide.read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    typed = re.findall(r"^\$ (.*)$", "".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL)), re.MULTILINE)
    tabled = re.findall(r"^\| [^|`]+ \| `([^`]+)` \|$", text, re.MULTILINE) if "| Step | Command |" in text else []
    return "\n".join([*blocks, *typed, *tabled])


def test_a_shell_understands_every_command_that_a_guide_prints():
    typed = "\n".join(map(commands_of, GUIDES))

    judged = subprocess.run(["bash", "-n"], input=typed, capture_output=True, text=True, check=False)

    assert (judged.returncode, judged.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_every_command_shows_an_example(name: str):
    command = COMMANDS[name]

    assert command.help
    assert hasattr(command, "commands") or "Example: " in " ".join(command.help.split()), name
