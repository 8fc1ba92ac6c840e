"""The book of faults: whom each kind concerns, and for how long."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from platform_pipelines import model
from platform_pipelines.local.faults import Ending
from platform_pipelines.local.world import Ports, World
from platform_pipelines.local.worldclock import Standing
from tests.local_world import PLATFORM

START = 1_800_000_000.0
SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world whose time the test moves."""
    return World(
        platform=model.load(PLATFORM),
        state=tmp_path,
        ports=Ports(kube={"seoul": 1, "tokyo": 2}),
        clock=Standing(START),
    )


def pass_time(world: World, seconds: float) -> None:
    """Move time on."""
    assert isinstance(world.clock, Standing)
    for _ in world.timers.passing(world.clock, world.now() + seconds):
        pass


def test_an_error_meets_only_the_calls_that_it_names(world: World) -> None:
    """By service, operation and Region; a Region by its alias or AWS name."""
    world.faults.add({"kind": "error", "service": "rds", "region": "tokyo", "code": "X"})
    assert world.faults.error("rds", "DescribeDBClusters", TOKYO)
    assert world.faults.error("rds", "DescribeDBClusters", SEOUL) is None
    assert world.faults.error("efs", "DescribeFileSystems", TOKYO) is None


def test_a_one_shot_error_is_spent(world: World) -> None:
    """`times` counts the calls that it meets."""
    world.faults.add({"kind": "error", "times": 2})
    met = [world.faults.error("efs", "DescribeFileSystems", TOKYO) is not None for _ in range(4)]
    assert met == [True, True, False, False]
    assert list(world.faults) == []


def test_a_rate_meets_the_same_calls_in_every_run(world: World) -> None:
    """About that part of them."""
    runs = []
    for _ in range(2):
        world.faults.clear()
        world.faults.add({"kind": "error", "rate": 0.3})
        runs.append([world.faults.error("s3", "PutObject", TOKYO) is None for _ in range(200)])
    assert runs[0] == runs[1]
    assert 100 < sum(runs[0]) < 180


def test_a_transition_that_never_ends_does_so_when_the_fault_is_gone(world: World) -> None:
    """It is parked, not lost."""
    ended: list[bool] = []
    world.timers.on("ended", lambda failed=False: ended.append(failed))
    fault = world.faults.add(
        {"kind": "transition", "transition": "aurora_failover", "ending": "never"}
    )
    world.transition("aurora_failover", "ended", region=TOKYO, resource="peccy")
    pass_time(world, 3600)
    assert ended == []
    world.faults.remove(fault.id)
    pass_time(world, 10)
    assert ended == [False]


def test_a_transition_fails_where_the_fault_says_so(world: World) -> None:
    """Another resource's is left alone."""
    ended: list[tuple[str, bool]] = []
    world.timers.on("ended", lambda who, failed=False: ended.append((who, failed)))
    fault = {"kind": "transition", "transition": "aurora_failover", "ending": "failed"}
    world.faults.add({**fault, "resource": "one", "region": "tokyo"})
    for who in ("one", "two"):
        world.transition("aurora_failover", "ended", region=TOKYO, resource=who, who=who)
    pass_time(world, 200)
    assert sorted(ended) == [("one", True), ("two", False)]
    assert world.faults.transition("aurora_failover", SEOUL, "one") is Ending.NORMAL


def test_lag_grows_while_the_fault_lasts(world: World) -> None:
    """By its rate, only of what it names."""
    world.faults.add({"kind": "lag", "of": "efs", "rate": 2})
    pass_time(world, 60)
    assert world.faults.lag("efs", TOKYO, "fs-1") == 120
    assert world.faults.lag("aurora", TOKYO, "fs-1") == 0


def test_capacity_images_and_argo_cd_are_asked_for_by_region(world: World) -> None:
    """Each answers with its own words."""
    world.faults.add({"kind": "capacity", "region": "tokyo", "zone": "ap-northeast-1a"})
    world.faults.add({"kind": "image_pull", "image": "peccy-web", "message": "no such host"})
    world.faults.add({"kind": "argocd", "region": "seoul"})
    found = world.faults.capacity("tokyo", "web", "ap-northeast-1a", "m6i.large")
    assert found
    assert found.code == "AsgInstanceLaunchFailures"
    assert world.faults.capacity("tokyo", "web", "ap-northeast-1c", "m6i.large") is None
    assert world.faults.image_pull("tokyo", "x/peccy-web@sha256:1") == "no such host"
    assert world.faults.image_pull("tokyo", "x/peccy-app@sha256:1") is None
    assert (world.faults.wedged("seoul"), world.faults.wedged("tokyo")) == (True, False)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "kind"),
        ({"kind": "rain"}, "rain"),
        ({"kind": "error", "rate": 0}, "rate"),
        ({"kind": "lag"}, "of"),
        ({"kind": "transition", "transition": "x", "ending": "never"}, "aurora_failover"),
        ({"kind": "transition", "transition": "ecr_copy", "ending": "later"}, "ending"),
        ({"kind": "argocd", "extra": 1}, "extra"),
        ({"kind": "lag", "of": "efs", "rate": float("inf")}, "rate"),
        ({"kind": "latency", "seconds": float("inf")}, "seconds"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    world: World, body: dict[str, object], told: str
) -> None:
    """By the field that is wrong."""
    with pytest.raises(ValidationError, match=told):
        world.faults.add(body)


def test_places_that_are_cut_off_are_apart(world: World) -> None:
    """By alias or AWS name, in either order; a dark Region is apart from all."""
    world.partitions.add(frozenset({"seoul", world.platform.witness}))
    assert world.apart(SEOUL, world.platform.witness)
    assert world.apart(world.platform.witness, "seoul")
    assert not world.apart("seoul", "tokyo")
