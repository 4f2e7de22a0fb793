"""Reads todo.txt: one task per line, with ``(A)``, ``+project``, ``@context`` and ``key:value``."""

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from taskwell.tasks.exchange.moments import due, instant
from taskwell.tasks.exchange.reading import Reading, tag
from taskwell.tasks.exchange.record import Row

PRIORITIES = {"A": "urgent", "B": "high", "C": "medium"}
MAX_LOOKED_AT = 1000
_LINE = re.compile(
    r"(?:(?P<done>x) +)?(?:\((?P<priority>[A-Z])\) +)?"
    r"(?:(?P<first>\d{4}-\d\d-\d\d) +)?(?:(?P<second>\d{4}-\d\d-\d\d) +)?(?P<text>.+)"
)
_SURE = re.compile(r"x \d{4}-\d\d-\d\d |x \([A-Z]\) |\([A-Z]\) |\d{4}-\d\d-\d\d \S")
_MARKED = re.compile(r"(?:^|\s)(?:[+@][^\s@+]+|due:\d{4}-\d\d-\d\d)(?=\s|$)")
_PAIR = re.compile(r"([A-Za-z]+):([^\s:/]\S*)")


def recognises(text: str) -> bool:
    """Whether at least half of the first lines have such a mark."""
    lines = [each for each in islice(io.StringIO(text), MAX_LOOKED_AT) if each.strip()]
    marked = sum(1 for each in lines if _SURE.match(each) or _MARKED.search(each))
    return bool(lines) and 2 * marked >= len(lines)


def read(text: str, reading: Reading) -> Iterator[Row]:
    lines = (each.strip() for each in io.StringIO(text) if each.strip())
    return (Row(number, _values(line, reading)) for number, line in enumerate(lines, start=1))


def _values(line: str, reading: Reading) -> dict[str, Any]:
    found = _LINE.fullmatch(line)
    if found is None:
        return {"title": line}
    words, pairs = [], {}
    for word in found["text"].split():
        pair = _PAIR.fullmatch(word)
        if pair and pair[1] in ("due", "pri") and pair[1] not in pairs:
            pairs[pair[1]] = pair[2]
        else:
            words.append(word)
            if pair:
                reading.left_out.add(f"{pair[1]}: (it stays in the title)", word)
    projects = [each[1:] for each in words if re.fullmatch(r"\+\S+", each)]
    contexts = [each[1:] for each in words if re.fullmatch(r"@\S+", each)]
    for more in projects[1:]:
        reading.left_out.add("second projects of a task", more)
    while len(words) > 1 and words[-1] in [f"+{each}" for each in projects[:1]] + [f"@{each}" for each in contexts]:
        words.pop()
    letter = found["priority"] or pairs.get("pri")
    is_done, first, second = found["done"] is not None, found["first"], found["second"]
    completed, created = (first, second) if is_done else (None, first)
    return {
        "title": " ".join(words),
        "priority": PRIORITIES.get(letter, "low") if letter else "medium",
        "completed": is_done,
        "completed_at": instant(completed, reading.zone) if completed else None,
        "created_at": instant(created, reading.zone) if created else None,
        **(due(pairs["due"], reading.zone) if "due" in pairs else {"due_date": None, "due_at": None}),
        "list": projects[0] if projects else None,
        "tags": [tag(each) for each in contexts],
    }
