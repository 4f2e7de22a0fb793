"""Runs the guides' examples, and writes what a server answers beneath them.

In a guide that holds ``MARK`` every ``sh`` block is run in order, in one shell, against a real server. What a block
prints follows it as a block of its own: ``make examples`` writes these again, and ``tests/test_examples.py`` fails
while a server answers otherwise.
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.server import serving

ROOT = Path(__file__).parents[1]
MARK = "<!-- The examples are run by the tests; 'make examples' writes their answers. -->"
ADDRESS = "http://127.0.0.1:8000"
HEADERS = {"etag", "location", "link", "retry-after", "ratelimit", "idempotency-replayed", "content-type", "allow"}
"""Those of an answer that are worth the room; all the others are left out."""

_BLOCK = re.compile(r"```sh\n(?P<commands>.*?)```\n(?:\n```(?:http|json|text)\n(?P<answer>.*?)```\n)?", re.DOTALL)
_END = "--- the end of a block ---"
_WIDTH = 100
_FEW = 10
_VARYING = {
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}": "(id)",
    r"\d{4}-\d\d-\d\dT[\d:.]+Z": "(instant)",
    r"\d{4}-\d\d-\d\d": "(day)",
    r"[\w.-]{8}…": "(secret)",
    r'etag: W/"[^"]+"': "etag: (list)",
    r'"latency_ms": [\d.]+': '"latency_ms": (some)',
}


def pages() -> list[Path]:
    return [page for page in sorted((ROOT / "docs").glob("*.md")) if MARK in page.read_text(encoding="utf-8")]


def answered(page: Path, address: str) -> str:
    """The page's text with what this server answers."""
    text = page.read_text(encoding="utf-8")
    answers = iter(_run([found["commands"] for found in _BLOCK.finditer(text)], address, page.name))

    def with_answer(found: re.Match[str]) -> str:
        answer = presentable(next(answers))
        if steady(answer) == steady(found["answer"] or ""):
            return found[0]
        language = "http" if answer.startswith("HTTP") else "json" if answer.startswith(("{", "[")) else "text"
        block = f"\n```{language}\n{answer}\n```\n" if answer else ""
        return f"```sh\n{found['commands']}```\n{block}"

    return _BLOCK.sub(with_answer, text)


def _run(blocks: list[str], address: str, name: str) -> list[str]:
    script = f"\nprintf '\\n%s\\n' '{_END}'\n".join([*blocks, ""]).replace(ADDRESS, address)
    with tempfile.TemporaryDirectory() as folder:
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    outputs = done.stdout.replace(address, ADDRESS).split(_END)[:-1]
    if done.returncode:
        raise AssertionError(f"{name}, block {len(outputs) + 1} of {len(blocks)}: {done.stderr}")
    return outputs


def presentable(output: str) -> str:
    """An output as a reader wants it: few headers, JSON with room, secrets and cursors cut short."""
    lines = output.replace("\r", "").strip().splitlines()
    shown = "\n".join(_laid_out(line) for line in lines if not _is_left_out(line))
    apart = re.sub(r"\n{3,}", "\n\n", re.sub(r"\n+(?=HTTP/)", "\n\n", shown))
    return re.sub(r"(?<![\w./-])(whsec_|[\w.-]{8}(?=[\w.-]{32}))[\w.+/-]+", r"\1…", apart)


def _is_left_out(line: str) -> bool:
    header = re.match(r"([A-Za-z-]+): ", line)
    return header is not None and header[1].lower() not in HEADERS


def _laid_out(line: str) -> str:
    try:
        value = json.loads(line)
    except ValueError:
        return line
    return _room(value) if isinstance(value, dict | list) else line


def _room(value: Any, margin: str = "", name: str = "") -> str:
    """JSON on one line where it fits, else filled lines; what does not fit on one of those begins its own."""
    flat = name + json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(margin) + len(flat) <= _WIDTH:
        return flat
    inner = margin + "  "
    named = value.items() if isinstance(value, dict) else (("", each) for each in _abridged(value))
    lines = [""]
    for key, each in named:
        member = _room(each, inner, f"{json.dumps(key)}: " if key else "") + ","
        if "\n" not in lines[-1] and len(inner) + len(lines[-1]) + len(member) < _WIDTH and "\n" not in member:
            lines[-1] = f"{lines[-1]} {member}".strip()
        else:
            lines.append(member)
    first, last = "{}" if isinstance(value, dict) else "[]"
    body = f"\n{inner}".join(line for line in lines if line)
    return f"{name}{first}\n{inner}{body[:-1]}\n{margin}{last}"


def _abridged(values: list[Any]) -> list[Any]:
    return values if len(values) <= _FEW else [values[0], "…", values[-1]]


def steady(text: str) -> str:
    """A page without what differs from run to run, such as where its lines end."""
    for pattern, word in _VARYING.items():
        text = re.sub(pattern, word, text)
    return " ".join(text.split())


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), f"sqlite:///{home}/taskwell.db", RATE_LIMIT_PER_MINUTE="0") as server,
    ):
        for each in pages():
            each.write_text(answered(each, server), encoding="utf-8")
