"""A Kubernetes API of a test's own: over TLS on a free port, or called in process."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kubernetes import client

from platform_pipelines.local import listen
from platform_pipelines.local.http import App
from platform_pipelines.local.kube.api import asgi
from platform_pipelines.local.kube.auth import Authenticator
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.tls import ensure_ca

TOKEN = "a-token-of-the-test"  # it opens nothing
TIME_LIMIT = 10  # real seconds for one call
AUTHENTICATOR = Authenticator(token=TOKEN, cluster="peccy-seoul", region="ap-northeast-2")
Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running API and how to reach it."""

    url: str
    ca_file: Path
    ca_pem: bytes
    store: Store

    def configuration(self, token: str = TOKEN) -> client.Configuration:
        """The official client's settings for it."""
        found = client.Configuration()
        found.host = self.url
        found.ssl_ca_cert = str(self.ca_file)
        found.api_key = {"authorization": f"Bearer {token}"}
        return found

    def client(self, token: str = TOKEN) -> client.ApiClient:
        """The official client."""
        return client.ApiClient(self.configuration(token))

    def kubeconfig(self) -> str:
        """A kubeconfig for kubectl."""
        authority = base64.b64encode(self.ca_pem).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": TOKEN}}],
        }
        return json.dumps(config)


async def nothing() -> None:
    """What runs beside a bare API."""


@contextmanager
def serving(
    folder: Path,
    store: Store | None = None,
    beside: Callable[[], Coroutine[None, None, None]] = nothing,
) -> Iterator[Server]:
    """An API over a store, a new one by default, until the end of the context; `beside` runs on the
    same event loop."""
    authority = ensure_ca(folder)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority.ca_pem)
    # With its protocol named, asyncio sets TCP_NODELAY; without, each small answer waits 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{bound.getsockname()[1]}"
    kept = store or Store()
    ready, ended = threading.Event(), threading.Event()
    app = cast(App, asgi(kept, AUTHENTICATOR))

    async def run() -> None:
        async with listen.serving(app, bound, authority.server_context("test")):
            companion = asyncio.create_task(beside())
            ready.set()
            await asyncio.to_thread(ended.wait)
            companion.cancel()
            await asyncio.gather(companion, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(TIME_LIMIT)
        yield Server(url=url, ca_file=ca_file, ca_pem=authority.ca_pem, store=kept)
    finally:
        ended.set()
        thread.join(TIME_LIMIT)


def refusal(error: Any) -> tuple[int, str]:
    """The HTTP status and the Status' reason of a refused call."""
    return error.status, told(error)["reason"]


def told(error: Any) -> Object:
    """The Status body of a refused call."""
    found: Object = json.loads(error.body)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of the API called in process."""

    status: int
    headers: dict[str, str]
    body: Any


class InProcess:
    """The API without a network, for what only raw requests can say."""

    def __init__(self, store: Store) -> None:
        self._app = asgi(store, AUTHENTICATOR)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        **headers: str,
    ) -> Reply:
        """Send one request and return its answer; header names are written with underscores."""
        sent = [("authorization", f"Bearer {TOKEN}"), ("content-type", "application/json")]
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in (dict(sent) | given).items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": raw,
        }
        return asyncio.run(_exchange(self._app, scope, body))


async def _exchange(app: Any, scope: Object, body: Any) -> Reply:
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    requests = iter([{"type": "http.request", "body": content}])
    messages: list[Object] = []

    async def receive() -> Object:
        message = next(requests, None)
        if message is None:
            await asyncio.sleep(TIME_LIMIT)  # the client stays connected
            return {"type": "http.disconnect"}
        return message

    async def send(message: Object) -> None:
        messages.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in messages[1:])
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    lines = [json.loads(line) for line in content.splitlines() if line.startswith(b"{")]
    single = "content-length" in headers and len(lines) == 1
    parsed = lines[0] if single else lines or content.decode()
    return Reply(status=messages[0]["status"], headers=headers, body=parsed)
