"""The process that serves, and its end, at which no accepted request fails."""

import asyncio
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import cast

import structlog
import uvicorn

from taskwell.api.gateway import Gateway
from taskwell.app import serve_app
from taskwell.corked import CorkedProtocol
from taskwell.settings import InvalidSettings
from taskwell.stop_signals import stop_signals

log = structlog.get_logger("taskwell.server")

FINISH_SECONDS = 20
"""How long requests that were accepted may take to finish."""

LINGER_SECONDS = 1.0
"""How long an idle connection is kept for the request that may be on its way over it."""


class Server(uvicorn.Server):
    """uvicorn's server, with an end of its own.

    uvicorn closes idle connections at once, and with them the request that was just on its way over one; it leaves
    connections that were made and not yet taken to be reset; and it ends by the signal that has ended it.
    """

    def __init__(self, gateway: Gateway, listener: socket.socket, greet: Callable[[], None]) -> None:
        """Args:
        greet: Is called when the port listens.
        """
        proxies = gateway.settings.trusted_proxies
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
                proxy_headers=bool(proxies),
                forwarded_allow_ips=[spelling for proxy in proxies for spelling in _spellings(proxy)],
                timeout_keep_alive=gateway.settings.keep_alive_seconds,
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
        for each in stop_signals():
            loop.add_signal_handler(each, self._stop_now if each == signal.SIGINT else self._stop)
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


def _spellings(network: IPv4Network | IPv6Network) -> list[str]:
    """The network, and as a socket for both versions of IP shows IPv4."""
    if network.version == 6:
        return [str(network)]
    return [str(network), f"::ffff:{network.network_address}/{96 + network.prefixlen}"]


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
    return Server(serve_app(), listener, partial(say, greeting)).listen()


def say(greeting: str) -> None:
    if greeting:
        print(greeting, flush=True)  # noqa: T201  # for whoever sits before it; it is no event
