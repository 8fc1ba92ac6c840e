from collections.abc import Callable
from typing import Any

import pytest

from platform_pipelines.failover.watcher import Attempt, Ticked, Watcher
from platform_pipelines.ledger_records import Colour, IncidentState, plain
from platform_pipelines.model import Platform
from tests.fakes.failover_world import PLATFORM, Stage, World

Attempts = Callable[[str], list[Attempt]]


def _none(_incident: str) -> list[Attempt]:
    return []


class Sensor:
    """The sensor's side: it keeps the cursor and asks again and again."""

    def __init__(self, world: World, controller: str = "external") -> None:
        self.world = world
        self.watcher = Watcher(world.aws(controller), tick_s=0)
        self.cursor: dict[str, Any] = {}
        world.ledger("seoul").beat("seoul")

    def tick(self, attempts: Attempts = _none) -> Ticked:
        ticked = self.watcher.tick(self.cursor, attempts)
        self.cursor = ticked.cursor
        return ticked

    def watch(self, seconds: float, attempts: Attempts = _none) -> Ticked:
        """Tick every second until a run should start, or time is over."""
        ticked = self.tick(attempts)
        for _ in range(int(seconds)):
            if ticked.launch:
                break
            self.world.clock.advance(1)
            ticked = self.tick(attempts)
        return ticked


@pytest.fixture
def sensor(world: World) -> Sensor:
    """An external controller that has seen Seoul up."""
    sensor = Sensor(world)
    sensor.watch(10)
    return sensor


def _at_work(number: int = 1) -> Attempts:
    return lambda _: [Attempt(number=number, finished=False, waiting=False)]


def _failed(*numbers: int) -> Attempts:
    return lambda _: [Attempt(number=one, finished=True, waiting=False) for one in numbers]


def test_a_quiet_region_is_only_watched(sensor: Sensor, world: World) -> None:
    """No incident, no run."""
    ticked = sensor.tick()
    assert ticked.message == "seoul is up."
    assert ticked.launch is None
    assert world.ledger().last_incident() is None


def test_an_outage_is_proposed_and_launched(sensor: Sensor, world: World) -> None:
    """Held by all vantages; T0 is the first look that saw it; Tokyo is the target."""
    world.black_out()
    dark = world.clock.now()
    ticked = sensor.watch(100)
    assert ticked.launch is not None
    assert ticked.launch.attempt == 1
    incident = ticked.launch.incident
    assert incident == world.incident()
    assert incident.state is IncidentState.PROPOSED
    assert incident.target == "tokyo"
    assert incident.t0 == dark
    assert 30 <= (incident.proposed_at - dark).total_seconds() <= 72
    assert not incident.needs_approval
    assert incident.signals[0]["at"] == plain(dark)


def test_a_tick_looks_again_and_again(world: World) -> None:
    """For its whole length, more often once something is down, and not a moment longer."""
    world.ledger("seoul").beat("seoul")
    watcher = Watcher(world.aws(), tick_s=38.5)
    before = world.clock.monotonic()
    watcher.tick({}, _none)
    assert 33.5 <= world.clock.monotonic() - before <= 38.5
    assert _looks(world) == 8
    world.black_out()
    watcher.tick({}, _none)
    assert _looks(world) == 8 + 39


def _looks(world: World) -> int:
    return world.log.count(("tokyo", "GetCallerIdentity"))


def test_what_is_not_enough_is_said(sensor: Sensor, world: World) -> None:
    """Since when, and who."""
    world.black_out()
    ticked = sensor.tick()
    assert ticked.message.startswith("seoul: probes down since 2026-11-22T03:00:10")


def test_a_heartbeat_alone_is_said_without_t0(sensor: Sensor, world: World) -> None:
    """Its process died; nothing else is wrong."""
    ticked = sensor.watch(70)
    assert "heartbeat down since" in ticked.message
    assert world.ledger().last_incident() is None


def test_an_application_outage_is_never_failed_over(sensor: Sensor, world: World) -> None:
    """The Region is up; somebody should look at the pods."""
    world.broken.add("seoul")
    world.checkers["seoul"] = "down"
    ticked = sensor.watch(200)
    assert ticked.message == "The service is down in seoul, but the Region is up: no failover."
    assert world.ledger().last_incident() is None


def test_a_blind_controller_decides_nothing(sensor: Sensor, world: World) -> None:
    """It cannot see the standby either; what it had seen stays."""
    world.black_out()
    sensor.watch(20)
    world.services["tokyo"]["sts"].wire = world.wires["seoul"]
    ticked = sensor.watch(100)
    assert ticked.message.startswith("The self-check failed")
    assert world.ledger().last_incident() is None


