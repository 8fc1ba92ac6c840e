from dataclasses import replace
from datetime import timedelta

import pytest

from platform_pipelines.failover.signals import Look, Observer, Pulse, State, Vantage
from platform_pipelines.ledger_records import Heartbeat
from tests.failover.looks import ROLES, T
from tests.fakes.calls import client_error
from tests.fakes.failover_world import World


@pytest.fixture
def observer(world: World) -> Observer:
    """An observer that has looked once at a Seoul that is up."""
    world.ledger("seoul").beat("seoul")
    observer = Observer(world.platform, world.aws())
    observer.look(ROLES, None)
    return observer


def _states(look: Look) -> dict[str, str]:
    return {one.vantage.value: one.state.value for one in look.signals}


def test_a_quiet_region_is_up_from_every_vantage(observer: Observer) -> None:
    """Checkers, heartbeat and probes; and we can see."""
    look = observer.look(ROLES, None)
    assert look.quiet
    assert look.self_check is State.UP
    assert _states(look) == {"checkers": "up", "heartbeat": "up", "probes": "up"}
    assert look.heartbeat == Heartbeat(counter=1, at=T)


def test_a_dark_region_is_down_from_every_vantage(world: World, observer: Observer) -> None:
    """After the checkers' and the heartbeat's time."""
    pulse = Pulse(counter=1, since=T)
    world.black_out()
    look = observer.look(ROLES, pulse)
    assert _states(look) == {"checkers": "up", "heartbeat": "up", "probes": "down"}
    world.clock.advance(60)
    look = observer.look(ROLES, pulse)
    assert _states(look) == {"checkers": "down", "heartbeat": "down", "probes": "down"}
    assert look.self_check is State.UP


def test_a_controller_without_network_sees_nothing(world: World, observer: Observer) -> None:
    """Its own Region does not answer either: the self-check fails."""
    world.black_out("seoul")
    world.black_out("tokyo")
    look = observer.look(ROLES, None)
    assert look.self_check is State.DOWN
    assert look.state(Vantage.HEARTBEAT) is State.UNKNOWN


def test_checkers_that_do_not_answer_are_unknown(world: World, observer: Observer) -> None:
    """What others tell us is never down by silence."""
    world.checkers["seoul"] = None
    assert observer.look(ROLES, None).state(Vantage.CHECKERS) is State.UNKNOWN


def test_an_odd_word_of_the_checkers_is_unknown(world: World, observer: Observer) -> None:
    """Somebody wrote something else into the record."""
    world.checkers["seoul"] = "maybe"
    assert observer.look(ROLES, None).state(Vantage.CHECKERS) is State.UNKNOWN


def test_a_region_without_heartbeat_is_unknown(world: World) -> None:
    """Nobody started the process."""
    look = Observer(world.platform, world.aws()).look(ROLES, None)
    assert look.state(Vantage.HEARTBEAT) is State.UNKNOWN
    assert look.heartbeat is None


def test_an_unreadable_ledger_is_unknown(world: World, observer: Observer) -> None:
    """And does not move what is known of the pulse."""
    world.items.exists = False
    look = observer.look(ROLES, Pulse(counter=1, since=T - timedelta(hours=1)))
    assert look.state(Vantage.HEARTBEAT) is State.UNKNOWN


def test_a_broken_application_leaves_the_region_up(world: World, observer: Observer) -> None:
    """Every service down, both APIs answer."""
    world.broken.add("seoul")
    look = observer.look(ROLES, None)
    assert look.state(Vantage.PROBES) is State.UP
    assert "answers 503" in look.signals[2].detail


def test_broken_apis_leave_a_serving_region_up(world: World, observer: Observer) -> None:
    """Clients are served: nothing to fail over from."""
    world.wires["seoul"].dark = True
    assert observer.look(ROLES, None).state(Vantage.PROBES) is State.UP


def test_one_api_and_every_service_down_is_unknown(world: World, observer: Observer) -> None:
    """AWS's API does not answer, the cluster's still does; no service does: a person decides."""
    world.wires["seoul"].dark = True
    world.broken.add("seoul")
    assert observer.look(ROLES, None).state(Vantage.PROBES) is State.UNKNOWN


def test_credentials_that_are_refused_are_no_outage(world: World, observer: Observer) -> None:
    """AWS answered: what is wrong is ours."""
    observer.look(ROLES, None)  # the clients are made
    world.services["seoul"]["sts"].get_caller_identity = _refuse
    look = observer.look(ROLES, None)
    assert look.state(Vantage.PROBES) is State.UP
    assert "ExpiredToken" in look.signals[2].detail


def _refuse() -> None:
    raise client_error("ExpiredToken", "the token is expired", "GetCallerIdentity", 403)


def test_another_accounts_credentials_fail_the_self_check(world: World, observer: Observer) -> None:
    """And the account is named, because the ledger would only say that there is none."""
    observer.look(ROLES, None)
    world.services["tokyo"]["sts"].get_caller_identity = lambda: {"Account": "999999999999"}
    assert observer.look(ROLES, None).self_check is State.DOWN


def test_names_that_do_not_resolve_are_not_down(world: World, observer: Observer) -> None:
    """Our resolver's trouble: APIs down, services unknown."""
    world.black_out()
    hidden = Observer(world.platform, world.aws())
    hidden._service._resolver._settings = replace(world.aws().settings, dns=("127.0.0.1", 1))
    assert hidden.look(ROLES, None).state(Vantage.PROBES) is State.UNKNOWN


def test_the_cluster_is_probed_at_the_endpoint_that_was_learnt(
    world: World, observer: Observer
) -> None:
    """EKS's API is dark, so it cannot be asked where the cluster is."""
    world.black_out()
    assert "Kubernetes API answers 500" in observer.look(ROLES, None).signals[2].detail


@pytest.mark.parametrize(
    ("counter", "since"),
    [(7, T), (8, T + timedelta(seconds=5)), (None, T), (1, T + timedelta(seconds=5))],
)
def test_a_pulse_moves_with_the_counter(counter: int | None, since: object) -> None:
    """An unreadable heartbeat changes nothing; a counter that was reset is a sign of life."""
    now = T + timedelta(seconds=5)
    heartbeat = None if counter is None else Heartbeat(counter=counter, at=now)
    assert Pulse(counter=7, since=T).next(heartbeat, now).since == since


def test_the_heartbeat_is_dead_after_its_time(world: World, observer: Observer) -> None:
    """By our own observation of its counter, not by the time that it wrote."""
    world.clock.advance(59)
    assert observer.look(ROLES, Pulse(counter=1, since=T)).state(Vantage.HEARTBEAT) is State.UP
    world.clock.advance(1)
    assert observer.look(ROLES, Pulse(counter=1, since=T)).state(Vantage.HEARTBEAT) is State.DOWN
    assert observer.look(ROLES, Pulse(counter=0, since=T)).state(Vantage.HEARTBEAT) is State.UP
