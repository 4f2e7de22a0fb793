"""Decodes the text of a file."""

import codecs

from taskwell.errors import MalformedBody

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def utf8(content: bytes) -> bytes:
    """The content as UTF-8 without a byte order mark, if its first bytes show the encoding; otherwise unchanged.

    Raises:
        MalformedBody: the content does not match its byte order mark.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding).encode() if encoding != "utf-8" else content[3:]
    for zeros, encoding in ((content[1:40:2], "utf-16-le"), (content[0:40:2], "utf-16-be")):
        if zeros and not any(zeros) and any(content[:40]):  # every format begins with ASCII letters
            return _decoded(content, encoding).encode()
    return content


def text(content: bytes) -> str:
    """The content decoded as UTF-8, or otherwise as Windows-1252.

    Raises:
        MalformedBody: the content is neither.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        return _decoded(content, "windows-1252")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise MalformedBody("The file is not text in UTF-8, UTF-16 or Windows-1252.") from None
