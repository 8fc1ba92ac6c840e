import json
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from platform_pipelines.failover import decision
from platform_pipelines.failover.decision import Decision, Watch
from platform_pipelines.failover.signals import Look, Pulse, State, Vantage
from platform_pipelines.ledger_records import Heartbeat
from platform_pipelines.model import FailoverPolicy
from tests.failover.looks import T, fresh, look

POLICY = FailoverPolicy()
BEAT = 10.0


def _after(*looks: Look) -> tuple[Watch, Decision]:
    watch = fresh()
    for one in looks:
        watch = decision.see(watch, one)
    return watch, decision.decide(POLICY, watch, looks[-1])


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (["UUU@0"], Decision.UP),
        (["DDD@0"], Decision.SUSPECT),  # not held
        (["DDD@0", "DDD@15", "DDD@30"], Decision.DOWN),
        (["DDD@0", "DDD@30"], Decision.SUSPECT),  # long enough, but two looks
        (["DDD@0", "DDD@5", "DDD@29"], Decision.SUSPECT),  # three looks, but too short
        (["DUD@0", "DUD@15", "DDD@30"], Decision.DOWN),  # the heartbeat's stillness is its hold
        (["DUD@0", "DUD@15", "DUD@30"], Decision.SUSPECT),  # the Region's heart beats
        (["D?D@0", "D?D@15", "D?D@30"], Decision.SUSPECT),  # unknown is never down
        (["DDU@0", "DDU@15", "DDU@30"], Decision.SUSPECT),  # an application outage
        (["UDD@0", "UDD@15", "UDD@30"], Decision.SUSPECT),  # only we see it: our network
        (["?DD@0", "?DD@15", "?DD@30"], Decision.SUSPECT),  # DNS does not answer
        (["DDD@0", "DDD@15", "UUU@20", "DDD@30"], Decision.SUSPECT),  # it blinked
        (["DDD@0", "DDD@15", "DD?@20", "DDD@30"], Decision.SUSPECT),  # a hold without a break
        (["DDD@0", "DDD@15", "---@30"], Decision.BLIND),
        (["DDD@0", "DDD@15", "---@20", "DDD@30"], Decision.DOWN),  # blindness ends nothing
        (["---@0", "---@15", "---@30"], Decision.BLIND),
        (["DDD@0", "DDD@15", "DDD@30", "UUU@31"], Decision.UP),
    ],
)
def test_the_rule(history: list[str], expected: Decision) -> None:
    """Checkers and probes held down, the heartbeat dead, and our own eyes open."""
    looks = [look(one[:3], float(one[4:])) for one in history]
    assert _after(*looks)[1] is expected


def test_t0_is_the_first_look_that_saw_it_down() -> None:
    """Not the one that decided."""
    watch, made = _after(look("UUU", 0), look("UUD", 5), look("DUD", 40), *_down(41, 71))
    assert made is Decision.DOWN
    assert watch.t0 == T + timedelta(seconds=5)


def test_a_heartbeat_that_was_never_started_is_no_t0() -> None:
    """Days without a heartbeat, then the Region dies: the losses are counted from its death."""
    watch, made = _after(
        look("UDU", 0), look("UDU", 90_000), look("UDD", 90_005), *_down(90_035, 90_065)
    )
    assert made is Decision.DOWN
    assert watch.t0 == T + timedelta(seconds=90_005)


def test_an_application_outage_is_no_t0() -> None:
    """Two hours of a broken service, then the Region dies: the losses are those of the Region."""
    watch, made = _after(look("DUU", 0), look("DUU", 7_200), *_down(7_205, 7_300))
    assert made is Decision.DOWN
    assert watch.t0 == T + timedelta(seconds=7_205)


def test_an_unknown_look_does_not_move_t0() -> None:
    """The outage goes on while our own DNS has a bad second; the hold begins anew."""
    watch, _ = _after(look("UUD", 0), look("UU?", 5), look("DDD", 10))
    assert watch.t0 == T
    assert watch.down[Vantage.PROBES].since == T + timedelta(seconds=10)


def test_an_outage_that_ended_leaves_nothing() -> None:
    """The next one begins with a T0 and a hold of its own."""
    watch, _ = _after(look("DDD", 0), look("DDD", 30), look("UUU", 31))
    assert watch == fresh()


def test_evidence_begins_with_t0() -> None:
    """Days without a heartbeat do not push it out."""
    watch, _ = _after(*(look("UDU", at) for at in range(50)), look("UDD", 50), look("DDD", 51))
    assert [one["at"][-7:] for one in watch.evidence] == ["50.000Z", "51.000Z"]


