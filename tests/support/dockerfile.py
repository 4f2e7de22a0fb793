"""A Dockerfile's own steps, done in a folder with this Python where there is no engine that would do them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_IN_THE_IMAGE = re.compile(r"/(?=(?:build|opt|state|tools|var)(?:[/:\s\"']|$))")
_FLAG = re.compile(r"--(\w+)=(\S+)\s+")
IGNORED = {"ARG", "EXPOSE", "STOPSIGNAL", "LABEL"}


@dataclass
class Stage:
    """What a stage has become; of the last one, what it would run.

    Attributes:
        root: The folder that is ``/`` there.
        runs: How many commands made it.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    runs: int = 0
    declared: dict[str, str] = field(default_factory=dict)

    def inside(self, path: str) -> Path:
        """Where a path of the image lies on this machine."""
        return self.root / str(Path(self.folder) / path).lstrip("/")

    def mapped(self, text: str) -> str:
        """The text with each absolute path of the image as the one on this machine."""
        return _IN_THE_IMAGE.sub(lambda _: f"{self.root}/", text)

    def variables(self) -> dict[str, str]:
        """The environment of a process in it."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        inside = {name: self.mapped(value).replace("$PATH", path) for name, value in self.environment.items()}
        return outside | {"PATH": path} | inside

    def command(self, name: str) -> list[str]:
        """ENTRYPOINT or CMD, as the JSON array that it has to be: a shell would swallow the signals."""
        return [self.mapped(word) for word in json.loads(self.declared[name])]


def build(dockerfile: Path, context: Path, folder: Path) -> Stage:
    """Does the steps of every stage; the last one is then alone at ``folder/image``."""
    image = folder / "image"
    done: dict[str, Stage] = {}
    stage = Stage(image)
    for instruction, rest in _instructions(dockerfile.read_text()):
        if instruction == "FROM":
            if image.exists():
                image.rename(folder / f"stage-{len(done)}")
                stage.root = folder / f"stage-{len(done)}"
            image.mkdir()
            stage = Stage(image)
            done[rest.partition(" AS ")[2]] = stage
        else:
            _do(stage, instruction, rest, context, done)
    return stage


def _do(stage: Stage, instruction: str, rest: str, context: Path, done: dict[str, Stage]) -> None:
    flags = dict(_FLAG.findall(rest)) if instruction in {"COPY", "RUN"} else {}
    rest = _FLAG.sub("", rest) if flags else rest
    if instruction == "WORKDIR":
        stage.folder = rest
        stage.inside(".").mkdir(parents=True, exist_ok=True)
    elif instruction == "ENV":
        stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
    elif instruction == "COPY":
        *sources, target = rest.split()
        start = done[flags["from"]].root if "from" in flags else context
        for source in sources:
            _copy(start / source.lstrip("/"), stage.inside(target), into=target.endswith("/"))
    elif instruction == "RUN":
        stage.runs += 1
        ran = subprocess.run(
            ["sh", "-ec", stage.mapped(rest)],
            cwd=stage.inside("."),
            env=stage.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"RUN {rest}\n{ran.stdout}{ran.stderr}"
    elif instruction not in IGNORED:
        stage.declared[instruction] = rest


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target = target / source.name if into else target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in whole.splitlines())]


def context_of(repository: Path, folder: Path) -> Path:
    """What .dockerignore lets the builder have."""
    first, *rules = [
        line for line in (repository / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert first == "*", "everything is left out but what is named"
    for name in (rule[1:] for rule in rules if rule.startswith("!")):
        source = repository / name
        target = folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder
