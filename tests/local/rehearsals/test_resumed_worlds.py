"""A world whose server was killed goes on in the next one: its time, its watchers, what was broken in
it; and a world that was reset does not, nor one beside it.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from kubernetes import client
from kubernetes import watch as kube_watch

from platform_pipelines.local.client import LocalRegionsFailed
from platform_pipelines.local.world import Outage
from platform_pipelines.local.worldclock import Running
from tests.local.rehearsals.building import ALIASES
from tests.local.rehearsals.survivor import Survivor, kill, same_ports
from tests.local_world import LocalWorld


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
