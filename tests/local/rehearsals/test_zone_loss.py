"""A zone is lost, and what an engineer then sees: nodes, pods, databases, mount targets.

Times are AWS's: a node is Unknown 50 s after its last heartbeat, its pods are evicted five minutes
later, the group replaces it, and Aurora has another writer within half a minute.
"""

from tests.local.rehearsals.building import NODES, REPLICAS
from tests.local.rehearsals.rehearsal import Rehearsal

ZONE = "ap-northeast-2a"  # of Aurora's writer
OTHERS = {"ap-northeast-2b", "ap-northeast-2c"}
UNKNOWN, EVICTED, REPLACED = 50, 350, 600  # seconds


def lose(stage: Rehearsal, zone: str = ZONE, alias: str = "seoul") -> None:
    """The zone is gone."""
    stage.world.control.lose_zone(alias, zone)


def regain(stage: Rehearsal, zone: str = ZONE, alias: str = "seoul") -> None:
    """It is back."""
    stage.world.control.return_zone(alias, zone)


def test_its_nodes_fall_silent(stage: Rehearsal) -> None:
    """Unknown after 50 seconds, not before; those of other zones and Regions stay Ready."""
    lose(stage)
    stage.wait(UNKNOWN - 5)
    assert set(stage.ready_nodes().values()) == {"True"}
    stage.wait(10)
    nodes = stage.ready_nodes()
    assert nodes.pop(ZONE) == "Unknown"
    assert set(nodes.values()) == {"True"}
    assert set(stage.ready_nodes("tokyo").values()) == {"True"}


def test_its_pods_take_no_traffic_and_are_started_elsewhere(stage: Rehearsal) -> None:
    """Not Ready with their node, evicted after five minutes, replaced in the other zones."""
    lose(stage)
    stage.wait(UNKNOWN + 10)
    assert stage.ready_pods() == REPLICAS - REPLICAS // NODES
    stage.wait(EVICTED - UNKNOWN + 30)
    assert stage.ready_pods() == REPLICAS
    assert stage.zones_of_pods() <= OTHERS


def test_its_nodes_are_replaced_in_other_zones(stage: Rehearsal) -> None:
    """The group has all of its nodes again, none of them where nothing can be launched."""
    lose(stage)
    stage.wait(REPLACED + 240)
    nodes = stage.ready_nodes()
    assert set(nodes) == OTHERS
    assert " ".join(nodes.values()).split() == ["True"] * NODES


def test_a_reader_becomes_the_writer(stage: Rehearsal) -> None:
    """Within half a minute; the global database is written from the same Region as before."""
    assert stage.writer() == "1"
    lose(stage)
    stage.wait(1)
    assert stage.database() == "failing-over"
    stage.wait(34)
    assert (stage.database(), stage.writer()) == ("available", "2")
    assert stage.global_writer("seoul") == stage.global_writer("tokyo") == "seoul"


def test_the_old_writer_is_a_reader_when_its_zone_is_back(stage: Rehearsal) -> None:
    """It restarts first, and nobody hands the role back."""
    lose(stage)
    stage.wait(60)
    assert stage.instances()["1"] != "available"
    regain(stage)
    stage.wait(90)
    assert set(stage.instances().values()) == {"available"}
    assert stage.writer() == "2"


def test_two_lost_zones_leave_the_last_reader(stage: Rehearsal) -> None:
    """And without any zone nobody writes until one is back."""
    lose(stage)
    lose(stage, "ap-northeast-2b")
    stage.wait(35)
    assert stage.writer() == "3"
    lose(stage, "ap-northeast-2c")
    stage.wait(300)
    assert stage.database() != "available"
    regain(stage, "ap-northeast-2b")
    stage.wait(120)
    assert (stage.database(), stage.writer()) == ("available", "2")


def test_a_lost_zone_of_the_standby_changes_no_writer(stage: Rehearsal) -> None:
    """Its readers there are down, and replication goes on to the others."""
    lose(stage, "ap-northeast-1a", "tokyo")
    stage.wait(120)
    assert stage.instances("tokyo") == {"1": "rebooting", "2": "available"}
    assert (stage.writer("tokyo"), stage.global_writer("tokyo")) == ("-", "seoul")
    assert stage.aurora_lag() is not None


def test_a_mount_target_cannot_be_made_there(stage: Rehearsal) -> None:
    """It stays `creating` until the zone is back; EFS itself goes on in the other zones."""
    efs, place = stage.aws("efs"), stage.places["seoul"]
    [first] = [
        one["MountTargetId"]
        for one in efs.describe_mount_targets(FileSystemId=place.file_system)["MountTargets"]
        if one["AvailabilityZoneName"] == ZONE
    ]
    efs.delete_mount_target(MountTargetId=first)
    stage.wait(60)
    lose(stage)
    wanted = {"FileSystemId": place.file_system, "SubnetId": place.subnets[ZONE]}
    made = efs.create_mount_target(**wanted)["MountTargetId"]

    def state() -> str:
        found = efs.describe_mount_targets(MountTargetId=made)["MountTargets"]
        return str(found[0]["LifeCycleState"])

    stage.wait(600)
    assert (state(), stage.replication()) == ("creating", "ENABLED")
    assert stage.behind() <= 120
    regain(stage)
    stage.wait(10)
    assert state() == "available"


def test_nodes_that_are_asked_for_come_in_other_zones(stage: Rehearsal) -> None:
    """A group that grows while a zone is lost does not wait for it."""
    lose(stage)
    stage.scale(NODES + 2)
    stage.wait(240)
    nodes = stage.ready_nodes()
    assert nodes == {
        ZONE: "Unknown",
        "ap-northeast-2b": "True True",
        "ap-northeast-2c": "True True",
    }


def test_a_zone_that_is_back_soon_loses_nothing(stage: Rehearsal) -> None:
    """Within the pods' patience: the same nodes and pods go on."""
    before = {pod.metadata.uid for pod in stage.pods()}
    lose(stage)
    stage.wait(120)
    regain(stage)
    stage.wait(60)
    assert set(stage.ready_nodes().values()) == {"True"}
    assert {pod.metadata.uid for pod in stage.pods()} == before
    assert stage.ready_pods() == REPLICAS
