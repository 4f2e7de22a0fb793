"""Moving what is in SQLite's write-ahead log into the database file, beside the writers instead of between them.

SQLite itself would do it in the commit that fills the log, while every writer waits; and as often as every 1,000
pages, when most pages have been written but once. Here the log grows larger, so that a page that was written ten
times is moved once; a thread moves most of it while the writers go on; and only what they have added meanwhile is
moved in a turn of its own, after which the log begins anew.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

log = structlog.get_logger("taskwell.database")

ENOUGH = 3_000
"""Rows written that are worth a checkpoint: some 30 MB of log where they are spread over many users."""


class Checkpoints:
    """When to move how much. All but the two that move run on the event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Args:
        connection: One that nothing else uses.
        """
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-checkpoint")
        self._running: Future[None] | None = None
        self._written = 0

    def is_to_be_finished(self, written: int) -> bool:
        """Looks whether it is time, and begins.

        Args:
            written: How many rows have ever been written.

        Returns:
            Whether most has been moved, and the rest is to be moved now.
        """
        if self._running is None and written - self._written >= ENOUGH:
            self._written = written
            self._running = self._thread.submit(_move, self._connection)
        return self._running is not None and self._running.done()

    def finish(self, connection: sqlite3.Connection) -> None:
        """Moves the rest, while nobody writes."""
        self._running = None
        _move(connection)

    def close(self) -> None:
        self._thread.shutdown()
        self._connection.close()


def _move(connection: sqlite3.Connection) -> None:
    """As much as no reader still needs in the log; PASSIVE waits for nobody.

    Where it fails, on a full disk say, the log has everything still, and the next one tries again: no writer whose
    commit is on the disk may hear of it, only the operator.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error as error:
        log.warning("checkpoint failed", error=str(error))
