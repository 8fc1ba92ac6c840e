"""How the API's answers go out over ASGI: at once, or event by event for a watch."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json

from platform_pipelines.local.kube.watch import Watch

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back."""

    body: Any
    status: int = HTTPStatus.OK
    content_type: str = _JSON
    warnings: list[str] = field(default_factory=list)

    def headers(self, length: int | None) -> list[tuple[bytes, bytes]]:
        """Its headers; a stream has no length."""
        found = [("content-type", self.content_type), ("cache-control", "no-cache, private")]
        found += [("warning", f"299 - {json.dumps(text)}") for text in self.warnings]
        if self.status == HTTPStatus.UNAUTHORIZED:
            found.append(("www-authenticate", 'Basic realm="kubernetes-master"'))
        if length is not None:
            found.append(("content-length", str(length)))
        return [(name.encode(), value.encode("latin-1", "replace")) for name, value in found]


async def lifespan(receive: Receive, send: Send) -> None:
    """Agree to whatever the server begins and ends."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def read(receive: Receive) -> bytes:
    """The whole body of a request."""
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return b"".join(chunks)


async def respond(answer: Answer, send: Send) -> None:
    """Send an answer."""
    body = answer.body.encode() if isinstance(answer.body, str) else to_json(answer.body) + b"\n"
    await send(
        {
            "type": "http.response.start",
            "status": int(answer.status),
            "headers": answer.headers(len(body)),
        }
    )
    await send({"type": "http.response.body", "body": body})


async def stream(answer: Answer, watch: Watch, receive: Receive, send: Send) -> None:
    """Send events as they come, one a line, until the watch ends or the client has gone."""
    start = {"type": "http.response.start", "status": 200, "headers": answer.headers(None)}
    await send(start)
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    sending = asyncio.ensure_future(_send_events(watch, send))
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    await send({"type": "http.response.body", "body": b""})


async def _send_events(watch: Watch, send: Send) -> None:
    async for batch in watch.events():
        body = b"".join(to_json(event) + b"\n" for event in batch)
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
