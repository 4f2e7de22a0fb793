"""The words of a text: what separates them, and what makes no difference between them.

PostgreSQL has the same rule in SQL (the first migration). SQLite, whose tokenizers know the letters of
2012, asks for it here: each of its connections has ``search_words``.
"""

import re
import unicodedata

import orjson

LONGEST = 2_000
"""In bytes; no longer word is indexed, since PostgreSQL takes none."""

UNINDEXED = "x"
"""Stands for such a word, so that the words around it do not become neighbours. Nobody finds it: every other word
begins with its owner."""

REMEMBERED = 5_000
"""Characters: a few alphabets, and less than a megabyte."""

FINAL_SIGMA, SIGMA = "\u03c2", "\u03c3"
_ASCII_WORD = re.compile("[0-9a-z]+")


class _Separators(dict[int, str]):
    """Every character that is part of no word as a space; for ``str.translate``."""

    def __missing__(self, point: int) -> str:
        becomes = chr(point) if _is_part_of_word(chr(point)) else " "
        if len(self) < REMEMBERED:
            self[point] = becomes
        return becomes


def _is_part_of_word(character: str) -> bool:
    category = unicodedata.category(character)
    is_separator = category[0] in "PSZ" or category in ("Cc", "Cf", "Cs")
    return not (is_separator or "\ufe00" <= character <= "\ufe0f" or character == "\u20e3")


_SEPARATORS = _Separators()


def split(text: str) -> list[str]:
    """The words as they stand there."""
    return text.translate(_SEPARATORS).split()


def folded(word: str) -> str:
    """The word without case and accents; empty where it is nothing else."""
    if word.isascii():
        return word.lower()
    bare = "".join(each for each in unicodedata.normalize("NFD", word) if not "\u0300" <= each <= "\u036f")
    return unicodedata.normalize("NFC", bare).lower().replace(FINAL_SIGMA, SIGMA)


def owner_of(space_id: str) -> str:
    """The end of the space's id, with which each of their words begins in the index: a search meets nobody else's."""
    return space_id[-8:]


def search_words(rows: bytes) -> str:
    """Many rows at once, for SQL: each call waits for the interpreter, which others use.

    Args:
        rows: JSON, an array of ``[number, space_id, text...]``; what is no UTF-8, as another program may have
            written, separates words.

    Returns:
        JSON, an array of ``[number, words...]``, as FTS5's tokenizer ``ascii`` separates them.
    """
    found = []
    for number, space_id, *texts in orjson.loads(rows.decode(errors="replace")):
        owner = owner_of(space_id)
        found.append([number, *[text and _indexed(owner, text) for text in texts]])
    return orjson.dumps(found).decode()


def _indexed(owner: str, text: str) -> str:
    words = _ASCII_WORD.findall(text.lower()) if text.isascii() else map(_folded_unless_long, split(text))
    return " ".join([owner + word if len(word.encode()) <= LONGEST else UNINDEXED for word in words if word])


def _folded_unless_long(word: str) -> str:
    """Folding takes time by the square of a letter's accents."""
    return folded(word) if len(word) <= LONGEST else word
