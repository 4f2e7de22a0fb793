"""Rules for texts: which characters are visible, which texts are equal, and how texts sort."""

import re
import unicodedata

LONGEST_COMPARED = 254
"""The longest compared text, an e-mail. The time to compose grows with the square of the accents on one letter."""

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
"""Characters that are invisible, although their category is letter, mark or symbol."""


def shows_something(text: str) -> bool:
    """Whether the text has a visible character."""
    if _GRAPHIC.match(text):
        return True
    return any(unicodedata.category(each) not in _NOT_SEEN and each not in _FILLERS for each in text)


def on_one_line(text: str) -> str:
    """The text without control characters, line ends and lone surrogates; blanks and joiners stay."""
    return _RUNS.sub(lambda run: " " if run[0].strip(" ") else run[0], text).strip()


def compared(text: str) -> str:
    """A key that is equal for texts that people read as equal: composed (NFC), and without case."""
    if text.isascii():
        return text.lower()
    if len(text) > LONGEST_COMPARED:
        return text.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def sort_key(text: str) -> str:
    """The key by which texts sort: without case and accents, by code point."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", "".join(each for each in letters if not "\u0300" <= each <= "\u036f"))
