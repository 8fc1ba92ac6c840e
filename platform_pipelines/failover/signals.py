"""One look at the active Region: every signal at once, each from a vantage of its own.

A probe that we make ourselves and that times out, is refused or gets a 5xx is `down`; what others
tell us (Route 53's checkers, the ledger) is `unknown` when they do not answer. Unknown is never
down. The self-check of the same look says whether we can see anything at all.
"""

import base64
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import urllib3

from platform_pipelines.aws import eks
from platform_pipelines.aws.dns import NameNotResolved, Resolver
from platform_pipelines.aws.http import NotServed, ServiceClient
from platform_pipelines.aws.region import Aws, AwsError, AwsRegion, Timeouts, refused
from platform_pipelines.clock import Clock
from platform_pipelines.errors import PlatformError
from platform_pipelines.ledger import Ledger
from platform_pipelines.ledger_records import Heartbeat, Roles
from platform_pipelines.model import Platform


class State(StrEnum):
    """What one signal says of the active Region."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class Vantage(StrEnum):
    """From where a signal sees the Region; a quorum counts vantages, not signals."""

    CHECKERS = "checkers"  # Route 53's, read over the DNS data plane
    HEARTBEAT = "heartbeat"  # the Region's own, in the ledger
    PROBES = "probes"  # ours: the service, AWS's API, Kubernetes' API


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One observation."""

    vantage: Vantage
    state: State
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All signals of a moment."""

    at: datetime
    self_check: State
    signals: tuple[Signal, ...]
    heartbeat: Heartbeat | None = None

    def state(self, vantage: Vantage) -> State:
        """What a vantage says; unknown if it said nothing."""
        return next((one.state for one in self.signals if one.vantage is vantage), State.UNKNOWN)

    @property
    def quiet(self) -> bool:
        """Whether every signal is up."""
        return all(one.state is State.UP for one in self.signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Since when a Region's heartbeat counter stands where it stands."""

    counter: int
    since: datetime

    def next(self, heartbeat: Heartbeat | None, now: datetime) -> "Pulse":
        """The pulse after another reading; an unreadable heartbeat changes nothing."""
        if heartbeat is None or heartbeat.counter == self.counter:
            return self
        return Pulse(counter=heartbeat.counter, since=now)


@dataclass
class Observer:
    """Looks at the active Region of a platform. One per process: it keeps clients and endpoints."""

    platform: Platform
    aws: Aws
    _endpoints: dict[str, tuple[str, str]] = field(default_factory=dict)  # and CA, by alias

    def __post_init__(self) -> None:
        # Connecting, or resolving, gets one half of a look's time, the answer the other.
        self._half = self.platform.failover.look_timeout.total_seconds() / 2
        limits = Timeouts(connect=self._half, read=self._half, attempts=1)
        self._probes = self.aws.patient(limits)
        self._resolver = Resolver(self.aws.settings, self.platform.domain, self._half)
        self._service = ServiceClient(
            self.aws.settings, self._resolver, urllib3.Timeout(total=self._half)
        )

    @property
    def clock(self) -> Clock:
        """The time of the looks."""
        return self.aws.settings.clock

    def ledger(self, roles: Roles) -> Ledger:
        """The ledger through the Region that would take over, with a look's patience."""
        return Ledger(self._probes[roles.standby], self.platform, self.clock)

    def look(self, roles: Roles, pulse: Pulse | None) -> Look:
        """Read every signal in parallel. `pulse` is what is known of the heartbeat so far."""
        at = self.clock.now()
        active, standby = self._probes[roles.active], self._probes[roles.standby]
        checkers, beat, own, *probes = self.clock.gather(
            [
                lambda: self._checkers(active),
                lambda: self._heartbeat(roles),
                lambda: self._self_check(standby),
                lambda: self._aws_api(active),
                lambda: self._kubernetes(active),
                lambda: self._learn(active),
                *(_service_probe(self._service, host, path) for host, path in self._hosts(active)),
            ]
        )
        assert isinstance(beat, tuple)
        heartbeat, unreadable = beat
        found = [probe for probe in [checkers, own, *probes] if isinstance(probe, Signal)]
        return Look(
            at=at,
            self_check=found[1].state,
            heartbeat=heartbeat,
            signals=(
                found[0],
                self._pulse_signal(pulse, heartbeat, unreadable, at),
                _together(found[2:]),
            ),
        )

    def _hosts(self, active: AwsRegion) -> Iterable[tuple[str, str]]:
        for service in self.platform.services:
            yield service.regional_host(active.region), service.health_path

    def _checkers(self, active: AwsRegion) -> Signal:
        name = self.platform.signal_host(active.region)
        try:
            text = self._resolver.text(name)
        except NameNotResolved as error:
            return Signal(vantage=Vantage.CHECKERS, state=State.UNKNOWN, detail=str(error))
        state = State(text) if text in (State.UP, State.DOWN) else State.UNKNOWN
        return Signal(vantage=Vantage.CHECKERS, state=state, detail=f"{name} says {text!r}")

    def _heartbeat(self, roles: Roles) -> tuple[Heartbeat | None, str]:
        try:
            return self.ledger(roles).heartbeat(roles.active), "there is none in the ledger"
        except PlatformError as error:
            return None, str(error)

    def _pulse_signal(
        self, pulse: Pulse | None, heartbeat: Heartbeat | None, unreadable: str, now: datetime
    ) -> Signal:
        if heartbeat is None:
            return Signal(vantage=Vantage.HEARTBEAT, state=State.UNKNOWN, detail=unreadable)
        after = pulse.next(heartbeat, now) if pulse else Pulse(counter=heartbeat.counter, since=now)
        still = now - after.since
        dead = still >= self.platform.failover.heartbeat_dead
        return Signal(
            vantage=Vantage.HEARTBEAT,
            state=State.DOWN if dead else State.UP,
            detail=f"beat {after.counter} has stood for {_whole(still)}",
        )

    def _self_check(self, standby: AwsRegion) -> Signal:
        """Whether we see the Region that would take over, with credentials of its account."""
        try:
            standby.verify_account(self.platform.account)
        except PlatformError as error:
            return _probe(State.DOWN, f"self-check: {error}")
        return _probe(State.UP, "self-check: the standby answers")

    def _aws_api(self, active: AwsRegion) -> Signal:
        """Any answer below 500 is life: expired credentials of ours are no outage of AWS's."""
        try:
            active.sts.get_caller_identity()
        except AwsError as error:
            return _probe(State.UP if refused(error) else State.DOWN, f"AWS API: {error}")
        return _probe(State.UP, "AWS API answers")

    def _kubernetes(self, active: AwsRegion) -> Signal:
        """Any answer below 500 is life; 401 is one."""
        endpoint = self._endpoints.get(active.alias)
        if endpoint is None:
            return _probe(State.UNKNOWN, "Kubernetes API: its endpoint is not known")
        return _probe(*_reached(*endpoint, urllib3.Timeout(total=2 * self._half)))

    def _learn(self, active: AwsRegion) -> None:
        """Keep the endpoint for the next looks while EKS answers: asking EKS first would make a
        look at a dark Region twice as long."""
        try:
            cluster = eks.describe_cluster(active, self.platform.cluster_name(active.region))
        except AwsError:
            return
        if cluster and cluster.endpoint and cluster.ca:
            self._endpoints[active.alias] = (cluster.endpoint, cluster.ca)


