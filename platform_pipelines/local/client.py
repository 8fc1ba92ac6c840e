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
LONG = 120.0  # for what moves a whole world


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
    unix: float  # the same in Unix seconds
    speed: float
    origin: float | None  # None if time stands still until it is moved
    virtual: bool
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
        begun = self._send("PUT", f"regions/{_quoted(alias)}/outage", {"mode": mode.value})
        return int(begun["after"])

    def restore(self, alias: str) -> None:
        """End a Region's outage. Raises: LocalRegionsFailed."""
        self._send("DELETE", f"regions/{_quoted(alias)}/outage")

    def calls(self, after: int = 0) -> Iterator[CallRecord]:
        """The logged calls whose number is greater than `after`. Raises: LocalRegionsFailed."""
        while True:
            found = self._send("GET", f"calls?after={after}")["calls"]
            if not found:
                return
            for values in found:
                yield CallRecord.from_json(json.dumps(values))
            after = found[-1]["n"]

    def notifications(self, after: int = 0) -> list[dict[str, Any]]:
        """What SNS has published since the message of this number. Raises: LocalRegionsFailed."""
        query = f"notifications?after={after}"
        found: list[dict[str, Any]] = self._send("GET", query)["notifications"]
        return found

    def clock(self) -> ClockState:
        """The time there. Raises: LocalRegionsFailed."""
        return ClockState(**self._send("GET", "clock"))

    def advance(self, seconds: float) -> ClockState:
        """Move virtual time on, and run what is due on the way. Raises: LocalRegionsFailed."""
        return ClockState(**self._send("POST", "clock/advance", {"seconds": seconds}))

    def lose_zone(self, alias: str, zone: str) -> int:
        """Lose a zone; returns the number of the last call before it. Raises: LocalRegionsFailed."""
        return int(self._send("PUT", f"zones/{_quoted(alias, zone)}/outage", {})["after"])

    def return_zone(self, alias: str, zone: str) -> None:
        """End a zone's outage. Raises: LocalRegionsFailed."""
        self._send("DELETE", f"zones/{_quoted(alias, zone)}/outage")

    def cut(self, one: str, other: str) -> int:
        """Cut two places off each other: aliases, the witness's Region, or `controller`.
        Raises: LocalRegionsFailed."""
        return int(self._send("PUT", f"partitions/{_quoted(one, other)}", {})["after"])

    def join(self, one: str, other: str) -> None:
        """End a partition. Raises: LocalRegionsFailed."""
        self._send("DELETE", f"partitions/{_quoted(one, other)}")

    def add_fault(self, kind: str, **fields: Any) -> str:
        """Put a fault into the book; returns its id. Raises: LocalRegionsFailed."""
        return str(self._send("POST", "faults", {"kind": kind, **fields})["id"])

    def remove_fault(self, id_: str) -> None:
        """Strike a fault out. Raises: LocalRegionsFailed."""
        self._send("DELETE", f"faults/{_quoted(id_)}")

    def clear_faults(self) -> None:
        """Strike all faults out. Raises: LocalRegionsFailed."""
        self._send("DELETE", "faults")

    def faults(self) -> list[dict[str, Any]]:
        """The book of faults. Raises: LocalRegionsFailed."""
        found: list[dict[str, Any]] = self._send("GET", "faults")["faults"]
        return found

    def add_breakpoint(self, **wanted: Any) -> str:
        """Hold a changing call: `n`, `when` (before, after), `service`, `operation`, `region`;
        returns the id. Raises: LocalRegionsFailed."""
        return str(self._send("POST", "breakpoints", wanted)["id"])

    def breakpoint(self, id_: str, wait: float = 0) -> dict[str, Any]:
        """A breakpoint, as soon as it holds a call or after `wait` real seconds (at most 60).
        Raises: LocalRegionsFailed."""
        found: dict[str, Any] = self._send(
            "GET", f"breakpoints/{_quoted(id_)}?wait={wait:g}", timeout=TIMEOUT + wait
        )
        return found

    def release(self, id_: str) -> None:
        """Take a breakpoint away; the call that it holds goes on. Raises: LocalRegionsFailed."""
        self._send("DELETE", f"breakpoints/{_quoted(id_)}")

    def take_snapshot(self, name: str) -> None:
        """Keep the world as it is now. Raises: LocalRegionsFailed."""
        self._send("POST", "snapshot", {"name": name}, timeout=LONG)

    def restore_snapshot(self, name: str) -> None:
        """Go back to a snapshot. Raises: LocalRegionsFailed."""
        self._send("POST", "restore", {"name": name}, timeout=LONG)

    def snapshots(self) -> list[str]:
        """The names of the snapshots. Raises: LocalRegionsFailed."""
        return [str(name) for name in self._send("GET", "snapshots")["snapshots"]]

    def seed(self, spec: dict[str, Any]) -> dict[str, int]:
        """Load many resources at once; how many. Raises: LocalRegionsFailed."""
        found: dict[str, int] = self._send("POST", "seed", spec, timeout=LONG)
        return found

    def _send(
        self, method: str, path: str, body: object = None, *, timeout: float = TIMEOUT
    ) -> Any:
        url = f"{self.url}/_local/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)  # http only
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise LocalRegionsFailed(self.url, _reason(error)) from error
        except OSError as error:
            raise LocalRegionsFailed(self.url, str(error)) from error


def _quoted(*names: str) -> str:
    return "/".join(quote(name, safe="") for name in names)


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace").strip()
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code} {text}"
