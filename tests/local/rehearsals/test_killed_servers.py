"""SIGKILL in the middle of a busy platform, again and again, and a new server with the same folder.

Nothing that a caller was told may be lost, half of a change may not be there, and whatever was under
way ends as if nobody had been killed.
"""

import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError
from kubernetes import client
from kubernetes import watch as kube_watch

from platform_pipelines.local.client import LocalRegionsFailed
from platform_pipelines.local.options import kube_variable
from platform_pipelines.local.world import Outage
from platform_pipelines.local.worldclock import Running
from tests import local_world
from tests.local.rehearsals import load
from tests.local.rehearsals.building import ALIASES, Place, build
from tests.local.rehearsals.load import Worker
from tests.local.rehearsals.rehearsal import Rehearsal
from tests.local_world import LocalWorld

KILLS = 3
LATEST, PATIENCE = 0.3, 20.0  # real seconds
PASSED = 4000.0  # AWS-like seconds in which everything ends that a worker begins


def same_ports(world: LocalWorld) -> dict[str, str]:
    """The ports of a world, for the next server."""
    ready = world.ready
    clusters = {kube_variable(alias): _port(url) for alias, url in ready["clusters"].items()}
    return {
        "LOCAL_AWS_PORT": _port(ready["aws"]),
        "LOCAL_DNS_PORT": _port(f"udp://{ready['dns']}"),
        "LOCAL_SERVICE_PORT": _port(ready["services"]),
        **clusters,
    }


def _port(url: str) -> str:
    return str(urlsplit(url).port)


def kill(world: LocalWorld) -> None:
    """SIGKILL: the server can do nothing about it."""
    world.process.kill()
    world.process.wait()


@dataclass(kw_only=True)
class Survivor:
    """A world that goes through several servers."""

    folder: Path
    ports: dict[str, str] = field(default_factory=lambda: dict(local_world.ANY_PORT))

    @contextmanager
    def server(self, **settings: Any) -> Iterator[LocalWorld]:
        """The next server; the same ports once there was one."""
        settings = {"virtual": True, **settings}
        with local_world.start(self.folder, ports=self.ports, **settings) as world:
            self.ports = same_ports(world)
            yield world
            kill(world)


