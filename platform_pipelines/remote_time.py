"""The time of local Regions, asked and moved over their control API. Used by `virtual_clock`."""

import http.client
import json
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from platform_pipelines.clock import VARIABLE
from platform_pipelines.errors import Failed

TIMEOUT = 120.0  # real seconds; moving time on by a day takes a while


@dataclass
class ClockUnreachable(Failed):
    """The local Regions that keep the time do not answer."""

    url: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{VARIABLE}: {self.url} does not tell the time: {self.reason}. "
            f"Start the local Regions with --clock virtual."
        )


class Remote:
    """The time of the local Regions, over their control API; one connection a thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urlsplit(url).netloc
        self._local = threading.local()

    def now(self) -> float:
        """Unix seconds. Raises: ClockUnreachable."""
        return float(self._ask("GET", "clock")["unix"])

    def move(self, to: float) -> float:
        """Go on to this time, and run all that is due on the way. Raises: ClockUnreachable."""
        return float(self._ask("POST", "clock/advance", {"to": to})["unix"])

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask once, and once more on a new connection: the server may have been started again."""
        try:
            try:
                return self._send(method, path, body)
            except (http.client.HTTPException, ConnectionError):
                self._forget()
                return self._send(method, path, body)
        except (http.client.HTTPException, OSError, ValueError) as error:
            self._forget()
            raise ClockUnreachable(self.url, str(error) or type(error).__name__) from error

    def _send(self, method: str, path: str, body: Any) -> Any:
        connection = self._connection()
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/_local/{path}", data)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(content.get("error", f"HTTP {answer.status}"))
        return content

    def _connection(self) -> http.client.HTTPConnection:
        if getattr(self._local, "connection", None) is None:
            self._local.connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        connection: http.client.HTTPConnection = self._local.connection
        return connection

    def _forget(self) -> None:
        if getattr(self._local, "connection", None) is not None:
            self._local.connection.close()
            self._local.connection = None
