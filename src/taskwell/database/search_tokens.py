"""Splits a text into words for the search, without case and accents.

PostgreSQL has the same rule in SQL (the first migration). SQLite's tokenizers know only the letters of 2012, so its
connections call ``search_words``.
"""

import re
import unicodedata
from itertools import chain

import orjson

MAX_WORD_BYTES = 2_000
"""Bytes of the longest word in the index; PostgreSQL accepts no longer one."""

UNINDEXED = "x"
"""Replaces a longer word, so that its neighbours do not become a phrase. No search finds it, since every other word
begins with its owner."""

REMEMBERED = 5_000
"""Characters: a few alphabets, and less than a megabyte."""

FINAL_SIGMA, SIGMA = "\u03c2", "\u03c3"
_ASCII_WORD = re.compile("[0-9a-z]+")

UNSPACED = (
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"  # Korean
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\uff66-\uffdc\U0001b000-\U0001b16f"  # Japanese
    "\u3105-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese
)
"""Letters of scripts without spaces between words: each letter is a word, and a run of them is a phrase."""

_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")
_PIECE = re.compile(f"[{UNSPACED}]|[^{UNSPACED}]+")


class _Separators(dict[int, str]):
    """Maps every separator to a space, for ``str.translate``."""

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
    """The runs of letters, marks and digits, unchanged."""
    return text.translate(_SEPARATORS).split()


def words_of(run: str) -> list[str]:
    """The words of a run in their compared form; nearly always one."""
    if not _HAS_UNSPACED.search(run):
        return [folded(run) if len(run) <= MAX_WORD_BYTES else run]
    parts = (run[start : start + MAX_WORD_BYTES] for start in range(0, len(run), MAX_WORD_BYTES))
    return [word for part in parts for word in _PIECE.findall(folded(part))]


def folded(word: str) -> str:
    """The word without case and accents; empty if nothing is left.

    The time grows with the square of the accents on one letter.
    """
    if word.isascii():
        return word.lower()
    bare = "".join(each for each in unicodedata.normalize("NFD", word) if not "\u0300" <= each <= "\u036f")
    return unicodedata.normalize("NFC", bare).lower().replace(FINAL_SIGMA, SIGMA)


def owner_of(space_id: str) -> str:
    """The end of the space's id. Each indexed word begins with it, so a search reads only words of its own space."""
    return space_id[-8:]


def search_words(rows: bytes) -> str:
    """The words of many rows, called from SQL. One call serves many rows, since each call waits for the GIL.

    Args:
        rows: JSON, an array of ``[number, space_id, text...]``. Bytes that are not UTF-8 separate words.

    Returns:
        JSON, an array of ``[number, words...]``, as FTS5's tokenizer ``ascii`` separates them.
    """
    found = []
    for number, space_id, *texts in orjson.loads(rows.decode(errors="replace")):
        owner = owner_of(space_id)
        found.append([number, *[text and _indexed(owner, text) for text in texts]])
    return orjson.dumps(found).decode()


def _indexed(owner: str, text: str) -> str:
    is_ascii = text.isascii()
    words = _ASCII_WORD.findall(text.lower()) if is_ascii else chain.from_iterable(map(words_of, split(text)))
    return " ".join([owner + word if len(word.encode()) <= MAX_WORD_BYTES else UNINDEXED for word in words if word])
