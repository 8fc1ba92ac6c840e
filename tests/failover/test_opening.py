from datetime import timedelta
from functools import partial

import pytest

from platform_pipelines.failover import opening
from platform_pipelines.failover.incident import MayNotFailOver
from platform_pipelines.failover.opening import Request
from platform_pipelines.failover.work import LeaseHeld, LeaseLost, Work, take_lease
from platform_pipelines.ledger import LedgerMoved
from platform_pipelines.ledger_records import IncidentState, Lease
from tests.fakes.failover_world import World

REASON = "the region is gone, AWS says so"


def _open(world: World, controller: str, **request: object) -> Work:
    ledger = world.ledger(controller=controller)
    return opening.open_(world.aws(controller), ledger, "run-1", Request(**request))  # type: ignore[arg-type]


def test_a_proposed_incident_is_taken_up(world: World) -> None:
    """It becomes open, with the lease of this run."""
    made = world.propose()
    world.clock.advance(5)
    work = world.open()
    assert work.incident == world.incident()
    assert work.incident.id == made.id
    assert work.incident.state is IncidentState.OPEN
    assert work.incident.attempt == 1
    assert work.incident.opened_at == made.t0 + timedelta(seconds=5)
    assert world.ledger().lease(made.id) == Lease(holder="run-1", counter=1)


def test_an_incident_that_waits_for_a_person_is_not_opened(world: World) -> None:
    """The text says why, and which job."""
    world.propose(needs_approval=True, why_unsafe=("the last verdict is red",))
    with pytest.raises(MayNotFailOver, match=r"approve_failover, because the last verdict is red"):
        world.open()
    assert world.incident().state is IncidentState.PROPOSED
    assert world.ledger().lease(world.incident().id) is None


def test_an_approved_incident_is_opened(world: World) -> None:
    """The word of a person is enough."""
    world.propose(needs_approval=True, approvals=({"approver": "mina"},))
    assert world.open().incident.state is IncidentState.OPEN


def test_without_roles_there_is_nothing_to_change(world: World) -> None:
    """Before the first apply."""
    world.items.by_key.clear()
    with pytest.raises(MayNotFailOver, match="run apply_infrastructure first"):
        world.open(reason=REASON)


def test_two_runs_race_and_one_wins(world: World) -> None:
    """Both read the same dead lease; the other is refused by name."""
    world.propose()
    runs = ["run-a", "run-b", "run-c"]

    def opener(holder: str) -> str:
        try:
            work = world.open(holder)
            with world.clock.beating(10, work._beat):
                world.clock.sleep(120)
            return holder
        except (LeaseHeld, LedgerMoved) as error:
            return type(error).__name__

    found = world.clock.gather([partial(opener, run) for run in runs])
    winners = [one for one in found if one in runs]
    assert len(winners) == 1
    assert set(found) - set(winners) <= {"LeaseHeld", "LedgerMoved"}
    lease = world.ledger().lease(world.incident().id)
    assert lease is not None
    assert lease.holder == winners[0]


def test_two_runs_race_for_a_dead_lease_and_one_wins(world: World) -> None:
    """Both have waited until it was dead."""
    world.propose()
    world.open("run-0")

    def taker(holder: str) -> bool:
        try:
            take_lease(world.ledger(), world.incident().id, holder)
        except LeaseHeld:
            return False
        return True

    found = world.clock.gather([lambda: taker("run-a"), lambda: taker("run-b")])
    assert sorted(found) == [False, True]


def test_a_living_run_is_not_disturbed(world: World) -> None:
    """The second one is refused as soon as it sees a beat, and says whom to follow."""
    world.propose()
    work = world.open()
    before = world.clock.monotonic()
    with work.clock.beating(10, work._beat), pytest.raises(LeaseHeld, match="Run run-1 works"):
        world.open("run-2")
    assert world.clock.monotonic() - before <= 12


def test_a_dead_lease_is_taken_over_after_its_time(world: World) -> None:
    """Its counter stood still for 30 s on our own clock."""
    world.propose()
    world.open()
    before = world.clock.monotonic()
    work = world.open("run-2")
    assert world.clock.monotonic() - before >= 30
    assert work.incident.attempt == 2
    with pytest.raises(LeaseLost):
        world.resume("run-1")


def test_a_lease_whose_answer_was_lost_is_ours(world: World) -> None:
    """The write arrived, botocore tried again, and met its own condition."""
    world.propose()
    dynamodb = world.services["tokyo"]["dynamodb"]
    put = dynamodb.put_item

    def twice(**request: object) -> object:
        put(**request)
        return put(**request)

    dynamodb.__dict__["put_item"] = twice
    take_lease(world.ledger(), world.incident().id, "run-1")
    assert world.ledger().lease(world.incident().id) == Lease(holder="run-1", counter=1)


