"""Serves an ASGI app on a bound socket with hypercorn, one connection at a time in our hands.

hypercorn's own `serve` hides the connection; a Region that refuses must drop it without a goodbye,
so each request's scope carries a way to abort its transport.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import AppWrapper, LifespanState

from platform_pipelines.local.http import App, Receive, Scope, Send
from platform_pipelines.local.outage import ABORT

KEEP_ALIVE = 75.0  # real seconds; as long as AWS's load balancers and more than clients pool
# How a connection may end that is no mistake of ours: `_close` cancels it, a client breaks TLS off.
_ENDS = (asyncio.CancelledError, ssl.SSLError, ConnectionError, TimeoutError)
GRACE = 0.5  # real seconds for answers under way when the server stops


@asynccontextmanager
async def serving(
    app: App, sock: socket.socket, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve until the end of the context; then open connections are closed."""
    loop = asyncio.get_running_loop()
    config = _config()
    context = WorkerContext(None)
    connections: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        wrapped = _Connection(app, writer.transport.abort)
        with suppress(*_ENDS):
            await _Server(wrapped, loop, config, context, LifespanState(), reader, writer)

    server = await asyncio.start_server(connected, sock=sock, ssl=tls)
    try:
        yield
    finally:
        server.close()
        await context.terminated.set()
        await _close(connections)


class _Server(TCPServer):
    """One connection. hypercorn's own keeps what a client has closed until it would have been idle for
    too long, with its buffers: 75 s of everybody's connections were more than all the Regions' state."""

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()


async def _close(connections: set[asyncio.Task[Any]]) -> None:
    if not connections:
        return
    _, late = await asyncio.wait(connections, timeout=GRACE)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=GRACE)


def _config() -> Config:
    config = Config()
    config.keep_alive_timeout = KEEP_ALIVE
    config.h11_max_incomplete_size = 64 * 1024  # presigned URLs and tokens are long
    return config


class _Connection(AppWrapper):
    """The app as hypercorn calls it for one connection."""

    def __init__(self, app: App, abort: Callable[[], None]) -> None:
        self._app = app
        self._abort = abort

    async def __call__(
        self,
        scope: Any,
        receive: Any,
        send: Any,
        sync_spawn: Any,  # noqa: ARG002  # hypercorn's form
        call_soon: Any,  # noqa: ARG002  # hypercorn's form
    ) -> None:
        await self._run(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no websockets here; hypercorn refuses the upgrade
        scope.setdefault("extensions", {})[ABORT] = self._abort
        await self._app(scope, receive, send)
