"""Several serving processes: started together, replaced if they die or on SIGHUP, and ended together."""

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog
from uvicorn.config import STARTUP_FAILURE

from taskwell.app import serve_app
from taskwell.observability import metrics
from taskwell.server import Server, say
from taskwell.settings import InvalidSettings

log = structlog.get_logger("taskwell.server")

END_SECONDS = 45
"""Seconds after which a process that was asked to end is killed."""

LONGEST_PAUSE = 30.0


@dataclass(eq=False, slots=True)
class _Worker:
    """A serving process.

    Attributes:
        ready: Becomes readable when the process serves.
        ends_at: The time at which it is killed; None before it was asked to end.
    """

    process: BaseProcess
    ready: Connection
    is_serving: bool = False
    ends_at: float | None = None

    def has_told(self) -> bool:
        try:
            return self.ready.poll() and self.ready.recv() is None
        except EOFError:  # the process is about to die
            return False

    def end(self) -> None:
        self.ends_at = time.monotonic() + END_SECONDS
        self.process.terminate()


class Supervisor:
    """Serves in several processes. Replaces one that dies, and on SIGHUP all of them, one after the other."""

    def __init__(self, listener: socket.socket, count: int, greeting: str) -> None:
        """Prepares the processes.

        Args:
            greeting: Printed when the first process is ready.
        """
        self._listener = listener
        self._count = count
        self._greeting = greeting
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._outdated: list[_Worker] = []
        self._pause = 0.0
        self._wake, self._waker = socket.socketpair()

    def run(self) -> bool:
        """Serves until a signal stops it; gives whether the processes started."""
        self._wake.settimeout(0)
        self._waker.settimeout(0)
        signal.set_wakeup_fd(self._waker.fileno())
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, lambda *_: None)  # the signal only has to wake the loop
        shared = Path("/dev/shm")  # noqa: S108  # in memory, since metrics change with every request
        with tempfile.TemporaryDirectory(prefix="taskwell-", dir=shared if shared.is_dir() else None) as folder:
            os.environ[metrics.FOLDER] = folder
            self._workers = [self._started() for _ in range(self._count)]
            try:
                return self._watch()
            finally:
                self._end()

    def _started(self) -> _Worker:
        ready, told = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_serve_in_child, args=(self._listener, told))
        process.start()
        told.close()
        return _Worker(process, ready)

    def _watch(self) -> bool:
        """Replaces processes that die. If the first one fails to start, gives False: a second try would fail too."""
        first = set(self._workers)
        while not self._is_asked_to_end(self._news()):
            for worker in self._workers:
                if not worker.is_serving and worker.has_told():
                    worker.is_serving = True
                    say(self._greeting)
                    self._greeting = ""
            for dead in [worker for worker in self._workers if not worker.process.is_alive()]:
                code = dead.process.exitcode
                if dead in first and code == STARTUP_FAILURE:
                    return False
                self._remove(dead)
                self._pause = min(self._pause * 2 + 0.5, LONGEST_PAUSE) if code == STARTUP_FAILURE else 0.0
                if len(self._workers) < self._count:
                    if self._is_asked_to_end(wait([self._wake], self._pause)):
                        return True
                    self._workers.append(self._started())
            self._replace_outdated()
        return True

    def _news(self) -> list[Any]:
        """Waits until a process or a signal reports something, or a process must be killed."""
        ends = [worker.ends_at for worker in self._workers if worker.ends_at is not None]
        starting = [worker.ready for worker in self._workers if not worker.is_serving]
        sentinels = [worker.process.sentinel for worker in self._workers]
        patience = max(0.0, min(ends) - time.monotonic()) if ends else None
        return wait([self._wake, *sentinels, *starting], patience)

    def _is_asked_to_end(self, news: list[Any]) -> bool:
        signals = self._wake.recv(64) if self._wake in news else b""
        if signal.SIGHUP in signals:
            log.info("replacing the serving processes")
            self._outdated = [worker for worker in self._workers if worker.ends_at is None]
        return signal.SIGTERM in signals or signal.SIGINT in signals

    def _remove(self, dead: _Worker) -> None:
        self._workers.remove(dead)
        metrics.forget_gauges(dead.process.pid)
        dead.ready.close()
        if dead in self._outdated:
            self._outdated.remove(dead)
        if dead.ends_at is None:
            log.error("a serving process has ended", process_id=dead.process.pid, exit_code=dead.process.exitcode)
            if not dead.is_serving and self._outdated:
                log.error("the serving processes are not replaced: a new one does not start")
                self._outdated.clear()

    def _replace_outdated(self) -> None:
        """Takes the next step of a rolling replacement: a new process serves before an old one ends."""
        for worker in self._workers:
            if worker.ends_at is not None and worker.ends_at <= time.monotonic():
                worker.process.kill()
        if not self._outdated or not all(worker.is_serving for worker in self._workers):
            return
        if len(self._workers) == self._count:
            self._workers.append(self._started())
        elif all(worker.ends_at is None for worker in self._workers):
            self._outdated.pop(0).end()

    def _end(self) -> None:
        """Ends all processes. Closes the port here first, since it closes with its last process."""
        self._listener.close()
        for worker in self._workers:
            worker.end()
        end = time.monotonic() + END_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _serve_in_child(listener: socket.socket, ready: Connection) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent handles it and asks each process to end
    try:
        could_start = Server(serve_app(), listener, partial(ready.send, None)).listen()
    except InvalidSettings as error:
        print(f"taskwell: {error}", file=sys.stderr)  # noqa: T201  # the log may not be set up yet
        could_start = False
    sys.exit(0 if could_start else STARTUP_FAILURE)
