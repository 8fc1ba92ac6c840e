"""A Kubernetes API that behaves, over real TLS on loopback: collections with paging, deletes, merge
patches of `scale`; it can be silent, or refuse everybody."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from platform_pipelines.local.tls import ensure_ca

Json = dict[str, Any]


@dataclass
class FakeKube:
    """One cluster's API."""

    endpoint: str = ""
    ca_pem: bytes = b""
    collections: dict[str, list[Json]] = field(default_factory=dict)  # by path
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, token
    patches: list[tuple[str, Json]] = field(default_factory=list)
    silent: bool = False
    refuses: tuple[int, str] | None = None  # status and message for every request
    over: threading.Event = field(default_factory=threading.Event)

    def of(
        self, method: str, path: str, query: dict[str, list[str]], body: Json
    ) -> tuple[int, Json]:
        """The answer to a request."""
        if self.refuses:
            return self.refuses[0], {"kind": "Status", "message": self.refuses[1]}
        if method == "PATCH" and path.endswith("/scale"):
            self.patches.append((path, body))
            return 200, {"apiVersion": "autoscaling/v1", "kind": "Scale", **body}
        if method == "DELETE":
            return self._delete(path)
        if path in self.collections:
            return 200, self._page(self.collections[path], query)
        return 404, {"kind": "Status", "message": "the server could not find the resource"}

    def _page(self, items: list[Json], query: dict[str, list[str]]) -> Json:
        start = int(query.get("continue", ["0"])[0])
        end = start + int(query.get("limit", ["1000"])[0])
        more = {"continue": str(end)} if end < len(items) else {}
        return {"metadata": more, "items": items[start:end]}

    def _delete(self, path: str) -> tuple[int, Json]:
        parts = path.split("/")
        namespace, name = parts[-3], parts[-1]
        items = self.collections.get("/api/v1/pods", [])
        for item in items:
            if (item["metadata"]["namespace"], item["metadata"]["name"]) == (namespace, name):
                items.remove(item)
                return 200, {**item, "apiVersion": "v1", "kind": "Pod"}
        return 404, {"kind": "Status", "message": f'pods "{name}" not found'}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeKube

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        token = self.headers.get("Authorization", "")
        self.fake.requests.append((self.command, parts.path, token))
        if self.fake.silent:
            self.fake.over.wait()
            return
        status, answer = self.fake.of(self.command, parts.path, parse_qs(parts.query), body)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_DELETE = do_PATCH = _answer  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Tests read what was asked from `requests`."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that refuses our certificate, or gave up, is what a test wants to see."""


@contextmanager
def serve(folder: Path) -> Iterator[FakeKube]:
    """A cluster's API until the end of the context."""
    authority = ensure_ca(folder)
    fake = FakeKube(ca_pem=authority.ca_pem)
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.socket = authority.server_context("fake").wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    fake.endpoint = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        fake.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
