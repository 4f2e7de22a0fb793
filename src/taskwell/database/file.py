"""Notices that the open SQLite file was deleted or replaced; every later write would be lost."""

from pathlib import Path

import structlog

from taskwell.errors import Unavailable

log = structlog.get_logger("taskwell.database")


class DatabaseFile:
    """The file and its write-ahead log, as they were when the database was opened.

    Attributes:
        is_gone: The result of the last check.
    """

    def __init__(self, path: Path) -> None:
        self._paths = (path, Path(f"{path}-wal"))
        self._opened = self._found()
        self.is_gone = False

    def check(self) -> None:
        """Compares the open file with the file at its path.

        Raises:
            Unavailable: they are different, so writes would be lost.
        """
        was_gone, self.is_gone = self.is_gone, self._found() != self._opened
        if self.is_gone and not was_gone:
            log.error(
                "database file deleted or replaced", path=str(self._paths[0]), advice="restart on the right file"
            )
        if self.is_gone:
            raise Unavailable("The database cannot be used; try again shortly.")

    def _found(self) -> list[tuple[int, int] | None]:
        return [_identity(path) for path in self._paths]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
