"""A typed client of the local Regions' control API, for the demo, tests and rehearsals.

It speaks to loopback only, without any proxy of the environment.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from platform_pipelines.errors import Failed
from platform_pipelines.local.calls import CallRecord
from platform_pipelines.local.world import Outage

TIMEOUT = 10.0  # real seconds


@dataclass
class LocalRegionsFailed(Failed):
    """The control API refused, or nothing answers there."""

    url: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The local Regions at {self.url}: {self.reason}. "
            f"Are they started (`python -m platform_pipelines.local`)?"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """The time of the local Regions."""

    now: str  # AWS-like, ISO, UTC
    speed: float
    origin: float
    platform_clock: str  # the value of PLATFORM_CLOCK that shares this time


class LocalClient:
    """The control API of one world."""

    def __init__(self, url: str = "http://127.0.0.1:4566") -> None:
        self.url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def healthy(self) -> bool:
        """Whether the local Regions are up and ready."""
        try:
            return bool(self._send("GET", "health")["ready"])
        except LocalRegionsFailed:
            return False

    def outages(self) -> dict[str, Outage]:
        """The dark Regions, by alias."""
        found = self._send("GET", "health")["outages"]
        return {alias: Outage(mode) for alias, mode in found.items()}

    def black_out(self, alias: str, mode: Outage = Outage.HANG) -> int:
        """Make a Region dark; returns the number of the last call before it was.
        Raises: LocalRegionsFailed."""
        begun = self._send("PUT", f"regions/{quote(alias, safe='')}/outage", {"mode": mode.value})
        return int(begun["after"])

    def restore(self, alias: str) -> None:
        """End a Region's outage. Raises: LocalRegionsFailed."""
        self._send("DELETE", f"regions/{quote(alias, safe='')}/outage")

    def calls(self, after: int = 0) -> Iterator[CallRecord]:
        """The logged calls whose number is greater than `after`. Raises: LocalRegionsFailed."""
        while True:
            found = self._send("GET", f"calls?after={after}")["calls"]
            if not found:
                return
            for values in found:
                yield CallRecord.from_json(json.dumps(values))
            after = found[-1]["n"]

    def clock(self) -> ClockState:
        """The time there. Raises: LocalRegionsFailed."""
        return ClockState(**self._send("GET", "clock"))

    def _send(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self.url}/_local/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)  # http only
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise LocalRegionsFailed(self.url, _reason(error)) from error
        except OSError as error:
            raise LocalRegionsFailed(self.url, str(error)) from error


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace").strip()
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code} {text}"