def test_an_unreadable_ledger_decides_nothing_and_is_found_again(
    sensor: Sensor, world: World
) -> None:
    """The cursor stays as it was."""
    before = sensor.tick().cursor
    world.items.exists = False
    ticked = sensor.tick()
    assert ticked.message.startswith("The ledger cannot be read")
    assert ticked.cursor == before
    world.items.exists = True
    assert sensor.tick().message == "seoul is up."


def test_before_the_first_apply_it_says_what_to_run(world: World) -> None:
    """There are no roles."""
    sensor = Sensor(world)
    world.items.by_key.clear()
    assert "run apply_infrastructure" in sensor.tick().message


def test_the_active_regions_controller_promotes_nobody(world: World) -> None:
    """Seoul's own sensor does not even look."""
    sensor = Sensor(world, "seoul")
    world.log.clear()
    assert sensor.tick().message == "This controller is seoul and may not promote tokyo."
    assert "GetCallerIdentity" not in [name for _, name in world.log]


def test_the_standbys_controller_promotes_itself(world: World) -> None:
    """Tokyo's sensor sees Seoul die."""
    sensor = Sensor(world, "tokyo")
    sensor.watch(10)
    world.black_out()
    ticked = sensor.watch(100)
    assert ticked.launch is not None


def test_two_controllers_see_it_and_one_incident_is_made(world: World) -> None:
    """Both launch a run of the same incident; the lease keeps the runs apart."""
    sensors = [Sensor(world), Sensor(world, "tokyo")]
    for sensor in sensors:
        sensor.watch(5)
    world.black_out()
    launched = []
    for _ in range(100):
        world.clock.advance(1)
        launched += [one.launch for one in (sensor.tick() for sensor in sensors) if one.launch]
        if len(launched) == 2:
            break
    assert {launch.incident.id for launch in launched} == {world.incident().id}
    assert len([key for key in world.items.by_key if key[1].startswith("incident/")]) == 1


# What keeps it from proposing


def test_maintenance_is_only_reported(sensor: Sensor, world: World) -> None:
    """By the ledger's flag."""
    world.ledger().table.put("maintenance", {"reason": "a drill"})
    world.black_out()
    ticked = sensor.watch(100)
    assert ticked.message == "seoul is down, but the platform is in maintenance: a drill."
    assert world.ledger().last_incident() is None


def test_maintenance_of_the_file_is_only_reported(stage: Stage) -> None:
    """By platform.yaml."""
    world = World(stage, _with(maintenance=True))
    sensor = Sensor(world)
    sensor.watch(10)
    world.black_out()
    assert sensor.watch(100).message == "seoul is down, but platform.yaml says maintenance."


def test_no_second_failover_within_the_cooldown(sensor: Sensor, world: World) -> None:
    """Tokyo took over and dies too: a person must decide."""
    world.black_out()
    world.propose()
    world.run()
    world.restore()
    world.ledger("tokyo").beat("tokyo")
    sensor.watch(10)
    world.black_out("tokyo")
    ticked = sensor.watch(100)
    assert ticked.launch is None
    assert "tokyo is down, but incident" in ticked.message
    assert "cooldown is 60 min" in ticked.message


def test_an_unsafe_failover_waits_for_a_person(sensor: Sensor, world: World) -> None:
    """Proposed, not launched; after the approval it is."""
    world.ledger().record_verdict(Colour.RED, ("images differ",), world.clock.now())
    world.clock.advance(1)
    world.black_out()
    ticked = sensor.watch(100)
    assert ticked.launch is None
    assert (
        "waits for job approve_failover: the last verdict is red: images differ" in ticked.message
    )
    incident = world.incident()
    world.ledger().change_incident(incident, approvals=({"approver": "mina"},))
    ticked = sensor.tick()
    assert ticked.launch is not None
    assert ticked.launch.incident.id == incident.id


def test_a_verdict_that_came_after_t0_does_not_count(sensor: Sensor, world: World) -> None:
    """The nightly check saw the outage as well; what was known before was green."""
    world.black_out()
    sensor.watch(40)
    world.ledger().record_verdict(Colour.RED, ("seoul does not answer",), world.clock.now())
    ticked = sensor.watch(100)
    assert ticked.launch is not None
    assert ticked.launch.incident.verdict_before is not None
    assert ticked.launch.incident.verdict_before["colour"] == "green"


# Attempts


