"""Deployments, pods and volumes, with the states that a standby and an active cluster show."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube.kinds import (
    DEPLOYMENT,
    NODE,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    REPLICA_SET,
)
from tests.local.kube.hand_world import MINUTE, Clusters, Object, conditions, deployment

CREATED = ("True", "NewReplicaSetCreated")
UPDATED = ("True", "ReplicaSetUpdated")
COMPLETE = ("True", "NewReplicaSetAvailable")
TIMED_OUT = ("False", "ProgressDeadlineExceeded")


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Both clusters, without nodes."""
    made = Clusters(tmp_path)
    made.start()
    return made


@pytest.fixture
def active(clusters: Clusters) -> Clusters:
    """Seoul with six web nodes and a Deployment of three pods, all ready."""
    clusters.scale(web=6)
    clusters.pass_time(150)
    clusters.seoul.create(DEPLOYMENT, deployment())
    clusters.pass_time(14)
    return clusters


def status(clusters: Clusters, name: str = "web") -> Object:
    """What the Deployment tells."""
    found: Object = clusters.the(DEPLOYMENT, name)["status"]
    return found


def progressing(clusters: Clusters) -> tuple[str, str]:
    """The Deployment's progress: (status, reason)."""
    return conditions(clusters.the(DEPLOYMENT, "web"))["Progressing"]


def available(clusters: Clusters) -> str:
    """Whether the Deployment is available."""
    return conditions(clusters.the(DEPLOYMENT, "web"))["Available"][0]


def images(clusters: Clusters) -> Counter[str]:
    """The images that Seoul's pods have."""
    return Counter(pod["spec"]["containers"][0]["image"] for pod in clusters.pods())


def change(clusters: Clusters, **spec: Any) -> None:
    """Change the Deployment's spec."""
    found = clusters.the(DEPLOYMENT, "web")
    found["spec"] |= spec
    clusters.seoul.update(DEPLOYMENT, found)
    clusters.settle()


def new_image(image: str) -> Object:
    """The pod template with another image."""
    template: Object = deployment(image=image)["spec"]["template"]
    return template


def test_without_nodes_pods_wait_and_say_why(clusters: Clusters) -> None:
    """A standby: pods Pending and Unschedulable, counters absent, the rollout not yet given up."""
    clusters.seoul.create(DEPLOYMENT, deployment())
    clusters.pass_time(5 * MINUTE)
    for pod in clusters.pods():
        assert pod["status"]["phase"] == "Pending"
        assert conditions(pod)["PodScheduled"] == ("False", "Unschedulable")
    told = status(clusters)
    assert (told["replicas"], told["updatedReplicas"], told["unavailableReplicas"]) == (3, 3, 3)
    assert "readyReplicas" not in told
    assert "availableReplicas" not in told
    assert (available(clusters), progressing(clusters)) == ("False", UPDATED)


def test_without_nodes_for_ten_minutes_the_rollout_is_given_up(clusters: Clusters) -> None:
    """ProgressDeadlineExceeded, and it stays so."""
    clusters.seoul.create(DEPLOYMENT, deployment())
    clusters.pass_time(11 * MINUTE)
    assert progressing(clusters) == TIMED_OUT
    clusters.pass_time(60 * MINUTE)
    assert (available(clusters), progressing(clusters)) == ("False", TIMED_OUT)


def test_a_rollout_that_was_given_up_completes_when_nodes_come(clusters: Clusters) -> None:
    """The failover case: from Degraded for weeks to available."""
    clusters.seoul.create(DEPLOYMENT, deployment())
    clusters.pass_time(11 * MINUTE)
    clusters.scale(web=3)
    clusters.pass_time(170)
    assert status(clusters)["readyReplicas"] == 3
    assert (available(clusters), progressing(clusters)) == ("True", COMPLETE)


def test_a_pod_is_ready_a_while_after_it_has_a_node(clusters: Clusters) -> None:
    """ContainerCreating first, Running and Ready after `pod_starting`."""
    clusters.scale(web=1)
    clusters.pass_time(150)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(6)
    [pod] = clusters.pods()
    assert pod["status"]["phase"] == "Pending"
    assert conditions(pod)["Ready"] == ("False", "ContainersNotReady")
    clusters.pass_time(6)
    [pod] = clusters.pods()
    assert (pod["status"]["phase"], conditions(pod)["Ready"]) == ("Running", ("True", ""))
    assert pod["status"]["containerStatuses"][0]["ready"] is True


