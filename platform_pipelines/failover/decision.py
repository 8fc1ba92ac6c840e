"""From looks to a decision: who was down, since when, and is that enough to change roles.

Pure: a `Watch` is what the earlier looks left (it lives in the sensor's cursor), `see` adds a look,
`decide` reads the rule. Automatic failover needs the checkers, the heartbeat and our own probes down
at once; checkers and probes for the policy's hold and number of looks. The heartbeat's own stillness
is its hold. One look that does not say `down` starts a vantage's hold anew.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from platform_pipelines.failover.signals import Look, Pulse, State, Vantage
from platform_pipelines.ledger_records import Roles, parse_time, plain
from platform_pipelines.model import FailoverPolicy

EVIDENCE = 12  # looks that are kept with an incident: the first ones and the last ones
FIRST = 4


class Decision(StrEnum):
    """What a look makes of the active Region."""

    UP = "up"
    UNSEEN = "unseen"  # nothing says down, and something does not say anything
    BLIND = "blind"  # we cannot see anything: decide nothing
    SUSPECT = "suspect"  # something is down, but it is not enough, or not long enough
    DOWN = "down"  # change roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """How long a vantage has said `down` without a break."""

    since: datetime
    looks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What earlier looks of an epoch left."""

    epoch: int
    t0: datetime | None = None  # the first evidence of the outage that still goes on
    pulse: Pulse | None = None
    down: dict[str, Down]  # by vantage
    evidence: tuple[dict[str, Any], ...] = ()

    @classmethod
    def fresh(cls, roles: Roles) -> "Watch":
        """Nothing seen yet in this epoch."""
        return cls(epoch=roles.epoch, down={})


def see(watch: Watch, look: Look) -> Watch:
    """The watch after another look. A look without self-check proves nothing, and ends nothing."""
    if look.self_check is not State.UP:
        return watch
    now = look.at
    down = {
        one.vantage.value: _longer(watch.down.get(one.vantage.value), now)
        for one in look.signals
        if one.state is State.DOWN
    }
    pulse = watch.pulse
    if look.heartbeat:
        first = Pulse(counter=look.heartbeat.counter, since=now)
        pulse = pulse.next(look.heartbeat, now) if pulse else first
    t0 = _t0(watch, look)
    before = watch.evidence if watch.t0 == t0 else ()
    evidence = _thinned((*before, _evidence(look))) if down or t0 else ()
    return replace(watch, down=down, pulse=pulse, t0=t0, evidence=evidence)


def decide(policy: FailoverPolicy, watch: Watch, look: Look) -> Decision:
    """What the rule says after `watch` has seen `look`."""
    if look.self_check is not State.UP:
        return Decision.BLIND
    if not watch.down:
        return Decision.UP if look.quiet else Decision.UNSEEN
    held = all(
        (one := watch.down.get(vantage.value)) is not None
        and look.at - one.since >= policy.hold
        and one.looks >= policy.looks
        for vantage in (Vantage.CHECKERS, Vantage.PROBES)
    )
    return Decision.DOWN if held and Vantage.HEARTBEAT.value in watch.down else Decision.SUSPECT


def application_outage(look: Look) -> bool:
    """The checkers do not reach the service, but the Region is there: alert, never fail over."""
    return look.state(Vantage.CHECKERS) is State.DOWN and look.state(Vantage.PROBES) is State.UP


def dump(watch: Watch) -> dict[str, Any]:
    """A watch as plain values, for the cursor."""
    values: dict[str, Any] = plain(asdict(watch))
    return values


def restore(values: dict[str, Any]) -> Watch:
    """The watch that `dump` wrote."""
    pulse = values.get("pulse")
    return Watch(
        epoch=values["epoch"],
        t0=parse_time(values["t0"]) if values.get("t0") else None,
        pulse=Pulse(counter=pulse["counter"], since=parse_time(pulse["since"])) if pulse else None,
        down={
            name: Down(since=parse_time(one["since"]), looks=one["looks"])
            for name, one in values["down"].items()
        },
        evidence=tuple(values.get("evidence", ())),
    )


def _t0(watch: Watch, look: Look) -> datetime | None:
    """The first evidence that the Region is down: our probes see it. What went wrong while they
    reached the Region (a heartbeat that was never started, a broken application) is none of it: an
    older T0 would make the losses look smaller than they are."""
    match look.state(Vantage.PROBES):
        case State.DOWN:
            return watch.t0 or look.at
        case State.UP:
            return None
    return watch.t0


def _longer(before: Down | None, now: datetime) -> Down:
    return Down(since=before.since, looks=before.looks + 1) if before else Down(since=now, looks=1)


def _thinned(looks: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    return looks if len(looks) <= EVIDENCE else (*looks[:FIRST], *looks[FIRST - EVIDENCE :])


def _evidence(look: Look) -> dict[str, Any]:
    signals = {
        one.vantage.value: {"state": one.state.value, "detail": one.detail[:300]}
        for one in look.signals
    }
    return {"at": plain(look.at), "self_check": look.self_check.value, "signals": signals}
