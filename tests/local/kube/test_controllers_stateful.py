"""StatefulSets: names that stay, one after the other."""

from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube.kinds import (
    CONTROLLER_REVISION,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    STATEFUL_SET,
)
from platform_pipelines.local.world import Outage
from tests.local.kube.hand_world import MINUTE, Clusters, Object

CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Seoul with two nodes."""
    made = Clusters(tmp_path)
    made.start()
    made.scale(manage=2)
    made.pass_time(150)
    return made


def stateful(replicas: int = 3, image: str = "db:1", **spec: Any) -> Object:
    """A StatefulSet."""
    labels = {"app": "db"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [_container(image)]}}
    base = {"replicas": replicas, "serviceName": "db", "selector": {"matchLabels": labels}}
    return {
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {**base, "template": template, **spec},
    }


def _container(image: str) -> Object:
    return {"name": "main", "image": image}


def names(clusters: Clusters) -> list[str]:
    """Seoul's pods."""
    return [pod["metadata"]["name"] for pod in clusters.pods()]


def status(clusters: Clusters) -> Object:
    """What the StatefulSet tells."""
    found: Object = clusters.the(STATEFUL_SET, "db")["status"]
    return found


def change(clusters: Clusters, **spec: Any) -> None:
    """Change the StatefulSet's spec."""
    found = clusters.the(STATEFUL_SET, "db")
    clusters.seoul.update(STATEFUL_SET, found | {"spec": found["spec"] | spec})


def images(clusters: Clusters) -> dict[str, str]:
    """What each pod runs."""
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in clusters.pods()
    }


def test_pods_come_one_after_the_other(clusters: Clusters) -> None:
    """The next one when the one before is ready, with a name, a number and a host name of its own."""
    clusters.seoul.create(STATEFUL_SET, stateful())
    clusters.settle()
    assert names(clusters) == ["db-0"]
    clusters.pass_time(MINUTE)
    assert names(clusters) == ["db-0", "db-1", "db-2"]
    pod = clusters.the(POD, "db-1")
    assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-1"
    assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    told = status(clusters)
    assert (told["replicas"], told["readyReplicas"], told["availableReplicas"]) == (3, 3, 3)
    assert told["currentRevision"] == told["updateRevision"]


def test_parallel_pods_come_at_once(clusters: Clusters) -> None:
    """If nobody has to wait for another."""
    clusters.seoul.create(STATEFUL_SET, stateful(podManagementPolicy="Parallel"))
    clusters.settle()
    assert names(clusters) == ["db-0", "db-1", "db-2"]


def test_the_highest_goes_first(clusters: Clusters) -> None:
    """One at a time, and each is waited for."""
    clusters.seoul.create(STATEFUL_SET, stateful())
    clusters.pass_time(MINUTE)
    change(clusters, replicas=1)
    clusters.settle()
    assert [pod["metadata"]["name"] for pod in clusters.running()] == ["db-0", "db-1"]
    clusters.pass_time(MINUTE)
    assert names(clusters) == ["db-0"]


def test_a_new_template_rolls_from_the_highest_down_to_the_partition(clusters: Clusters) -> None:
    """Below it pods keep theirs, also when they are made anew."""
    clusters.seoul.create(STATEFUL_SET, stateful())
    clusters.pass_time(MINUTE)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    template = stateful(image="db:2")["spec"]["template"]
    change(clusters, updateStrategy=rolling, template=template)
    clusters.settle()
    assert [pod["metadata"]["name"] for pod in clusters.running()] == ["db-0", "db-1"]
    clusters.pass_time(2 * MINUTE)
    clusters.seoul.delete(POD, "default", "db-0")
    clusters.pass_time(MINUTE)
    assert images(clusters) == {"db-0": "db:1", "db-1": "db:2", "db-2": "db:2"}
    told = status(clusters)
    assert (told["updatedReplicas"], told["currentReplicas"]) == (2, 1)
    assert told["currentRevision"] != told["updateRevision"]
    change(clusters, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    clusters.pass_time(MINUTE)
    assert set(images(clusters).values()) == {"db:2"}
    assert status(clusters)["currentRevision"] == status(clusters)["updateRevision"]
    assert [one["revision"] for one in clusters.seoul.list(CONTROLLER_REVISION)].count(2) == 1


def test_a_pod_on_a_silent_node_is_replaced_by_no_other(clusters: Clusters) -> None:
    """Two of a name must never run at once; so it waits until the node is back."""
    clusters.seoul.create(STATEFUL_SET, stateful(replicas=2))
    clusters.pass_time(MINUTE)
    before = {pod["metadata"]["uid"] for pod in clusters.pods()}
    clusters.world.outages["seoul"] = Outage.DATA_PLANE
    clusters.world.changed()
    clusters.pass_time(15 * MINUTE)
    assert {pod["metadata"]["uid"] for pod in clusters.pods()} == before
    assert clusters.running() == []
    clusters.bring_back("seoul")
    clusters.world.changed()
    clusters.pass_time(3 * MINUTE)
    assert names(clusters) == ["db-0", "db-1"]
    assert not {pod["metadata"]["uid"] for pod in clusters.pods()} & before


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ({}, ["data-db-0", "data-db-1"]),
        ({"whenScaled": "Delete", "whenDeleted": "Retain"}, ["data-db-0"]),
    ],
)
def test_each_pod_has_its_claim_and_finds_it_again(
    clusters: Clusters, policy: Object, left: list[str]
) -> None:
    """A claim outlives its pod, unless the policy says otherwise."""
    more: Object = {"podManagementPolicy": "Parallel", "volumeClaimTemplates": [CLAIM]}
    clusters.seoul.create(
        STATEFUL_SET, stateful(2, persistentVolumeClaimRetentionPolicy=policy, **more)
    )
    clusters.settle()
    volumes = clusters.the(POD, "db-1")["spec"]["volumes"]
    assert volumes == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}]
    change(clusters, replicas=1)
    clusters.pass_time(MINUTE)
    claims = clusters.seoul.list(PERSISTENT_VOLUME_CLAIM)
    assert [one["metadata"]["name"] for one in claims] == left
