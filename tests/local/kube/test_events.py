"""Events: what `kubectl describe` tells of what happened, from the changes of the objects alone."""

from pathlib import Path

import pytest

from platform_pipelines.local.kube import events
from platform_pipelines.local.kube.controllers.objects import name
from platform_pipelines.local.kube.kinds import (
    APPLICATION,
    DEPLOYMENT,
    EVENT,
    INGRESS,
    JOB,
    NAMESPACE,
    NODE,
    POD,
)
from platform_pipelines.local.kube.store import Store
from tests.local.kube.hand_world import Clusters, Object, deployment

HOUR = 3600.0


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Both clusters with their controllers, and nodes for nothing yet."""
    made = Clusters(tmp_path)
    events.start(made.world)
    made.start()
    return made


def told(store: Store, kind: str, named: str = "") -> dict[str, Object]:
    """The events of a kind's objects, or of one, by reason."""
    return {
        one["reason"]: one
        for one in store.list(EVENT)
        if one["involvedObject"]["kind"] == kind and named in ("", one["involvedObject"]["name"])
    }


def of_pods(clusters: Clusters) -> dict[str, Object]:
    """The events of Seoul's pods, by reason."""
    return told(clusters.seoul, "Pod")


def test_a_pod_without_a_node_says_why(clusters: Clusters) -> None:
    """As `kubectl describe pod` shows it on a standby."""
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(10)
    found = of_pods(clusters)["FailedScheduling"]
    assert found["type"] == "Warning"
    assert found["source"] == {"component": "default-scheduler"}
    assert found["message"] == "no nodes available to schedule pods"


def test_a_pod_that_starts_tells_each_step(clusters: Clusters) -> None:
    """Scheduler and kubelet, with the node as the kubelet's host."""
    clusters.scale(web=1)
    clusters.pass_time(200)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(30)
    found = of_pods(clusters)
    assert {"Scheduled", "Pulling", "Pulled", "Created", "Started"} <= found.keys()
    (node,) = clusters.nodes()
    assert found["Started"]["source"] == {"component": "kubelet", "host": name(node)}
    (pod,) = clusters.pods()
    assert found["Scheduled"]["message"] == (
        f"Successfully assigned default/{name(pod)} to {name(node)}"
    )


def test_owners_tell_what_they_made_and_deleted(clusters: Clusters) -> None:
    """The Deployment of its ReplicaSet, the ReplicaSet of its pods."""
    clusters.scale(web=1)
    clusters.pass_time(200)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=2))
    clusters.pass_time(30)
    messages = told(clusters.seoul, "Deployment")["ScalingReplicaSet"]["message"]
    assert messages.startswith("Scaled up replica set web-")
    assert messages.endswith("from 0 to 2")
    live = clusters.the(DEPLOYMENT, "web")
    clusters.seoul.update(DEPLOYMENT, live | {"spec": live["spec"] | {"replicas": 1}})
    clusters.pass_time(60)
    assert {"SuccessfulCreate", "SuccessfulDelete"} <= told(clusters.seoul, "ReplicaSet").keys()
    assert "Killing" in of_pods(clusters)


def test_an_image_that_is_missing_is_told_and_counted(clusters: Clusters) -> None:
    """A warning with the registry's words; what is told again is counted."""
    clusters.scale(web=1)
    clusters.aws.missing_images.add("web:1")
    clusters.pass_time(200)
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(60)
    found = of_pods(clusters)
    assert found["Failed"]["type"] == "Warning"
    assert 'image "web:1"' in found["BackOff"]["message"]
    assert "Started" not in found


def test_nodes_come_fall_silent_and_go(clusters: Clusters) -> None:
    """Told by the node controller, in the namespace `default`."""
    clusters.scale(web=1)
    clusters.pass_time(200)
    found = told(clusters.seoul, "Node")
    assert {"RegisteredNode", "NodeReady"} <= found.keys()
    assert found["NodeReady"]["metadata"]["namespace"] == "default"
    (node,) = clusters.nodes()
    conditions = [
        one | ({"status": "Unknown"} if one["type"] == "Ready" else {})
        for one in node["status"]["conditions"]
    ]
    status = node["status"] | {"conditions": conditions}
    clusters.seoul.update_status(NODE, None, name(node), status)
    clusters.seoul.delete(NODE, None, name(node))
    assert {"NodeNotReady", "RemovingNode"} <= told(clusters.seoul, "Node", name(node)).keys()


