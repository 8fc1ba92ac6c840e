"""How a message of SNS is posted to an HTTP endpoint of this machine, and to no other.

Real seconds, no proxy, no redirect: what a subscriber answers cannot lead a message elsewhere.
"""

import contextlib
import http.client
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

PATIENCE = 5.0  # real seconds that a subscriber may take

Post = Callable[[str, bytes, Mapping[str, str]], str]  # url, body, headers → why it failed, or ""


def post(ca_pem: bytes, url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """POST to this machine, following nothing elsewhere; why it failed, or nothing."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _connection(ca_pem, parts.scheme, parts.hostname or "", parts.port)
        with contextlib.closing(connection):
            connection.request("POST", path, body, dict(headers))
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return "" if 200 <= status < 300 else f"HTTP {status}"


def _connection(
    ca_pem: bytes, scheme: str, host: str, port: int | None
) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context(cadata=ca_pem.decode())
        return http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)
    return http.client.HTTPConnection(host, port, timeout=PATIENCE)


def is_here(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
