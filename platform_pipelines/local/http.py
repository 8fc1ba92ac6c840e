"""HTTP as the local Regions' own parts see it: a request read whole, and a response sent whole.

The AWS port, the service port and the control API share these records; only the Kubernetes API
streams, and takes ASGI as it is.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request with its whole body."""

    method: str
    path: str  # percent-decoded, without the query; a proxy request has the whole URL here
    raw_path: str  # as it arrived
    query: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes = b""

    def parameters(self) -> dict[str, str]:
        """The query's parameters; the first of each name."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response with its whole body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_response(status: int, value: object) -> Response:
    """`value` as JSON, with a newline for who uses curl."""
    body = json.dumps(value).encode() + b"\n"
    return Response(status=status, headers={"content-type": JSON}, body=body)


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of a request; repeated ones are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def read(scope: Scope, receive: Receive) -> Request | None:
    """The whole request; None if the client left before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        raw_path=scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=headers_of(scope),
        body=b"".join(chunks),
    )


def replay(request: Request, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then whatever the client still sends."""
    message: Message | None = {"type": "http.request", "body": request.body, "more_body": False}

    async def again() -> Message:
        nonlocal message
        first, message = message, None
        return first or await receive()

    return again


async def reply(send: Send, response: Response, *, head: bool = False) -> None:
    """Send a response; of a HEAD only its headers."""
    headers = {"content-length": str(len(response.body)), **response.headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
