"""What every fake service does with a call: it counts it, and can be dark or killed at it."""

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError


class Killed(BaseException):
    """The process died here: nothing after this line has happened."""


def client_error(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    """An error as botocore raises it."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "0",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        operation,
    )


class Wire:
    """The way from a process to one Region: every call of every fake goes through it."""

    def __init__(self, alias: str, log: list[tuple[str, str]], lock: threading.RLock) -> None:
        self.alias = alias
        self.dark = False
        self.log = log  # (alias, operation), of both Regions, in order
        self.lock = lock
        self.on_call: Callable[[str, str], None] | None = None

    def call(self, operation: str) -> None:
        """One call arrives. Raises: EndpointConnectionError, if the Region is dark."""
        with self.lock:
            if self.dark:
                raise EndpointConnectionError(endpoint_url=f"https://{self.alias}")
            if self.on_call:
                self.on_call(self.alias, operation)
            self.log.append((self.alias, operation))


class Paginator:
    """A paginator over a list of pages that a function makes."""

    def __init__(self, pages: Callable[..., list[dict[str, Any]]]) -> None:
        self._pages = pages

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        return self._pages(**arguments)
