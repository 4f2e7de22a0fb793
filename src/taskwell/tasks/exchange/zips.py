"""Unpacks a ZIP file, with limits."""

import io
import zipfile
import zlib

from taskwell.errors import MalformedBody, TooLarge

MAX_UNPACKED = 64 * 1024 * 1024
MAX_ENTRIES = 1000


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files by their paths.

    Raises:
        MalformedBody: the file is broken, or has a password.
        TooLarge: the unpacked content is too large. The sizes that the file states are not trusted.
    """
    files: dict[str, bytes] = {}
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise TooLarge(f"The ZIP file may hold {MAX_ENTRIES} files at most.")
            for entry in entries:
                with archive.open(entry) as file:
                    files[entry.filename] = file.read(left + 1)
                left -= len(files[entry.filename])
                if left < 0:
                    raise TooLarge(f"The ZIP file may hold {MAX_UNPACKED} bytes at most, unpacked.")
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
        EOFError,
        LookupError,
        ValueError,
        OSError,
    ):
        raise MalformedBody("The ZIP file is broken, or locked by a password.") from None
    return files
