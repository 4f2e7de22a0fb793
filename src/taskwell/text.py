"""Text as people see it: what shows, what counts as the same, and how it sorts."""

import re
import unicodedata

LONGEST_COMPARED = 254
"""Of whatever is compared an e-mail may be the longest. Composing takes time by the square of a letter's accents."""

_RUNS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_GRAPHIC = re.compile("[!-~]")
_NOT_SEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
_FILLERS = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xFFF0, 0xFFF9),
            *range(0xE0000, 0xE1000),
        ),
    )
)
"""They are letters, marks or symbols by their category, and nothing is drawn for them."""


def shows_something(text: str) -> bool:
    """Whether a reader sees anything of it."""
    if _GRAPHIC.match(text):
        return True
    return any(unicodedata.category(each) not in _NOT_SEEN and each not in _FILLERS for each in text)


def on_one_line(text: str) -> str:
    """Without control characters, line ends and lone surrogates; blanks and joiners inside stay as they are."""
    return _RUNS.sub(lambda run: " " if run[0].strip(" ") else run[0], text).strip()


def compared(text: str) -> str:
    """What is equal for texts that people take for the same: composed (NFC), and without case."""
    if text.isascii():
        return text.lower()
    if len(text) > LONGEST_COMPARED:
        return text.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def sort_key(text: str) -> str:
    """Where a text stands among others, by code point: case and accents make no difference."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", "".join(each for each in letters if not "\u0300" <= each <= "\u036f"))
