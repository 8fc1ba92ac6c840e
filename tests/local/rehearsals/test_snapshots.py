"""Snapshots make a matrix of runs: the same world again and again, whatever is under way in it."""

import json
import threading
from typing import Any

import pytest
from kubernetes import watch as kube_watch
from kubernetes.client import ApiException

from platform_pipelines.local.client import LocalRegionsFailed
from platform_pipelines.local.world import Outage
from tests.local.rehearsals.building import GLOBAL, NODES, REPLICAS
from tests.local.rehearsals.rehearsal import Rehearsal

LOOK = 5.0  # AWS-like seconds
STACK = {
    "Resources": {
        "Files": {"Type": "AWS::EFS::FileSystem", "Properties": {"Encrypted": True}},
        "Images": {
            "Type": "AWS::ECR::Repository",
            "Properties": {"RepositoryName": "run"},
            "DependsOn": "Files",
        },
    }
}


def looks(stage: Rehearsal) -> dict[str, Any]:
    """What an engineer sees of the platform."""
    return {
        "time": stage.world.control.clock().unix,
        "files": (stage.replication("seoul"), stage.replication("tokyo"), stage.behind("tokyo")),
        "database": (stage.global_writer("tokyo"), stage.database(), stage.instances()),
        "nodes": {alias: stage.ready_nodes(alias) for alias in stage.places},
        "pods": sorted(pod.metadata.uid for pod in stage.pods()),
        "group": stage.node_group()["scalingConfig"],
        "image": stage.has_image("tokyo", "1"),
        "broken": (stage.world.control.outages(), stage.world.control.faults()),
    }


def fail_over(stage: Rehearsal) -> None:
    """Ask for everything that a failover to Tokyo asks for."""
    source = stage.file_system("seoul")
    stage.aws("efs", "tokyo").delete_replication_configuration(SourceFileSystemId=source)
    stage.aws("rds", "tokyo").failover_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=stage.places["tokyo"].database,
        AllowDataLoss=True,
    )
    stage.scale(NODES + 2, "tokyo")


def recovery(stage: Rehearsal) -> float:
    """AWS-like seconds until all that was asked for is done."""
    began = stage.world.control.clock().unix
    while not _recovered(stage):
        stage.wait(LOOK)
        assert stage.world.control.clock().unix - began < 3600
    return stage.world.control.clock().unix - began


def _recovered(stage: Rehearsal) -> bool:
    nodes = " ".join(stage.ready_nodes("tokyo").values()).split()
    writable = stage.replication("tokyo") == "none" and stage.database("tokyo") == "available"
    return writable and stage.global_writer("tokyo") == "tokyo" and len(nodes) == NODES + 2


@pytest.mark.parametrize("mode", list(Outage))
def test_a_run_leaves_nothing_behind(stage: Rehearsal, mode: Outage) -> None:
    """Whatever was broken and done in it, the next run begins with the same world."""
    before = looks(stage)
    stage.world.control.add_fault("lag", of="efs")
    stage.world.control.black_out("seoul", mode)
    stage.world.control.lose_zone("tokyo", "ap-northeast-1a")
    stage.world.control.cut("seoul", "ap-northeast-3")
    fail_over(stage)
    stage.core("tokyo").create_namespaced_config_map("default", {"metadata": {"name": "run"}})
    stage.wait(700)
    stage.world.control.restore_snapshot("built")
    assert looks(stage) == before
    stage.core("tokyo").create_namespaced_config_map("default", {"metadata": {"name": "run"}})


def test_two_runs_take_the_same_time(stage: Rehearsal) -> None:
    """On a virtual clock, a failover of the same snapshot is the same to the second."""
    times = []
    for _ in range(2):
        stage.world.control.restore_snapshot("built")
        stage.world.control.black_out("seoul", Outage.HANG)
        fail_over(stage)
        times.append(recovery(stage))
    assert times[0] == times[1]
    assert 150 <= times[0] <= 300  # EFS and the nodes take the longest


def test_what_is_broken_goes_on_from_a_snapshot(stage: Rehearsal) -> None:
    """An outage and its growing lag, a lost zone, a fault: as if nobody had gone back."""
    control = stage.world.control
    control.add_fault("transition", transition="nodegroup_update", ending="never")
    control.black_out("tokyo", Outage.DATA_PLANE)
    control.lose_zone("seoul", "ap-northeast-2a")
    stage.scale(NODES + 1)
    stage.wait(200)
    control.take_snapshot("broken")
    at_snapshot = looks(stage)
    stage.wait(600)
    later = looks(stage)
    control.clear_faults()
    control.restore("tokyo")
    control.return_zone("seoul", "ap-northeast-2a")
    stage.wait(600)
    control.restore_snapshot("broken")
    assert looks(stage) == at_snapshot
    stage.wait(600)
    again = looks(stage)
    assert again | {"pods": len(again["pods"])} == later | {"pods": len(later["pods"])}
    assert again["broken"][0] == {"tokyo": Outage.DATA_PLANE}