def test_an_open_incident_is_continued_as_the_attempt_that_the_sensor_counts(world: World) -> None:
    """Or as the next one, when nobody counts."""
    world.propose()
    world.open("run-1")
    assert world.open("run-2", attempt=4).incident.attempt == 4
    assert world.open("run-3").incident.attempt == 5


def test_a_settled_incident_is_not_opened_again(world: World) -> None:
    """Another run ended it while this one waited for its lease."""
    world.propose()
    zombie = world.open("run-1")
    world.ledger().change_incident(zombie.incident, state=IncidentState.SETTLED)
    with pytest.raises(LedgerMoved):
        zombie.write(attempt=2)


# Who may promote whom


@pytest.mark.parametrize("controller", ["tokyo", "external"])
def test_who_may_promote_tokyo(world: World, controller: str) -> None:
    """Tokyo itself, and an external controller."""
    world.propose()
    assert _open(world, controller).incident.state is IncidentState.OPEN


def test_a_region_promotes_only_itself(world: World) -> None:
    """Seoul cannot know that Tokyo should be active."""
    world.propose()
    with pytest.raises(
        MayNotFailOver, match="this controller is seoul and may promote only itself"
    ):
        _open(world, "seoul")
    assert world.incident().state is IncidentState.PROPOSED


def test_another_target_than_the_incidents_is_refused(world: World) -> None:
    """One incident per epoch."""
    world.propose()
    with pytest.raises(MayNotFailOver, match="is proposed with target tokyo"):
        world.open(target="seoul")


# Launched by hand


def test_by_hand_it_looks_and_proposes_an_incident_of_its_own(world: World) -> None:
    """The launch is the approval, with the person's words."""
    world.black_out()
    work = world.open(reason=REASON)
    assert work.incident.state is IncidentState.OPEN
    assert work.incident.reason.startswith(REASON)
    assert "T0 is this launch" in work.incident.reason
    assert [one["approver"] for one in work.incident.approvals] == ["launched by hand"]
    assert work.incident.lag_before == {"efs:pictures": 240, "aurora:peccy": 20.7}


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({}, "needs a `reason`"),
        ({"reason": "  "}, "needs a `reason`"),
        ({"reason": REASON, "target": "seoul"}, "seoul is active already, since epoch 1"),
        ({"reason": REASON, "strategy": "fast"}, "there is no strategy 'fast'; use sequence"),
    ],
)
def test_by_hand_a_wrong_request_is_refused(
    world: World, request_: dict[str, str], text: str
) -> None:
    """And nothing is recorded."""
    world.black_out()
    with pytest.raises(MayNotFailOver, match=text):
        world.open(**request_)
    assert world.ledger().last_incident() is None


def test_by_hand_a_region_that_is_up_is_not_failed_over(world: World) -> None:
    """That would be a switchover, which loses nothing."""
    with pytest.raises(MayNotFailOver, match="seoul is up: its checkers and our probes reach it"):
        world.open(reason=REASON)


def test_by_hand_a_blind_controller_is_refused(world: World) -> None:
    """It cannot even see the Region that would take over."""
    world.black_out()
    sts = world.services["tokyo"]["sts"]
    sts.wire = world.wires["seoul"]
    with pytest.raises(MayNotFailOver, match="cannot even see the standby"):
        world.open(reason=REASON)


def test_by_hand_maintenance_is_respected(world: World) -> None:
    """With the reason that was given for it."""
    world.black_out()
    world.ledger().table.put("maintenance", {"reason": "a change of the network"})
    with pytest.raises(MayNotFailOver, match="in maintenance: a change of the network"):
        world.open(reason=REASON)


def test_by_hand_the_way_home_needs_the_age_of_the_data(world: World) -> None:
    """Tokyo took over, Seoul's data is old: a person must name the loss."""
    world.black_out()
    world.propose()
    world.run()
    world.restore()
    world.black_out("tokyo")
    world.clock.advance(7200)
    with pytest.raises(MayNotFailOver, match="seoul was lost in incident"):
        world.open(reason=REASON)
    with pytest.raises(MayNotFailOver, match="name an age that you really accept"):
        world.open(reason=REASON, accept_age_s=7200)
    work = world.open(reason=REASON, accept_age_s=8000)
    assert (work.incident.target, work.incident.epoch) == ("seoul", 2)
    assert work.incident.approvals[0]["accept_age_s"] == 8000
