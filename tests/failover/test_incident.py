from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from platform_pipelines.failover import incident
from platform_pipelines.failover.incident import Case, NothingToApprove
from platform_pipelines.failover.loss import Loss
from platform_pipelines.ledger import LedgerMoved
from platform_pipelines.ledger_records import Colour, Incident, IncidentState, Verdict
from platform_pipelines.model import Approval
from tests.failover.looks import ROLES, T, fresh
from tests.fakes.failover_world import PLATFORM, World

SAFE = (
    Loss(kind="efs", resource="pictures", lag=240.0, seconds=240.0),
    Loss(kind="aurora", resource="peccy", lag=1.5, seconds=41.5),
)
GREEN = Verdict(at=T - timedelta(hours=1), colour=Colour.GREEN)


def _case(**changes: Any) -> Case:
    values: dict[str, Any] = {"roles": ROLES, "last": None, "t0": T, "verdict": GREEN}
    return Case(**{**values, "losses": list(SAFE), **changes})


def _last(state: IncidentState, settled_before: timedelta | None = None) -> Incident:
    return Incident(
        id="inc-1-20261122T020000Z",
        state=state,
        epoch=0,
        target="seoul",
        strategy="sequence",
        t0=T,
        proposed_at=T - timedelta(days=2),
        reason="a test",
        settled_at=T - settled_before if settled_before is not None else None,
    )


@pytest.mark.parametrize(
    ("last", "accept", "text"),
    [
        (None, None, ""),
        (_last(IncidentState.ABORTED), None, ""),
        (_last(IncidentState.EXPIRED), None, ""),
        (_last(IncidentState.CLOSED, timedelta(minutes=61)), None, ""),
        (_last(IncidentState.CLOSED, timedelta(minutes=20)), None, "cooldown is 60 min"),
        (_last(IncidentState.PROPOSED), None, "is proposed; one incident per epoch"),
        (_last(IncidentState.OPEN), 60.0, "is open; one incident per epoch"),
        (_last(IncidentState.SETTLED, timedelta(minutes=20)), None, "settled 20 min ago"),
        (_last(IncidentState.SETTLED, timedelta(days=2)), None, "tokyo was lost in incident"),
        (_last(IncidentState.SETTLED, timedelta(minutes=20)), 60.0, ""),
        (_last(IncidentState.SETTLED, timedelta(days=2)), 60.0, ""),
    ],
)
def test_what_forbids_a_failover(last: Incident | None, accept: float | None, text: str) -> None:
    """One incident per epoch, a cooldown, and no target whose data is old; a person who names the
    age of the data may, but not into the middle of another incident."""
    found = incident.forbidden(_case(last=last), PLATFORM, T, accept)
    assert text in found
    assert bool(found) == bool(text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"verdict": replace(GREEN, colour=Colour.AMBER)}, ""),
        ({"verdict": None}, "no readiness verdict was known"),
        (
            {"verdict": replace(GREEN, at=T - timedelta(hours=27))},
            "the last verdict is 1620 min old",
        ),
        ({"verdict": replace(GREEN, colour=Colour.RED, reasons=("a", "b"))}, "is red: a; b"),
        ({"losses": [replace(SAFE[0], lag=None)]}, "the lag of efs:pictures at T0 is unknown"),
        ({"losses": [replace(SAFE[0], lag=1201.0)]}, "was 1201 s, over 1200 s"),
        ({"losses": [replace(SAFE[0], lag=1200.0)]}, ""),
        ({"losses": [replace(SAFE[1], lag=None)]}, "the lag of aurora:peccy at T0 is unknown"),
        ({"losses": [replace(SAFE[1], lag=61.0)]}, "the lag of aurora:peccy at T0 was 61 s"),
    ],
)
def test_what_makes_a_failover_unsafe(changes: dict[str, Any], text: str) -> None:
    """Judged on what was known before T0; unknown is not safe."""
    found = incident.unsafe(_case(**changes), PLATFORM)
    assert len(found) == bool(text)
    assert text in "".join(found)


def test_every_reason_is_named() -> None:
    """Whoever approves must know all of them."""
    losses = [replace(one, lag=None) for one in SAFE]
    assert len(incident.unsafe(_case(verdict=None, losses=losses), PLATFORM)) == 3


