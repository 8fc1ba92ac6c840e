"""SIGKILL in the middle of a busy platform, again and again, and a new server with the same folder.

Nothing that a caller was told may be lost, half of a change may not be there, and whatever was under
way ends as if nobody had been killed.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client

from tests.local.rehearsals import load
from tests.local.rehearsals import workers as kinds
from tests.local.rehearsals.building import ALIASES, Place, build
from tests.local.rehearsals.load import Worker
from tests.local.rehearsals.rehearsal import Rehearsal
from tests.local.rehearsals.survivor import Survivor, kill
from tests.local_world import LocalWorld

KILLS = 3
LATEST, PATIENCE = 0.3, 20.0  # real seconds
PASSED = 4000.0  # AWS-like seconds in which everything ends that a worker begins


@pytest.fixture(scope="module")
def beaten(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Beaten"]:
    """A platform whose server was killed three times under load, and lives again."""
    survivor = Survivor(folder=tmp_path_factory.mktemp("beaten"))
    moments = random.Random(20261122)
    with survivor.server() as world:
        places, made = build(world), kinds.prepare(world)
        workers = kinds.all_kinds(world, places, made)
        _kill_under_load(world, workers, moments.uniform(0, LATEST))
    findings = []
    for _ in range(KILLS - 1):
        with survivor.server() as world:
            findings.append(_found(workers))
            _kill_under_load(world, workers, moments.uniform(0, LATEST))
    with survivor.server() as world:
        findings.append(_found(workers))
        yield Beaten(world=world, places=places, workers=workers, findings=findings)


def _kill_under_load(world: LocalWorld, workers: dict[str, Worker], seconds: float) -> None:
    """Kill the server a moment after each worker had a change accepted by it."""
    before = {name: len(one.accepted) for name, one in workers.items()}
    deadline = time.monotonic() + PATIENCE
    with load.busy(workers.values()):
        while any(len(one.accepted) == before[name] for name, one in workers.items()):
            assert time.monotonic() < deadline, "the workers do not get on"
            time.sleep(0.01)
        time.sleep(seconds)
        kill(world)


def _found(workers: dict[str, Worker]) -> list[str]:
    """What was lost or invented until now."""
    wrong = []
    for name, worker in workers.items():
        (must, may), seen = worker.bounds(), set(worker.seen())
        if must - seen or seen - may:
            wrong.append(f"{name}: lost {sorted(must - seen)}, invented {sorted(seen - may)}")
    return wrong


@dataclass(kw_only=True)
class Beaten:
    """The world after its last server was killed."""

    world: LocalWorld
    places: dict[str, Place]
    workers: dict[str, Worker]
    findings: list[list[str]]  # after each kill


def test_what_was_accepted_is_there_after_each_kill(beaten: Beaten) -> None:
    """And nothing that nobody asked for."""
    assert beaten.findings == [[]] * KILLS


def test_everything_under_way_ends(beaten: Beaten) -> None:
    """Whatever the kills interrupted: creations, stacks, copies, rollouts."""
    world = beaten.world
    world.control.advance(PASSED)
    assert _states(world, beaten.places) == {
        "file systems": {"available"},
        "databases": {"available"},
        "node groups": {"ACTIVE"},
        "stacks": {"CREATE_COMPLETE"},
        "pods": {"Running"},
    }
    assert kinds.image_tags(world, "tokyo") == kinds.image_tags(world, "seoul")


def _states(world: LocalWorld, places: dict[str, Place]) -> dict[str, set[str]]:
    """The states of everything, by kind."""
    eks, about = world.aws("eks", "tokyo"), {"clusterName": places["tokyo"].cluster}
    groups = [
        eks.describe_nodegroup(**about, nodegroupName=name)["nodegroup"]
        for name in eks.list_nodegroups(**about)["nodegroups"]
    ]
    core: Any = client.CoreV1Api(world.kube("tokyo"))
    return {
        "file systems": {
            one["LifeCycleState"]
            for alias in ALIASES
            for one in _all(world.aws("efs", alias), "describe_file_systems", "FileSystems")
        },
        "databases": {
            one["Status"] for one in _all(world.aws("rds"), "describe_db_clusters", "DBClusters")
        },
        "node groups": {group["status"] for group in groups},
        "stacks": {
            one["StackStatus"]
            for one in _all(world.aws("cloudformation"), "describe_stacks", "Stacks")
        },
        "pods": {one.status.phase for one in core.list_namespaced_pod("default").items},
    }


def _all(service: Any, operation: str, key: str) -> Iterator[dict[str, Any]]:
    for page in service.get_paginator(operation).paginate():
        yield from page[key]


def test_no_rhythm_beats_twice(beaten: Beaten, stage: Rehearsal) -> None:
    """After three restarts a metric has as many samples in five minutes as where nobody was killed."""
    assert _samples(beaten.world, beaten.places) == _samples(stage.world, stage.places)


def _samples(world: LocalWorld, places: dict[str, Place]) -> float:
    """The samples of a metric in the first five minutes that are whole from now on."""
    start = (world.control.clock().unix // 300 + 1) * 300
    world.control.advance(700)
    found = world.aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/EFS",
        MetricName="TimeSinceLastSync",
        Dimensions=[
            {"Name": "FileSystemId", "Value": places["seoul"].file_system},
            {"Name": "DestinationFileSystemId", "Value": places["tokyo"].file_system},
        ],
        StartTime=start,
        EndTime=start + 300,
        Period=300,
        Statistics=["SampleCount"],
    )
    [point] = found["Datapoints"]
    return float(point["SampleCount"])


def test_calls_are_numbered_through(beaten: Beaten) -> None:
    """No server gave the number of a call before its time again."""
    numbers = [call.n for call in beaten.world.control.calls()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > sum(len(one.accepted) for one in beaten.workers.values())
