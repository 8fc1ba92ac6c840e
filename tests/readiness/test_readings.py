import threading
from typing import Any

import pytest

from platform_pipelines.aws.dynamodb import TableUnavailable
from platform_pipelines.ledger import Ledger
from platform_pipelines.readiness import checkup
from platform_pipelines.readiness.finding import Unknown
from platform_pipelines.readiness.readings import Readings
from tests.fakes.calls import Wire, client_error
from tests.fakes.clock import FakeClock
from tests.fakes.data import FakeEfs, Files
from tests.fakes.session import FakeAws
from tests.readiness.builders import PLATFORM


class FakeSts:
    """An STS that answers as long as its Region does."""

    meta: Any

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def get_caller_identity(self) -> dict[str, str]:
        self.wire.call("GetCallerIdentity")
        return {"Account": PLATFORM.account}


class World:
    """Both Regions with an STS and an EFS; nothing else of them answers."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log: list[tuple[str, str]] = []
        lock = threading.RLock()
        self.wires = {one.alias: Wire(one.alias, self.log, lock) for one in PLATFORM.regions}
        self.files = Files(self.clock)
        for one in PLATFORM.regions:
            self.files.add(one.name, f"fs-{one.alias}", "peccy-pictures")
        self.aws = FakeAws(PLATFORM, self.clock, self.services)

    def services(self, alias: str) -> dict[str, Any]:
        wire = self.wires[alias]
        name = PLATFORM.region(alias).name
        return {"sts": FakeSts(wire), "efs": FakeEfs(wire, self.files, name)}

    def readings(self) -> Readings:
        return Readings(self.aws, self.ledger)

    def ledger(self) -> Ledger:
        raise TableUnavailable("peccy-ledger", "seoul", "no table")

    def calls(self, alias: str) -> list[str]:
        return [operation for where, operation in self.log if where == alias]


@pytest.fixture
def world() -> World:
    """Both Regions are up."""
    return World()


def test_an_inventory_is_read_once_whoever_asks(world: World) -> None:
    """Many checks at once share one read; a new run reads anew."""
    readings = world.readings()
    found = world.clock.gather([lambda: readings.efs_file_systems("seoul")] * 8)
    assert all(one is found[0] for one in found)
    once = world.calls("seoul")
    readings.efs_file_systems("seoul")
    assert world.calls("seoul") == once
    assert once.count("GetCallerIdentity") == 1
    world.readings().efs_file_systems("seoul")
    assert world.calls("seoul") == once * 2


def test_only_the_platforms_own_file_systems_count(world: World) -> None:
    """Others of the account are nobody's concern."""
    world.files.add(PLATFORM.region("seoul").name, "fs-other", "somebody-elses")
    found = world.readings().efs_file_systems("seoul")
    assert not isinstance(found, Unknown)
    assert [one.state.id for one in found] == ["fs-seoul"]


def test_a_dark_region_is_asked_twice_and_then_left_alone(world: World) -> None:
    """Silence at STS and at a first read is the Region's: the rest is unknown at once."""
    world.wires["seoul"].dark = True
    readings = world.readings()
    asked: list[str] = []
    world.wires["seoul"].on_call = lambda _, operation: asked.append(operation)
    first = readings.efs_file_systems("seoul")
    assert isinstance(first, Unknown)
    world.wires["seoul"].dark = False
    for found in (readings.node_groups("seoul"), readings.aurora_clusters("seoul")):
        assert isinstance(found, Unknown)
        assert "the Region does not answer" in found.reason
    assert asked == []
    assert not isinstance(readings.efs_file_systems("tokyo"), Unknown)


def test_one_service_that_refuses_is_unknown_alone(world: World) -> None:
    """A refusal is an answer: the Region is there, and its other services are asked."""

    def refuse(_: str, operation: str) -> None:
        if operation != "GetCallerIdentity":
            raise client_error("AccessDenied", "not for you", operation)

    world.wires["seoul"].on_call = refuse
    readings = world.readings()
    found = readings.efs_file_systems("seoul")
    assert isinstance(found, Unknown)
    assert "AccessDenied" in found.reason
    again = readings.node_groups("seoul")
    assert isinstance(again, Unknown)
    assert "the Region does not answer" not in again.reason


def test_what_an_inventory_needs_and_cannot_read_is_said_in_its_name(world: World) -> None:
    """Images are unknown because the cluster is: the reason is the cluster's."""
    found = world.readings().ecr_images("seoul")
    assert isinstance(found, Unknown)
    assert found.what == "ecr_images"
    assert "peccy-seoul" in found.reason


def test_a_ledger_that_cannot_be_read_is_unknown(world: World) -> None:
    """The verdict is red, and says so; nothing crashes with hardly anything to look at."""
    verdict = checkup.judge(world.readings())
    assert verdict.colour == "red"
    assert any("no table" in reason for reason in verdict.reasons)