def is_back(look: Look) -> bool:
    """Whether the Region answers from where nobody's memory is needed: the heartbeat is not asked,
    because one reading of it cannot stand still."""
    return all(look.state(one) is State.UP for one in (Vantage.CHECKERS, Vantage.PROBES))


def _reached(endpoint: str, ca: str, timeout: urllib3.Timeout) -> tuple[State, str]:
    """Whether an API server speaks, and is the cluster's own: its certificate must be of the CA
    that EKS named."""
    try:
        tls = ssl.create_default_context(cadata=base64.b64decode(ca).decode())
        with urllib3.PoolManager(ssl_context=tls) as pool:
            answer = pool.request("GET", f"{endpoint}/readyz", timeout=timeout, retries=False)
    except urllib3.exceptions.HTTPError as error:
        return State.DOWN, f"Kubernetes API: {error}"
    state = State.UP if answer.status < 500 else State.DOWN
    return state, f"Kubernetes API answers {answer.status}"


def _service_probe(client: ServiceClient, host: str, path: str) -> Callable[[], Signal]:
    def probe() -> Signal:
        try:
            answer = client.request(host, "GET", path)
        except NameNotResolved as error:
            return _probe(State.UNKNOWN, f"service: {error}")
        except NotServed as error:
            return _probe(State.DOWN, f"service: {error.host}: {error.what}")
        state = State.UP if answer.status < 500 else State.DOWN
        return _probe(state, f"service: {host} answers {answer.status}")

    return probe


def _probe(state: State, detail: str) -> Signal:
    return Signal(vantage=Vantage.PROBES, state=state, detail=detail)


def _together(probes: list[Signal]) -> Signal:
    """Our own probes as one vantage. Down: no service and no API answers. Services down while an
    API is up may be an application's outage: up if both APIs answer, else unknown, never down."""
    services = [one.state for one in probes if one.detail.startswith("service:")]
    apis = [one.state for one in probes if not one.detail.startswith("service:")]
    dark = bool(services) and all(state is State.DOWN for state in services)
    if dark and State.DOWN in apis:
        state = State.UNKNOWN if State.UP in apis else State.DOWN
    else:
        state = State.UP if State.UP in apis else State.UNKNOWN
    return Signal(
        vantage=Vantage.PROBES, state=state, detail="; ".join(one.detail for one in probes)
    )


def _whole(delta: timedelta) -> str:
    return f"{delta.total_seconds():.0f} s"
