"""One serving process. When it stops, no accepted request fails."""

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
"""The time that running requests get to finish."""

LINGER_SECONDS = 1.0
"""The time that an idle connection stays open, since a request may be on its way."""


class Server(uvicorn.Server):
    """uvicorn's server with its own shutdown.

    uvicorn closes idle connections at once, so it loses a request that is on its way. It resets connections
    that it has not accepted yet. And it ends by the signal that stopped it instead of exit code 0.
    """

    def __init__(self, gateway: Gateway, listener: socket.socket, greet: Callable[[], None]) -> None:
        """Prepares the server.

        Args:
            greet: Called when the port listens.
        """
        proxies = gateway.settings.trusted_proxies
        super().__init__(
            uvicorn.Config(
                gateway,
                loop="uvloop",
                http=CorkedProtocol,
                ws="none",  # a web socket's handshake gets an ordinary answer
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
        """Serves until a signal stops it; gives whether it started."""
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
        """Stops without a delay: after Ctrl-C, or if no client is connected."""
        self._delay = 0.0
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drains in order: not ready, accept for a while, close the port, answer open requests, close."""
        self._gateway.drain()
        await asyncio.sleep(self._delay)
        await self._stop_listening()
        await self._linger()
        await super().shutdown(sockets)

    async def _linger(self) -> None:
        """Waits a moment, so that answers with ``Connection: close`` end the connections."""
        end = time.monotonic() + LINGER_SECONDS
        while self.server_state.connections and time.monotonic() < end:  # noqa: ASYNC110  # uvicorn's set has no event
            await asyncio.sleep(0.02)

    async def _stop_listening(self) -> None:
        """Closes the port, after it has accepted every connection that a client has made."""
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
    """The network, also in the spelling that a dual-stack socket shows for IPv4."""
    if network.version == 6:
        return [str(network)]
    return [str(network), f"::ffff:{network.network_address}/{96 + network.prefixlen}"]


def bound(host: str, port: int) -> socket.socket:
    """A bound socket for ``Server``, which listens when it is ready.

    Raises:
        InvalidSettings: the port is in use, or the address is not on this machine.
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
    """Serves in this process; gives whether it started.

    Args:
        greeting: Printed when the server is ready, unless it is empty.
    """
    return Server(serve_app(), listener, partial(say, greeting)).listen()


def say(greeting: str) -> None:
    if greeting:
        print(greeting, flush=True)  # noqa: T201  # for the person at the terminal; it is no log event
