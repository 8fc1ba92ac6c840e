"""Drives an ASGI app with one request, and tells what came of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.local.http import App, Message
from platform_pipelines.local.outage import ABORT


@dataclass
class Exchange:
    """What the app did with a request."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    aborted: bool = False
    hung: bool = False  # the app waited until the client left


def ask(
    app: App,
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Exchange:
    """Send one request; the client leaves once nothing more happens."""
    return asyncio.run(_ask(app, method, path, query, headers or {}, body))


async def _ask(
    app: App, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Exchange:
    exchange = Exchange()
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        exchange.hung = exchange.status is None and not exchange.aborted
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            exchange.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            exchange.body += message.get("body", b"")

    def abort() -> None:
        exchange.aborted = True

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "extensions": {ABORT: abort},
    }
    await app(scope, receive, send)
    return exchange