@pytest.fixture
def launched(sensor: Sensor, world: World) -> Sensor:
    """A sensor that has asked for the first attempt."""
    world.black_out()
    assert sensor.watch(100).launch is not None
    return sensor


def test_an_attempt_that_starts_is_waited_for(launched: Sensor, world: World) -> None:
    """One launch per attempt."""
    waiting = [Attempt(number=1, finished=False, waiting=True)]
    ticked = launched.watch(250, lambda _: waiting)
    assert ticked.launch is None
    assert ticked.message.endswith("attempt 1 is starting.")
    again = launched.watch(100, lambda _: waiting).launch  # its process never came
    assert again is not None
    assert again.attempt == 2


def test_an_attempt_at_work_is_left_alone(launched: Sensor, world: World) -> None:
    """As long as its lease moves."""
    work = world.open()
    with world.clock.beating(10, work._beat):
        ticked = launched.watch(300, _at_work())
    assert ticked.launch is None
    assert ticked.message.endswith("attempt 1 is at work.")


def test_a_dead_attempt_is_followed_by_the_next(launched: Sensor, world: World) -> None:
    """Its process was killed: Dagster says running, the lease stands still."""
    world.open()
    before = world.clock.monotonic()
    ticked = launched.watch(100, _at_work())
    assert ticked.launch is not None
    assert ticked.launch.attempt == 2
    assert world.clock.monotonic() - before >= 30


def test_a_failed_attempt_is_followed_by_the_next(launched: Sensor, world: World) -> None:
    """After a pause, so that five do not burn in seconds; nobody has to press a button."""
    ended = world.clock.monotonic()
    assert launched.tick(_failed(1, 2)).message.endswith("the next one is soon.")
    launch = launched.watch(60, _failed(1, 2)).launch
    assert launch is not None
    assert launch.attempt == 3
    assert 30 <= world.clock.monotonic() - ended <= 32


def test_a_proposal_ends_when_the_region_is_back(sensor: Sensor, world: World) -> None:
    """While it waits for a person; a new outage is a new incident with its own T0."""
    world.ledger().record_verdict(Colour.RED, ("images differ",), world.clock.now())
    world.clock.advance(1)
    world.black_out()
    sensor.watch(100)
    first = world.incident()
    world.restore()
    assert "answers again" in sensor.tick().message
    ticked = sensor.watch(60)
    assert world.ledger().incident(first.id) is not None
    assert world.incident().state is IncidentState.EXPIRED
    assert ticked.launch is None
    world.black_out()
    sensor.watch(200)
    assert world.incident().id != first.id
    assert world.incident().state is IncidentState.PROPOSED


def test_after_five_attempts_a_person_is_needed(launched: Sensor) -> None:
    """It stops, and says so."""
    ticked = launched.tick(_failed(1, 2, 3, 4, 5))
    assert ticked.launch is None
    assert ticked.message.endswith(
        "5 attempts ended unsettled; read their errors, then launch region_failover."
    )


def test_a_settled_incident_is_followed_no_more(launched: Sensor, world: World) -> None:
    """Tokyo is watched from then on, with nothing left over from Seoul."""
    world.run()
    ticked = launched.tick(_failed(1))
    assert ticked.launch is None
    assert ticked.cursor["watch"]["epoch"] == 2


def test_an_attempt_that_died_after_the_roles_changed_is_continued_by_its_own_region(
    world: World,
) -> None:
    """The roles call Tokyo active, the incident is open, Seoul is dark: only Tokyo can end it."""
    sensor = Sensor(world, "tokyo")
    sensor.watch(10)
    world.black_out()
    sensor.watch(100)
    work = world.open()
    world.ledger().change_roles(work.incident)
    launch = sensor.watch(100, _at_work()).launch
    assert launch is not None
    assert launch.attempt == 2


def test_an_aborted_incident_leaves_no_memory_of_its_looks(launched: Sensor, world: World) -> None:
    """The Region came back, and dies again: T0 and hold are new."""
    world.ledger().change_incident(world.incident(), state=IncidentState.ABORTED)
    world.clock.advance(3600)
    began = world.clock.now()
    world.services["tokyo"]["cloudwatch"].samples.append((began, 700.0))
    world.files.last_sync = began
    launch = launched.watch(100).launch
    assert launch is not None
    assert launch.incident.t0 >= began
    assert (launch.incident.proposed_at - began).total_seconds() >= 60


def _with(**policy: Any) -> Platform:
    failover = PLATFORM.failover.model_copy(update=policy)
    return PLATFORM.model_copy(update={"failover": failover})
