"""Moving what is in SQLite's write-ahead log into the database file, beside the writers instead of between them.

SQLite itself would do it in the commit that fills the log, while every writer waits; and as often as every 1,000
pages, when most pages have been written but once. Here the log grows larger, so that a page that was written ten
times is moved once; a thread moves it while the writers go on, then what they have added meanwhile, and so on until
that is little; and only this rest is moved in a turn of its own, after which the log begins anew.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

log = structlog.get_logger("taskwell.database")

ENOUGH = 10_000
"""Rows written that are worth a checkpoint: some 100 MB of log where they are spread over many users."""

LITTLE = 200
"""Pages few enough to move while the writers wait."""

ROUNDS = 4
"""After so many rounds the rest is moved then, however much it is."""


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
            self._running = self._thread.submit(_move_most, self._connection)
        return self._running is not None and self._running.done()

    def finish(self, connection: sqlite3.Connection) -> None:
        """Moves the rest, while nobody writes."""
        self._running = None
        _move(connection)

    def close(self) -> None:
        self._thread.shutdown()
        self._connection.close()


def _move_most(connection: sqlite3.Connection) -> None:
    before = 0
    for _ in range(ROUNDS):
        moved = _move(connection)
        if moved - before < LITTLE:
            return
        before = moved


def _move(connection: sqlite3.Connection) -> int:
    """As much as no reader still needs in the log; PASSIVE waits for nobody.

    Where it fails, on a full disk say, the log has everything still, and the next one tries again: no writer whose
    commit is on the disk may hear of it, only the operator.

    Returns:
        How many of the log's pages have been moved by now.
    """
    try:
        _, _, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:
        log.warning("checkpoint failed", error=str(error))
        return 0
    return int(moved)