def test_a_transition_has_the_same_time_left(stage: Rehearsal) -> None:
    """Neither less nor more, however often it is gone back to."""
    source = stage.file_system("seoul")
    stage.aws("efs", "tokyo").delete_replication_configuration(SourceFileSystemId=source)
    stage.wait(100)
    stage.world.control.take_snapshot("deleting")
    for _ in range(3):
        stage.world.control.restore_snapshot("deleting")
        stage.wait(79)
        assert stage.replication("tokyo") == "DELETING"
        stage.wait(2)
        assert stage.replication("tokyo") == "none"


def test_a_stack_that_is_being_created_is_created_in_each_run(stage: Rehearsal) -> None:
    """Each time from where it was, with the same events; a fault in one run lets only that fail."""
    cloudformation, control = stage.aws("cloudformation"), stage.world.control
    cloudformation.create_stack(StackName="run", TemplateBody=json.dumps(STACK))
    stage.wait(4)
    control.take_snapshot("creating")
    assert _stack(stage) == "CREATE_IN_PROGRESS"
    told = []
    for fails in (False, True, False):
        control.restore_snapshot("creating")
        if fails:
            about = {"transition": "efs_file_system_creating", "ending": "failed"}
            control.add_fault("transition", **about)
        stage.wait(300)
        assert _stack(stage) == ("ROLLBACK_COMPLETE" if fails else "CREATE_COMPLETE")
        if not fails:
            told.append(_events(stage))
    assert told[0] == told[1]
    assert len(told[0]) >= 6


def _stack(stage: Rehearsal) -> str:
    found = stage.aws("cloudformation").describe_stacks(StackName="run")["Stacks"][0]
    return str(found["StackStatus"])


def _events(stage: Rehearsal) -> list[tuple[Any, ...]]:
    found = stage.aws("cloudformation").describe_stack_events(StackName="run")["StackEvents"]
    return [(one["Timestamp"], one["LogicalResourceId"], one["ResourceStatus"]) for one in found]


def test_a_rollout_goes_on_in_each_run(stage: Rehearsal) -> None:
    """Pods that were starting start, and there are never more than were asked for."""
    stage.apps().patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 9}})
    stage.wait(3)
    stage.world.control.take_snapshot("rolling")
    for _ in range(2):
        stage.world.control.restore_snapshot("rolling")
        assert stage.ready_pods() == REPLICAS
        stage.wait(60)
        assert (stage.ready_pods(), len(stage.pods())) == (9, 9)


def test_who_watches_is_told_to_list_again(stage: Rehearsal) -> None:
    """At once: what it knows is of a world that is no more."""
    listed = stage.core().list_namespaced_config_map("default").metadata.resource_version
    stage.world.control.take_snapshot("watched")
    told: list[int] = []

    def follow() -> None:
        stream: Any = kube_watch.Watch
        try:
            for _ in stream().stream(
                stage.core().list_namespaced_config_map,
                "default",
                resource_version=listed,
                timeout_seconds=8,
            ):
                started.set()
        except ApiException as error:
            told.append(error.status)

    started = threading.Event()
    watching = threading.Thread(target=follow)
    watching.start()
    body = {"metadata": {"name": "seen"}}
    stage.core().create_namespaced_config_map("default", body)
    assert started.wait(5)
    stage.world.control.restore_snapshot("watched")
    watching.join(10)
    assert told == [410]
    names = [one.metadata.name for one in stage.core().list_namespaced_config_map("default").items]
    assert "seen" not in names


def test_a_snapshot_of_the_same_name_takes_its_place(stage: Rehearsal) -> None:
    """And one that is not there is refused, with those that are."""
    control = stage.world.control
    control.take_snapshot("again")
    stage.wait(50)
    control.take_snapshot("again")
    now = control.clock().unix
    stage.wait(50)
    control.restore_snapshot("again")
    assert control.clock().unix == now
    assert control.snapshots().count("again") == 1
    with pytest.raises(LocalRegionsFailed, match="again"):
        control.restore_snapshot("never")
    with pytest.raises(LocalRegionsFailed, match="no snapshot"):
        control.take_snapshot("../outside")
    assert control.clock().unix == now