@pytest.mark.parametrize(
    ("policy", "safe", "waits"),
    [
        (Approval.NEVER, False, False),
        (Approval.WHEN_UNSAFE, True, False),
        (Approval.WHEN_UNSAFE, False, True),
        (Approval.ALWAYS, True, True),
    ],
)
def test_the_policy_says_who_waits_for_a_person(
    world: World, policy: Approval, safe: bool, waits: bool
) -> None:
    """And why it is unsafe is recorded under every policy."""
    failover = PLATFORM.failover.model_copy(update={"approval": policy})
    platform = PLATFORM.model_copy(update={"failover": failover})
    case = _case(verdict=GREEN if safe else None)
    made = incident.propose(world.ledger(), case, platform, fresh(), "seoul is down")
    assert made.needs_approval == waits
    assert made.approved != waits
    assert bool(made.why_unsafe) != safe
    assert world.incident() == made


def test_a_proposal_records_what_was_known(world: World) -> None:
    """The verdict, the lags, T0, and the epoch it was made in."""
    made = incident.propose(world.ledger(), _case(), PLATFORM, fresh(), "seoul is down")
    assert made.id == "inc-1-20261122T030000Z"
    assert made.lag_before == {"efs:pictures": 240, "aurora:peccy": 41.5}
    assert made.verdict_before == {
        "at": "2026-11-22T02:00:00.000Z",
        "colour": "green",
        "reasons": [],
    }
    assert (made.epoch, made.target, made.t0) == (1, "tokyo", T)


def test_two_controllers_propose_one_incident(world: World) -> None:
    """In the same second, even: the second is told that the ledger moved."""
    incident.propose(world.ledger("tokyo"), _case(), PLATFORM, fresh(), "first")
    with pytest.raises(LedgerMoved):
        incident.propose(world.ledger("seoul"), _case(), PLATFORM, fresh(), "second")
    assert world.incident().reason == "first"


def test_an_approval_is_recorded_with_its_words(world: World) -> None:
    """Who, why, when, and the loss that is accepted."""
    made = incident.propose(world.ledger(), _case(verdict=None), PLATFORM, fresh(), "down")
    incident.approve(world.ledger(), made.id, "mina", "we lose pictures only", 900.0)
    found = world.incident()
    assert found.approved
    assert found.approvals == (
        {
            "approver": "mina",
            "reason": "we lose pictures only",
            "at": "2026-11-22T03:00:00.000Z",
            "accept_data_loss_s": 900,
        },
    )


@pytest.mark.parametrize(("lost", "text"), [(1000.0, "is 1000 s"), (None, "is unknown")])
def test_an_approval_must_cover_what_is_known(world: World, lost: float | None, text: str) -> None:
    """A number that is too small, or that nobody can compare, is not an approval."""
    losses = [Loss(kind="efs", resource="pictures", seconds=lost)]
    made = incident.propose(world.ledger(), _case(losses=losses), PLATFORM, fresh(), "down")
    world.ledger().change_incident(made, lag_before={"efs:pictures": lost})
    with pytest.raises(NothingToApprove, match=f"the loss of efs:pictures {text}"):
        incident.approve(world.ledger(), made.id, "mina", "go", 900.0)
    assert not world.incident().approved


def test_an_approval_of_another_incident_is_refused(world: World) -> None:
    """A stale tab of the UI; the text names the right one."""
    made = incident.propose(world.ledger(), _case(), PLATFORM, fresh(), "down")
    with pytest.raises(NothingToApprove, match=f"the ledger's incident is {made.id}"):
        incident.approve(world.ledger(), "inc-0-20261101T000000Z", "mina", "go", None)


def test_an_approval_without_incident_is_refused(world: World) -> None:
    """Nothing is down."""
    with pytest.raises(NothingToApprove, match="the ledger has none"):
        incident.approve(world.ledger(), "inc-1-20261122T030000Z", "mina", "go", None)


@pytest.mark.parametrize("state", [one for one in IncidentState if one != "proposed"])
def test_an_approval_comes_too_late(world: World, state: IncidentState) -> None:
    """What is open, over or settled takes none."""
    made = incident.propose(world.ledger(), _case(), PLATFORM, fresh(), "down")
    world.ledger().change_incident(made, state=state)
    with pytest.raises(NothingToApprove, match=f"it is {state} already"):
        incident.approve(world.ledger(), made.id, "mina", "go", None)