def test_evidence_is_kept_from_the_first_doubt() -> None:
    """Quiet looks are not; what every vantage said is."""
    watch, _ = _after(look("UUU", 0), look("UUD", 5), look("DUD", 6))
    assert [one["at"] for one in watch.evidence] == [
        "2026-11-22T03:00:05.000Z",
        "2026-11-22T03:00:06.000Z",
    ]
    assert watch.evidence[1]["signals"]["checkers"]["state"] == "down"


def test_evidence_stays_small_and_keeps_its_beginning() -> None:
    """A long outage must fit into a cursor and an item, and T0 must be in it."""
    watch, _ = _after(*(look("DDD", at) for at in range(1000)))
    assert len(watch.evidence) == decision.EVIDENCE
    assert watch.evidence[0]["at"] == "2026-11-22T03:00:00.000Z"
    assert watch.evidence[-1]["at"] == "2026-11-22T03:16:39.000Z"


def test_a_watch_survives_the_cursor() -> None:
    """JSON and back, with everything that the rule needs."""
    watch, _ = _after(look("UUU", 0, counter=7), look("DDD", 5, counter=7), look("DDD", 6))
    kept = json.loads(json.dumps(decision.dump(watch)))
    assert decision.restore(kept) == watch
    assert decision.restore(json.loads(json.dumps(decision.dump(fresh())))) == fresh()


def test_an_application_outage_is_told_apart() -> None:
    """The checkers do not reach the service, our probes reach the Region."""
    assert decision.application_outage(look("DUU", 0))
    assert not decision.application_outage(look("DUD", 0))
    assert not decision.application_outage(look("UUU", 0))


def _down(first: int, last: int) -> list[Look]:
    return [look("DDD", at) for at in range(first, last + 1, 10)]


def _random_history(chance: random.Random) -> Iterator[Look]:
    at, states = 0.0, "UUU"
    while at < 600:
        if chance.random() < 0.3:
            weights = chance.choice([(8, 1, 1), (1, 8, 1), (0, 30, 1)])
            states = "".join(chance.choices("UD?", weights=weights, k=3))
        blind = chance.random() < 0.05
        yield look("---" if blind else states, at)
        at += chance.choice([1.0, 1.0, 2.5, 5.0, 40.0])


def _held(history: list[Look], vantage: Vantage) -> bool:
    """The rule in its own words, from the whole history."""
    run = []
    for one in reversed(history):
        if one.self_check is not State.UP:
            continue
        if one.state(vantage) is not State.DOWN:
            break
        run.append(one)
    return bool(run) and len(run) >= 3 and run[0].at - run[-1].at >= timedelta(seconds=30)


def test_down_is_said_exactly_when_the_quorum_is_held() -> None:
    """Over random histories: never without it, never when blind, and always with it."""
    said = 0
    for seed in range(300):
        watch, history = fresh(), list[Look]()
        for one in _random_history(random.Random(seed)):
            history.append(one)
            watch = decision.see(watch, one)
            made = decision.decide(POLICY, watch, one)
            quorum = (
                one.self_check is State.UP
                and one.state(Vantage.HEARTBEAT) is State.DOWN
                and _held(history, Vantage.CHECKERS)
                and _held(history, Vantage.PROBES)
            )
            assert (made is Decision.DOWN) == quorum, (seed, one.at)
            if made is Decision.DOWN:
                said += 1
                assert watch.t0 is not None
                assert watch.t0 <= one.at - timedelta(seconds=30)
    assert said > 100


def _outage_seen_at(chance: random.Random) -> tuple[float, float]:
    """When a real outage began, and when the rule called it."""
    began, phase = chance.uniform(100, 200), chance.uniform(0, BEAT)
    watch, at = fresh(), chance.uniform(0, 5)
    checkers = began + chance.uniform(20, 40)
    while True:
        counter = int((min(at, began) + phase) // BEAT)
        beat = Heartbeat(counter=counter, at=T)
        now = T + timedelta(seconds=at)
        pulse = watch.pulse.next(beat, now) if watch.pulse else Pulse(counter=counter, since=now)
        dead = now - pulse.since >= POLICY.heartbeat_dead
        letters = (
            "D" if at >= checkers else "U",
            "D" if dead else "U",
            "D" if at >= began else "U",
        )
        one = look("".join(letters), at, counter)
        watch = decision.see(watch, one)
        if decision.decide(POLICY, watch, one) is Decision.DOWN:
            return began, at
        at += 5.0 if one.quiet else 1.0


def test_a_real_outage_is_called_in_time() -> None:
    """Within 70 s and two looks, wherever it falls between looks, beats and checks."""
    late = []
    for seed in range(300):
        began, called = _outage_seen_at(random.Random(seed))
        assert called - began >= 30
        late.append(called - began)
    assert max(late) <= 70 + 2 * 5
