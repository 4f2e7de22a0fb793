"""The processes that serve: started together, replaced when they die, and ended so that no accepted request fails."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Lock
from pathlib import Path
from typing import cast

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE

from taskwell.api.gateway import Gateway
from taskwell.app import serve_app
from taskwell.corked import CorkedProtocol
from taskwell.observability import metrics
from taskwell.settings import InvalidSettings

log = structlog.get_logger("taskwell.server")

FINISH_SECONDS = 20
"""How long requests that were accepted may take to finish."""

LINGER_SECONDS = 1.0
"""How long an idle connection is kept for the request that may be on its way over it."""

END_SECONDS = 45
"""When a process that was asked to end is killed."""

LONGEST_PAUSE = 30.0


class Server(uvicorn.Server):
    """uvicorn's server, with an end of its own.

    uvicorn closes idle connections at once, and with them the request that was just on its way over one; it leaves
    connections that were made and not yet taken to be reset; and it ends by the signal that has ended it.
    """

    def __init__(self, gateway: Gateway, listener: socket.socket, greet: Callable[[], None]) -> None:
        """Args:
        greet: Is called when the port listens.
        """
        super().__init__(
            uvicorn.Config(
                gateway,
                loop="uvloop",
                http=CorkedProtocol,
                ws="none",  # whoever asks for a web socket is answered as anybody else
                lifespan="on",
                access_log=False,
                log_config=None,  # its own logs go through ours: see taskwell.observability.logs
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=FINISH_SECONDS,
            )
        )
        self._gateway = gateway
        self._listener = listener
        self._greet = greet
        self._delay = gateway.settings.drain_delay_seconds

    def listen(self) -> bool:
        """Serves until a signal comes and everything is closed; whether it could be started."""
        try:
            self.run(sockets=[self._listener])
        except SystemExit:  # uvicorn has logged why
            return False
        except OSError as error:
            log.error("the port cannot be used", reason=str(error))  # noqa: TRY400  # one line says it all
            return False
        return True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._greet()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._stop_now)
        parent = multiprocessing.parent_process()
        if parent is not None:
            loop.add_reader(parent.sentinel, self._stop_now)
        try:
            yield
        finally:
            if parent is not None:
                loop.remove_reader(parent.sentinel)

    def _stop(self) -> None:
        self.should_exit = True

    def _stop_now(self) -> None:
        """Somebody sits before it and waits, or nobody is left who would wait."""
        self._delay = 0.0
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Not ready; takes who still comes; takes nobody; answers who is there; closes."""
        self._gateway.drain()
        await asyncio.sleep(self._delay)
        await self._stop_listening()
        await self._linger()
        await super().shutdown(sockets)

    async def _linger(self) -> None:
        """Lets connections be closed by the answers that they carry."""
        end = time.monotonic() + LINGER_SECONDS
        while self.server_state.connections and time.monotonic() < end:  # noqa: ASYNC110  # uvicorn's set tells nobody
            await asyncio.sleep(0.02)

    async def _stop_listening(self) -> None:
        """Takes every connection that was made before the last of the processes lets go of the port."""
        rest = self._listener.dup()
        rest.settimeout(0)
        for server in self.servers:
            server.close()
        self._listener.close()
        taken = []
        with rest, suppress(BlockingIOError):
            while True:
                taken.append(rest.accept()[0])
        for connection in taken:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        make = cast(Callable[..., asyncio.Protocol], self.config.http_protocol_class)
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def bound(host: str, port: int) -> socket.socket:
    """A socket for ``Server``, which begins to listen when it is ready.

    Raises:
        InvalidSettings: somebody else listens there, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise InvalidSettings(f"PORT {port} on HOST {host} cannot be used: {error.strerror}") from error
    return listener


def serve_here(listener: socket.socket, greeting: str) -> bool:
    """Serves in this process; whether it could be started.

    Args:
        greeting: What is said as soon as somebody can call; nothing if it is empty.
    """
    return Server(serve_app(), listener, partial(_say, greeting)).listen()


def _say(greeting: str) -> None:
    if greeting:
        print(greeting, flush=True)  # noqa: T201  # for whoever sits before it; it is no event


class Supervisor:
    """Serves in several processes; one that dies is replaced."""

    def __init__(self, listener: socket.socket, count: int, greeting: str) -> None:
        """Args:
        greeting: What the first of them says that can be called.
        """
        self._listener = listener
        self._count = count
        self._greeting = greeting
        self._context = multiprocessing.get_context("spawn")
        self._first = self._context.Lock()
        self._processes: list[BaseProcess] = []
        self._pause = 0.0
        self._wake, self._waker = socket.socketpair()

    def run(self) -> bool:
        """Serves until a signal comes; whether the processes could be started."""
        self._waker.settimeout(0)
        signal.set_wakeup_fd(self._waker.fileno())
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: None)  # the wake-up is all that is needed
        shared = Path("/dev/shm")  # noqa: S108  # memory: these are numbers, and change with every request
        with tempfile.TemporaryDirectory(prefix="taskwell-", dir=shared if shared.is_dir() else None) as folder:
            os.environ[metrics.FOLDER] = folder
            self._processes = [self._started() for _ in range(self._count)]
            try:
                return self._watch()
            finally:
                self._end()

    def _started(self) -> BaseProcess:
        process = self._context.Process(target=_serve_in_child, args=(self._listener, self._greeting, self._first))
        process.start()
        return process

    def _watch(self) -> bool:
        """Replaces who dies; a first one that does not come up would not come up the second time either."""
        first = set(self._processes)
        while self._wake not in wait([self._wake, *(process.sentinel for process in self._processes)]):
            for dead in [process for process in self._processes if not process.is_alive()]:
                log.error("a serving process has ended", process_id=dead.pid, exit_code=dead.exitcode)
                metrics.forget_gauges(dead.pid)
                if dead in first and dead.exitcode == STARTUP_FAILURE:
                    return False
                self._pause = min(self._pause * 2 + 0.5, LONGEST_PAUSE) if dead.exitcode == STARTUP_FAILURE else 0.0
                if wait([self._wake], self._pause):
                    return True
                self._processes[self._processes.index(dead)] = self._started()
        return True

    def _end(self) -> None:
        """Lets go of the port first: it closes with the last process that has it."""
        self._listener.close()
        for process in self._processes:
            process.terminate()
        end = time.monotonic() + END_SECONDS
        for process in self._processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


def _serve_in_child(listener: socket.socket, greeting: str, first: Lock) -> None:
    def greet() -> None:
        if first.acquire(block=False):  # and never lets go of it
            _say(greeting)

    try:
        could_start = Server(serve_app(), listener, greet).listen()
    except InvalidSettings as error:
        print(f"taskwell: {error}", file=sys.stderr)  # noqa: T201  # there may be no log yet
        could_start = False
    sys.exit(0 if could_start else STARTUP_FAILURE)
