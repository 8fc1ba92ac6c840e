"""The service as its clients reach it: resolve the host anew, then speak to that address.

The load balancers listen for plain HTTP on port 80, as `manifests/apps` and the health checks of
`cfn/dns.py` say. With target local the addresses are those of the embedded load balancers, reached
through the local Regions' service port as a proxy.
"""

import json
from dataclasses import dataclass
from typing import Any

import urllib3

from platform_pipelines.aws.dns import Resolver
from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import Failed
from platform_pipelines.model import Verification

PORT = 80
NOT_CONNECTED = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
TIMEOUT = urllib3.Timeout(connect=1.5, read=1.5)  # real seconds


@dataclass
class NotServed(Failed):
    """A request to the service got no answer, or not the one that we expect."""

    host: str
    request: str
    what: str

    def __str__(self) -> str:
        return (
            f"{self.request} at {self.host}: {self.what}. "
            f"Look at the pods behind it, then at its database and file system."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the service answered."""

    status: int
    body: bytes
    address: str

    def json(self) -> Any:
        """The body as JSON; None if it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class ServiceClient:
    """Requests to the platform's hosts."""

    def __init__(
        self, settings: Settings, resolver: Resolver, timeout: urllib3.Timeout = TIMEOUT
    ) -> None:
        self._settings = settings
        self._resolver = resolver
        self._timeout = timeout

    def request(
        self, host: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Response:
        """One request, to the first of the host's addresses that lets us connect.
        Raises: NameNotResolved, NotServed."""
        headers = {
            "Host": host,
            "Accept": "application/json",
            "Connection": "close",
            "User-Agent": self._settings.user_agent,
        }
        data = json.dumps(body).encode() if body is not None else None
        if data is not None:
            headers["Content-Type"] = "application/json"
        reason = "it has no address"
        for address in self._resolver.addresses(host).addresses:
            try:
                answer = self._send(address, method, path, data, headers)
            except NOT_CONNECTED as error:
                reason = _reason(error)
            except urllib3.exceptions.HTTPError as error:
                raise NotServed(host, f"{method} {path}", _reason(error)) from error
            else:
                return Response(status=answer.status, body=answer.data, address=address)
        raise NotServed(host, f"{method} {path}", reason)

    def verify(self, host: str, transaction: Verification) -> str:
        """Write, read back and remove; returns the address that served it.
        Raises: NameNotResolved, NotServed."""
        created = self._expect(host, "POST", transaction.path, 201, dict(transaction.body))
        identifier = (created.json() or {}).get("id")
        if identifier is None:
            raise NotServed(host, f"POST {transaction.path}", "the answer has no `id`")
        one = f"{transaction.path}/{identifier}"
        read = self._expect(host, "GET", one, 200)
        found = read.json()
        if not isinstance(found, dict) or any(
            found.get(key) != value for key, value in transaction.body.items()
        ):
            raise NotServed(host, f"GET {one}", f"read back {found!r}, not what was written")
        self._expect(host, "DELETE", one, 204, also=200)
        return created.address

    def _expect(
        self,
        host: str,
        method: str,
        path: str,
        status: int,
        body: dict[str, Any] | None = None,
        also: int | None = None,
    ) -> Response:
        answer = self.request(host, method, path, body)
        if answer.status not in (status, also):
            text = answer.body[:200].decode(errors="replace")
            raise NotServed(host, f"{method} {path}", f"{answer.status}, not {status}: {text}")
        return answer

    def _send(
        self,
        address: str,
        method: str,
        path: str,
        data: bytes | None,
        headers: dict[str, str],
    ) -> urllib3.BaseHTTPResponse:
        if self._settings.service_proxy:
            with urllib3.ProxyManager(self._settings.service_proxy, timeout=self._timeout) as proxy:
                url = f"http://{address}{path}"
                return proxy.request(method, url, body=data, headers=headers, retries=False)
        with urllib3.HTTPConnectionPool(address, PORT, timeout=self._timeout) as pool:
            return pool.request(method, path, body=data, headers=headers, retries=False)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