def test_pods_spread_over_zones_and_nodes(active: Clusters) -> None:
    """Three pods on six nodes in three zones: one in each zone."""
    zone = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        for node in active.nodes()
    }
    assert len({zone[pod["spec"]["nodeName"]] for pod in active.pods()}) == 3


def test_pods_go_only_where_they_may(clusters: Clusters) -> None:
    """Another group's taint and label keep a pod away, and the reason counts the nodes."""
    clusters.scale(app=2)
    clusters.pass_time(150)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(4)
    [scheduled] = [
        one for one in clusters.pods()[0]["status"]["conditions"] if one["type"] == "PodScheduled"
    ]
    assert scheduled["message"].startswith(
        "0/2 nodes are available: 2 node(s) had untolerated taint(s)."
    )


def test_a_taint_that_is_not_tolerated_is_counted(clusters: Clusters) -> None:
    """A pod with the right selector but no toleration stays out."""
    clusters.scale(web=1)
    clusters.pass_time(150)
    wanted = deployment(replicas=1)
    del wanted["spec"]["template"]["spec"]["tolerations"]
    clusters.seoul.create(DEPLOYMENT, wanted)
    clusters.pass_time(4)
    message = clusters.pods()[0]["status"]["conditions"][0]["message"]
    assert message == (
        "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


@pytest.mark.parametrize(
    ("requests", "fit", "why"),
    [
        ({"cpu": "900m"}, 2, "Insufficient cpu"),
        ({"memory": "1Gi"}, 3, "Insufficient memory"),
        ({}, 17, "Too many pods"),
    ],
)
def test_a_node_takes_only_what_fits(
    clusters: Clusters, requests: dict[str, str], fit: int, why: str
) -> None:
    """A t3.medium by cpu, memory and number of pods."""
    clusters.scale(web=1)
    clusters.pass_time(150)
    wanted = deployment(replicas=fit + 1)
    wanted["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": requests}
    clusters.seoul.create(DEPLOYMENT, wanted)
    clusters.pass_time(4)
    left = [pod for pod in clusters.pods() if not pod["spec"].get("nodeName")]
    assert len(left) == 1
    assert f"1 {why}" in left[0]["status"]["conditions"][0]["message"]


def test_a_deleted_pod_is_replaced(active: Clusters) -> None:
    """The fence deletes pods; their ReplicaSet makes new ones, which take their time."""
    gone = active.pods()[0]["metadata"]["name"]
    active.seoul.delete(POD, "default", gone)
    active.settle()
    assert len(active.running()) == 3
    assert status(active)["readyReplicas"] == 2
    active.pass_time(14)
    assert status(active)["readyReplicas"] == 3
    assert gone not in {pod["metadata"]["name"] for pod in active.pods()}


def test_pods_of_removed_nodes_move(active: Clusters) -> None:
    """Scaled to one node, all three pods end up there."""
    active.scale(web=1)
    active.pass_time(80)
    [node] = active.nodes()
    assert {pod["spec"]["nodeName"] for pod in active.pods()} == {node["metadata"]["name"]}
    assert status(active)["readyReplicas"] == 3


def test_an_active_region_that_becomes_standby_never_times_out(active: Clusters) -> None:
    """Once complete, lost pods make it unavailable; its rollout is still the finished one."""
    active.scale(web=0)
    active.pass_time(20 * MINUTE)
    assert (available(active), progressing(active)) == ("False", COMPLETE)
    assert "readyReplicas" not in status(active)
    assert {pod["status"]["phase"] for pod in active.pods()} == {"Pending"}


def test_pods_of_silent_nodes_run_on_but_are_not_ready(active: Clusters) -> None:
    """Right after an outage: phase Running, Ready False, the Deployment unavailable; then back."""
    active.black_out("seoul")
    active.pass_time(5 * MINUTE)
    active.bring_back("seoul")
    active.pass_time(4)
    assert {pod["status"]["phase"] for pod in active.pods()} == {"Running"}
    assert {conditions(pod)["Ready"][0] for pod in active.pods()} == {"False"}
    assert available(active) == "False"
    active.pass_time(14)
    assert (available(active), status(active)["readyReplicas"]) == ("True", 3)


def test_an_image_that_is_not_there_is_told_and_tried_again(clusters: Clusters) -> None:
    """ErrImagePull, then ImagePullBackOff; when the image comes, the pod starts."""
    clusters.aws.missing_images.add("web:1")
    clusters.scale(web=1)
    clusters.pass_time(150)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    seen = []
    for _ in range(10):
        clusters.pass_time(2)
        [container] = clusters.pods()[0]["status"].get("containerStatuses") or [{}]
        reason = container.get("state", {}).get("waiting", {}).get("reason")
        seen += [reason] if reason and reason not in seen else []
    assert seen == ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    clusters.aws.missing_images.clear()
    clusters.pass_time(22)
    assert available(clusters) == "True"


def test_a_new_image_rolls_without_losing_availability(active: Clusters) -> None:
    """One more pod at a time, never fewer than three available; the old ReplicaSet stays at 0."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    change(active, strategy=rolling, template=new_image("web:2"))
    assert progressing(active) == UPDATED
    for _ in range(40):
        active.pass_time(2)
        assert status(active)["availableReplicas"] >= 3
        assert len(active.running()) <= 4
    assert images(active) == {"web:2": 3}
    assert progressing(active) == COMPLETE
    sets = active.seoul.list(REPLICA_SET)
    assert sorted(one["spec"]["replicas"] for one in sets) == [0, 3]
    assert all("replicas" in one["status"] for one in sets)


def test_a_bad_image_stops_the_rollout_before_it_hurts(active: Clusters) -> None:
    """The old pods stay, and the deadline tells."""
    active.aws.missing_images.add("web:2")
    change(active, template=new_image("web:2"))
    active.pass_time(11 * MINUTE)
    assert (available(active), progressing(active)) == ("True", TIMED_OUT)
    assert images(active)["web:1"] == 3


def test_rolling_back_uses_the_old_replica_set(active: Clusters) -> None:
    """The template of before has its ReplicaSet already; it becomes the newest revision."""
    change(active, template=new_image("web:2"))
    active.pass_time(60)
    change(active, template=new_image("web:1"))
    active.pass_time(60)
    assert images(active) == {"web:1": 3}
    sets = active.seoul.list(REPLICA_SET)
    revision = "deployment.kubernetes.io/revision"
    assert sorted(one["metadata"]["annotations"][revision] for one in sets) == ["2", "3"]


def test_recreate_stops_the_old_pods_first(active: Clusters) -> None:
    """Two versions never run side by side."""
    change(active, strategy={"type": "Recreate"}, template=new_image("web:2"))
    for _ in range(12):
        assert len(images(active)) <= 1
        active.pass_time(2)
    assert images(active) == {"web:2": 3}


def test_scaling_changes_the_pods_and_nothing_else(active: Clusters) -> None:
    """Up and down, in the same ReplicaSet; a Deployment at 0 is complete and available."""
    change(active, replicas=5)
    active.pass_time(14)
    assert status(active)["readyReplicas"] == 5
    change(active, replicas=0)
    assert active.running() == []
    active.pass_time(4)
    assert active.pods() == []
    assert (available(active), progressing(active)) == ("True", COMPLETE)
    assert "replicas" not in status(active)
    assert len(active.seoul.list(REPLICA_SET)) == 1


def test_a_deleted_deployment_takes_its_pods_with_it(active: Clusters) -> None:
    """Owner references: nothing stays behind, and nothing is made again."""
    active.seoul.delete(DEPLOYMENT, "default", "web")
    active.pass_time(10)
    assert active.pods() == []
    assert active.seoul.list(REPLICA_SET) == []


def test_old_replica_sets_are_forgotten_beyond_the_limit(active: Clusters) -> None:
    """`revisionHistoryLimit` old ones are kept."""
    change(active, revisionHistoryLimit=1)
    for number in range(2, 6):
        change(active, template=new_image(f"web:{number}"))
        active.pass_time(60)
    assert len(active.seoul.list(REPLICA_SET)) == 2


def test_a_dark_region_starts_nothing(clusters: Clusters) -> None:
    """What was asked just before the outage happens after it."""
    clusters.seoul.create(DEPLOYMENT, deployment())
    clusters.black_out("seoul")
    clusters.pass_time(60)
    assert clusters.pods() == []
    clusters.bring_back("seoul")
    clusters.pass_time(4)
    assert len(clusters.pods()) == 3


def volume_and_claim() -> tuple[Object, Object]:
    """A static volume and the claim that names it."""
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    holder = {"namespace": "default", "name": "files"}
    volume = {
        "metadata": {"name": "files"},
        "spec": spec | {"capacity": {"storage": "1Ti"}, "claimRef": holder},
    }
    claim = {
        "metadata": {"name": "files", "namespace": "default"},
        "spec": spec | {"volumeName": "files", "resources": {"requests": {"storage": "1Ti"}}},
    }
    return volume, claim


def test_a_pod_waits_for_its_claim(clusters: Clusters) -> None:
    """Without the volume the claim is Pending and the pod has no node; with it both go on."""
    volume, claim = volume_and_claim()
    clusters.scale(web=1)
    clusters.pass_time(150)
    wanted = deployment(replicas=1)
    wanted["spec"]["template"]["spec"]["volumes"] = [
        {"name": "files", "persistentVolumeClaim": {"claimName": "files"}}
    ]
    clusters.seoul.create(DEPLOYMENT, wanted)
    clusters.seoul.create(PERSISTENT_VOLUME_CLAIM, claim)
    clusters.pass_time(14)
    assert clusters.the(PERSISTENT_VOLUME_CLAIM, "files")["status"]["phase"] == "Pending"
    assert "unbound" in clusters.pods()[0]["status"]["conditions"][0]["message"]
    clusters.seoul.create(PERSISTENT_VOLUME, volume)
    clusters.pass_time(14)
    assert clusters.the(PERSISTENT_VOLUME_CLAIM, "files")["status"]["phase"] == "Bound"
    assert clusters.the(PERSISTENT_VOLUME, "files")["status"]["phase"] == "Bound"
    assert status(clusters)["readyReplicas"] == 1


def test_a_volume_is_not_given_to_a_second_claim(clusters: Clusters) -> None:
    """When its claim is deleted it is Released, and keeps what it holds."""
    volume, claim = volume_and_claim()
    clusters.seoul.create(PERSISTENT_VOLUME, volume)
    clusters.seoul.create(PERSISTENT_VOLUME_CLAIM, claim)
    clusters.settle()
    clusters.seoul.delete(PERSISTENT_VOLUME_CLAIM, "default", "files")
    clusters.settle()
    assert clusters.the(PERSISTENT_VOLUME, "files")["status"]["phase"] == "Released"
    clusters.seoul.create(PERSISTENT_VOLUME_CLAIM, claim)
    clusters.settle()
    assert clusters.the(PERSISTENT_VOLUME_CLAIM, "files")["status"]["phase"] == "Pending"


def test_a_cordoned_node_takes_no_pods(clusters: Clusters) -> None:
    """`kubectl cordon` works on the local clusters."""
    clusters.scale(web=1)
    clusters.pass_time(150)
    node = clusters.nodes()[0]
    node["spec"]["unschedulable"] = True
    clusters.seoul.update(NODE, node)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(4)
    message = clusters.pods()[0]["status"]["conditions"][0]["message"]
    assert "1 node(s) were unschedulable" in message


def test_hundreds_of_deployments_do_not_hold_up_a_change_of_one(clusters: Clusters) -> None:
    """What has all it wants is left alone; the bound is many times what it takes."""
    clusters.scale(web=2)
    clusters.pass_time(150)
    for number in range(300):
        clusters.seoul.create(DEPLOYMENT, deployment(f"web{number}", replicas=0))
    clusters.pass_time(20)
    before = time.perf_counter()
    for number in range(10):
        changed = clusters.the(DEPLOYMENT, f"web{number}")
        changed["spec"]["replicas"] = 1
        clusters.seoul.update(DEPLOYMENT, changed)
        clusters.settle()
    assert time.perf_counter() - before < 10 * 0.25
    clusters.pass_time(30)
    assert len(clusters.running()) == 10