@pytest.fixture(scope="module")
def beaten(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Beaten"]:
    """A platform whose server was killed three times under load, and lives again."""
    survivor = Survivor(folder=tmp_path_factory.mktemp("beaten"))
    moments = random.Random(20261122)
    with survivor.server() as world:
        places, made = build(world), load.prepare(world)
        workers = load.workers(world, places, made)
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
    assert load.image_tags(world, "tokyo") == load.image_tags(world, "seoul")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What a server knew that was killed while it moved time."""

    world: LocalWorld  # of the server after it
    time: float  # before the move, AWS-like Unix seconds
    version: str  # of a list of ConfigMaps
    uid: str  # of the ConfigMap `kept`


MOVE = 3 * 86400.0  # seconds; takes longer than the server lives


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earlier]:
    """A world with something of everything, killed while time was moved, with its next server."""
    survivor = Survivor(folder=tmp_path_factory.mktemp("resumed"))
    with survivor.server() as world:
        core: Any = client.CoreV1Api(world.kube("seoul"))
        kept = core.create_namespaced_config_map("default", {"metadata": {"name": "kept"}})
        version = core.list_namespaced_config_map("default").metadata.resource_version
        world.aws("efs", "tokyo").create_file_system(CreationToken="kept")
        world.control.black_out("seoul", Outage.CONTROL_PLANE)
        world.control.lose_zone("tokyo", "ap-northeast-1c")
        world.control.cut("tokyo", "controller")
        world.control.add_fault("argocd", region="tokyo")
        world.control.take_snapshot("kept")
        time_before = world.control.advance(1000).unix
        _kill_in_motion(world)
    with survivor.server() as world:
        uid = kept.metadata.uid
        yield Earlier(world=world, time=time_before, version=version, uid=uid)


def _kill_in_motion(world: LocalWorld) -> None:
    def move() -> None:
        with pytest.raises(LocalRegionsFailed):
            world.control.advance(MOVE)

    moving = threading.Thread(target=move)
    moving.start()
    time.sleep(0.1)  # of real time: the move has begun
    kill(world)
    moving.join(20)


def test_virtual_time_stands_where_it_stood(resumed: Earlier) -> None:
    """Not before what a client was told, and it moves only when it is told to."""
    control = resumed.world.control
    now = control.clock().unix
    assert resumed.time <= now < resumed.time + MOVE
    time.sleep(0.2)  # of real time
    assert control.clock().unix == now
    assert control.advance(60).unix == now + 60


def test_a_client_that_watched_is_told_to_list_again(resumed: Earlier) -> None:
    """With 410. What it lists then is the same object, and the next version is a greater one."""
    core: Any = client.CoreV1Api(resumed.world.kube("seoul"))
    resumed.world.control.restore("seoul")
    with pytest.raises(client.ApiException) as told:
        _follow(core, resumed.version)
    assert told.value.status == 410
    assert core.read_namespaced_config_map("kept", "default").metadata.uid == resumed.uid
    changed = core.patch_namespaced_config_map("kept", "default", {"data": {"n": "2"}})
    assert int(changed.metadata.resource_version) > int(resumed.version)
    _follow(core, changed.metadata.resource_version)


def _follow(core: Any, version: str) -> None:
    make: Any = kube_watch.Watch  # it has no types
    stream = make().stream(
        core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=1
    )
    for _ in stream:
        return


def test_what_was_broken_is_still_broken(resumed: Earlier) -> None:
    """Outages, lost zones, partitions and faults outlive a server; snapshots too."""
    control = resumed.world.control
    control.restore_snapshot("kept")
    [fault] = control.faults()
    assert fault["fault"] == {"region": "tokyo", "kind": "argocd"}
    assert control.outages() == {"seoul": Outage.CONTROL_PLANE}
    for alias in ALIASES:
        with pytest.raises(BotoCoreError):
            resumed.world.aws("efs", alias, read_timeout=0.2).describe_file_systems()


def test_reset_begins_a_new_world_beside_the_old_one(resumed: Earlier, tmp_path: Path) -> None:
    """On other ports and in a copy of the folder: it knows nothing, and the old one knows all."""
    old, folder = resumed.world, tmp_path / "copy"
    old.control.restore_snapshot("kept")
    old.control.join("tokyo", "controller")
    shutil.copytree(old.state, folder)
    survivor = Survivor(folder=folder)
    with survivor.server(reset=True) as new:
        assert (new.ready["resumed"], old.ready["resumed"]) == (False, True)
        control = new.control
        assert [*control.snapshots(), *control.faults(), *control.calls()] == []
        assert control.outages() == {}
        assert new.aws("efs", "tokyo").describe_file_systems()["FileSystems"] == []
        new.aws("efs", "tokyo").create_file_system(CreationToken="new")
        new.control.advance(5000)
        found = old.aws("efs", "tokyo").describe_file_systems()["FileSystems"]
        assert [one["CreationToken"] for one in found] == ["kept"]
        assert old.control.clock().unix < new.control.clock().unix
        assert set(same_ports(old).values()).isdisjoint(same_ports(new).values())


def test_running_time_goes_on_at_any_speed() -> None:
    """At the same speed, processes that share the clock stay right; at another, it never turns
    back, not even behind what was only read and never stored."""
    before = Running(200, origin=time.time() - 100)
    kept, seen = before.dump(), before.now()
    same, slower = Running(200), Running(2)
    same.load(kept)
    slower.load(kept)
    assert same.variable("") == before.variable("")
    assert slower.now() >= seen
    assert slower.now() - seen < 200 * 5
