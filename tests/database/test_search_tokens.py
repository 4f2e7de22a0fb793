"""The words that SQLite indexes: whose they are, where they stand, and which are left out."""

import json

import pytest

from taskwell.database.search_tokens import _SEPARATORS, MAX_WORD_BYTES, REMEMBERED, search_words, split

# ruff: noqa: RUF001  the letters that look alike are meant

ADA = "01938d1c-0000-7000-8000-00000000ada1"


def indexed(text: str | None) -> str | None:
    ((number, words),) = json.loads(search_words(json.dumps([[7, ADA, text]]).encode()))
    assert number == 7
    return words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Buy MILK, now!", "0000ada1buy 0000ada1milk 0000ada1now"),
        ("Ψωμί και Γάλα", "0000ada1ψωμι 0000ada1και 0000ada1γαλα"),
        ('["Home","o\'clock"]', "0000ada1home 0000ada1o 0000ada1clock"),
        ("...", ""),
        ("", ""),
        (None, None),
    ],
)
def test_each_word_begins_with_whose_it_is(text: str | None, words: str | None):
    assert indexed(text) == words


@pytest.mark.parametrize("letter", ["x", "ё"])
def test_a_word_that_is_too_long_keeps_its_place_and_is_nobodys(letter: str):
    assert indexed(f"a {letter * (MAX_WORD_BYTES + 1)} b") == "0000ada1a x 0000ada1b"
    assert indexed("x") == "0000ada1x"


def test_many_tasks_are_one_call():
    rows = [[1, ADA, "One", None], [2, ADA, "", "Two"]]

    assert json.loads(search_words(json.dumps(rows).encode())) == [[1, "0000ada1one", None], [2, "", "0000ada1two"]]


def test_not_every_character_that_ever_came_is_remembered():
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x20000)]))

    assert split(everything) == split(everything)
    assert len(_SEPARATORS) <= REMEMBERED