def test_a_cordon_is_told(clusters: Clusters) -> None:
    """And its end."""
    clusters.scale(web=1)
    clusters.pass_time(200)
    for unschedulable in (True, False):
        (node,) = clusters.nodes()
        spec = node["spec"] | {"unschedulable": unschedulable}
        clusters.seoul.update(NODE, node | {"spec": spec})
    assert {"NodeNotSchedulable", "NodeSchedulable"} <= told(clusters.seoul, "Node").keys()


@pytest.fixture
def store(clusters: Clusters) -> Store:
    """Seoul's objects."""
    return clusters.seoul


def test_an_address_of_an_ingress_is_told(store: Store) -> None:
    """Once."""
    rule = {"host": "a.example.com", "http": {"paths": []}}
    store.create(
        INGRESS, {"metadata": {"name": "i", "namespace": "default"}, "spec": {"rules": [rule]}}
    )
    status = {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}
    store.update_status(INGRESS, "default", "i", status)
    assert told(store, "Ingress")["SuccessfullyReconciled"]["count"] == 1


@pytest.mark.parametrize(
    ("condition", "reason", "kind"),
    [("Complete", "Completed", "Normal"), ("Failed", "BackoffLimitExceeded", "Warning")],
)
def test_a_job_tells_how_it_ended(store: Store, condition: str, reason: str, kind: str) -> None:
    """Well, or why not."""
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}
    store.create(JOB, {"metadata": {"name": "j", "namespace": "default"}, "spec": spec})
    ended = {"type": condition, "status": "True", "reason": reason, "message": "m"}
    store.update_status(JOB, "default", "j", {"conditions": [ended]})
    assert told(store, "Job")[reason]["type"] == kind


def test_argo_cd_tells_of_syncs_and_of_health(store: Store) -> None:
    """As its events do."""
    store.create(NAMESPACE, {"metadata": {"name": "other"}})
    made = store.create(APPLICATION, {"metadata": {"name": "a", "namespace": "other"}, "spec": {}})
    operation = {"operation": {"initiatedBy": {"automated": True}}, "phase": "Succeeded"}
    status = {
        "sync": {"status": "Synced"},
        "health": {"status": "Healthy"},
        "operationState": operation | {"syncResult": {"revision": "abc"}},
    }
    store.update(APPLICATION, made | {"status": status})
    found = told(store, "Application")
    assert found["OperationCompleted"]["message"] == "Sync operation to abc succeeded"
    assert found["OperationStarted"]["message"] == "Initiated automated sync to 'abc'"
    assert "ResourceUpdated" in found


def test_what_is_told_again_is_counted(clusters: Clusters) -> None:
    """One event, with its first and its last time."""
    store = clusters.seoul
    clusters.scale(web=1)
    clusters.pass_time(200)
    (node,) = clusters.nodes()
    first = told(store, "Node")["NodeReady"]
    for status in ("False", "True"):
        node = clusters.the(NODE, name(node))
        changed = [
            one | ({"status": status} if one["type"] == "Ready" else {})
            for one in node["status"]["conditions"]
        ]
        store.update_status(NODE, None, name(node), node["status"] | {"conditions": changed})
        clusters.clock.move(clusters.clock.now() + 1)
    found = told(store, "Node")["NodeReady"]
    assert found["count"] == first["count"] + 1
    assert found["firstTimestamp"] == first["firstTimestamp"] < found["lastTimestamp"]


def test_an_hour_later_an_event_is_forgotten(clusters: Clusters) -> None:
    """As the API server's --event-ttl says."""
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(10)
    assert of_pods(clusters)
    live = clusters.the(DEPLOYMENT, "web")
    clusters.seoul.delete(DEPLOYMENT, "default", name(live))
    clusters.pass_time(HOUR + 2 * events.SWEEP)
    assert not of_pods(clusters)


def test_a_namespace_that_goes_takes_its_events_with_it(store: Store) -> None:
    """Nothing is told into a namespace that is being emptied."""
    store.create(NAMESPACE, {"metadata": {"name": "going"}})
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    store.create(POD, {"metadata": {"name": "p", "namespace": "going"}, "spec": spec})
    store.update_status(POD, "going", "p", {"phase": "Running"})
    store.delete(NAMESPACE, None, "going")
    store.delete(POD, "going", "p", grace_seconds=0)
    assert store.get(NAMESPACE, None, "going") is None
    assert store.list(EVENT, "going") == []
