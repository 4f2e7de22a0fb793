"""What a process tells of itself, also where the operating system tells less."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskwell import process


@pytest.fixture
def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that has no /proc and no /dev/fd."""

    def refuse(*_: object, **__: object) -> Iterator[Path]:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)


def test_a_process_knows_what_it_uses():
    use = process.use()

    assert 2**20 < use.resident_bytes < 2**40
    assert use.open_files is not None
    assert 0 < use.open_files <= len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert process.machine_memory() is not None


def test_where_little_is_told_the_most_that_there_has_been_is_shown(without_proc: None):
    use = process.use()

    assert 2**20 < use.resident_bytes < 2**40
    assert use.open_files is None
    assert process.machine_memory() is None
