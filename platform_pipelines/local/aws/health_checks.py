"""Route 53's health checks: they look by themselves, count, and change their mind only after a while.

The checkers stand outside of all Regions. An endpoint check resolves its name and goes through the
load balancer; a check of an S3 endpoint reads the object as an anonymous client at a checker's
address. Fast checks look each `health_check_interval`, 30-second ones each third time.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.world import World

Config = dict[str, Any]

LOOK = "route53.look"
FAST = 10  # RequestInterval of a fast check; others are 30
DEFAULT_INTERVAL, DEFAULT_THRESHOLD = 30, 3
ALARM_TYPE = "CLOUDWATCH_METRIC"
ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What an endpoint check looks at."""

    host: str
    path: str
    secure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at an endpoint."""

    status: int | None  # of HTTP; None if nothing answered
    body: bytes = b""
    reason: str  # in words, if nothing answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the checkers hold of one endpoint, before inversion."""

    up: bool = True  # a new check counts as up until it knows better
    contrary: int = 0  # looks in a row that say otherwise
    report: str | None = None  # of the last look, if there was one
    at: datetime
    failure: str | None = None  # the last failure's report
    failed_at: datetime | None = None


class HealthChecks:
    """The account's health checks and what they have seen. Used on the event loop's thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[str, Observation] = {}
        self._round = 0
        self._fetch: Callable[[Endpoint], Look] = _nothing_there
        world.timers.on(LOOK, self._look)
        world.timers.every(world.durations.health_check_interval, LOOK)

    def dump(self) -> dict[str, Any]:
        """What was seen, as JSON values."""
        seen = {id_: _as_json(one) for id_, one in self._seen.items()}
        return {"round": self._round, "seen": seen}

    def load(self, state: dict[str, Any]) -> None:
        """Go on with what `dump` gave."""
        self._round = state["round"]
        self._seen = {id_: _from_json(one) for id_, one in state["seen"].items()}

    def look_through(self, fetch: Callable[[Endpoint], Look]) -> None:
        """Say how the checkers reach an endpoint."""
        self._fetch = fetch

    def healthy(self, id_: str) -> bool:
        """Whether records of this check are answered; a check that is gone counts as healthy."""
        config = dict(self._configs()).get(id_)
        if config is None:
            return True
        up = bool(config.get("Disabled")) or self._up(id_, config)
        return up is not bool(config.get("Inverted"))

    def seen(self, id_: str) -> Observation | None:
        """What the checkers saw; None if there is no such check."""
        if id_ not in dict(self._configs()):
            return None
        return self._seen.get(id_) or Observation(at=self._world.datetime())

    def _up(self, id_: str, config: Config) -> bool:
        if config.get("Type") == "CALCULATED":
            children = config.get("ChildHealthChecks", [])
            healthy = sum(self.healthy(child) for child in children)
            return bool(healthy >= config.get("HealthThreshold", len(children)))
        seen = self._seen.get(id_)
        return seen is None or seen.up

    def _look(self) -> None:
        self._world.timers.after(self._world.durations.health_check_interval, LOOK)
        self._round += 1
        checks = dict(self._configs())
        self._seen = {id_: seen for id_, seen in self._seen.items() if id_ in checks}
        for id_, config in checks.items():
            slow = config.get("RequestInterval", DEFAULT_INTERVAL) != FAST
            if config.get("Type") == ALARM_TYPE:
                self._follow(id_, config)
            elif config.get("Type") in ENDPOINT_TYPES and not config.get("Disabled"):
                if slow and self._round % 3:
                    continue
                self._observe(id_, config)

    def _observe(self, id_: str, config: Config) -> None:
        now = self._world.datetime()
        up, report = judge(config, self._fetch(_endpoint(config)))
        before = self._seen.get(id_) or Observation(at=now)
        contrary = 0 if up is before.up else before.contrary + 1
        turned = contrary >= config.get("FailureThreshold", DEFAULT_THRESHOLD)
        after = replace(
            before,
            up=up if turned else before.up,
            contrary=0 if turned else contrary,
            report=report,
            at=now,
        )
        self._seen[id_] = after if up else replace(after, failure=report, failed_at=now)

    def _follow(self, id_: str, config: Config) -> None:
        """Take an alarm's state; without enough data what the check says, or the last that was known."""
        named = config["AlarmIdentifier"]
        with ministack.scope(self._world.platform.account, named["Region"]):
            alarm = ministack.service("cloudwatch")._alarms.get(named["Name"])
        unknown = stores.dark(self._world, named["Region"]) or alarm is None
        state = "INSUFFICIENT_DATA" if unknown else alarm["StateValue"]
        wanted = config.get("InsufficientDataHealthStatus", "LastKnownStatus")
        before = self._seen.get(id_) or Observation(at=self._world.datetime())
        known = {"OK": True, "ALARM": False}.get(
            state, before.up if wanted == "LastKnownStatus" else wanted == "Healthy"
        )
        report = f"{'Success' if known else 'Failure'}: the alarm is {state}"
        self._seen[id_] = replace(before, up=known, report=report, at=self._world.datetime())

    def _configs(self) -> Iterator[tuple[str, Config]]:
        home = self._world.platform.home_region.name
        with ministack.scope(self._world.platform.account, home):
            checks = list(ministack.service("route53")._health_checks.items())
        return ((id_, check["config"]) for id_, check in checks)


def judge(config: Config, look: Look) -> tuple[bool, str]:
    """Whether a look counts as a success, and the report that AWS writes of it."""
    if look.status is None:
        return False, f"Failure: {look.reason}"
    if config["Type"] == "TCP":
        return True, "Success: connected"
    text = f"HTTP Status Code {look.status}"
    if not 200 <= look.status < 400:
        return False, f"Failure: {text}. Resolve the endpoint so that it answers 2xx or 3xx"
    wanted = config.get("SearchString", "")
    if config["Type"].endswith("STR_MATCH") and wanted.encode() not in look.body[:5120]:
        return False, f"Failure: {text}, the search string was not found"
    return True, f"Success: {text}, OK"


def _as_json(seen: Observation) -> dict[str, Any]:
    failed = seen.failed_at.isoformat() if seen.failed_at else None
    return asdict(seen) | {"at": seen.at.isoformat(), "failed_at": failed}


def _from_json(row: dict[str, Any]) -> Observation:
    failed = datetime.fromisoformat(row["failed_at"]) if row["failed_at"] else None
    return Observation(**row | {"at": datetime.fromisoformat(row["at"]), "failed_at": failed})


def _endpoint(config: Config) -> Endpoint:
    return Endpoint(
        host=config.get("FullyQualifiedDomainName") or config.get("IPAddress", ""),
        path=config.get("ResourcePath") or "/",
        secure=config["Type"].startswith("HTTPS"),
    )


def _nothing_there(endpoint: Endpoint) -> Look:
    return Look(status=None, reason=f"there is no way to {endpoint.host} yet")
