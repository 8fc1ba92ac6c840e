"""An HTTP server on loopback, with or without TLS, that answers what a function says. It stands for
the load balancers of both Regions (as a forward proxy) and for a cluster's Kubernetes API."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for."""

    method: str
    address: str  # of the proxied server; empty when it is asked directly
    host: str  # the Host header
    path: str
    query: dict[str, list[str]]
    body: Any


Answer = Callable[[Request], tuple[int, Any]]  # the status, and what the body has as JSON


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is written in parts
    answer: Answer

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            address=parts.hostname or "",
            host=self.headers.get("Host", ""),
            path=parts.path,
            query=parse_qs(parts.query),
            body=json.loads(self.rfile.read(length) or b"null"),
        )
        status, found = type(self).answer(request)
        data = b"" if status == 204 else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Tests read the world, not a log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that gave up is nothing to tell."""


@contextmanager
def serve(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server until the end of the context, and its URL."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    with _Server(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
