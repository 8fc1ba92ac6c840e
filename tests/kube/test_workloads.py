from typing import Any

import pytest

from platform_pipelines.kube import workloads
from platform_pipelines.kube.cluster import Cluster
from tests.fakes.kube import FakeKube

Json = dict[str, Any]
PODS = "/api/v1/pods"


def template(image: str, *, group: str | None = None, init: str | None = None) -> Json:
    """A pod template."""
    spec: Json = {"containers": [{"name": "main", "image": image}]}
    if init:
        spec["initContainers"] = [{"name": "init", "image": init}]
    if group:
        spec["nodeSelector"] = {"role": group}
    return {"spec": spec}


def named(name: str, namespace: str = "web", **rest: Any) -> Json:
    """An object of this name."""
    return {"metadata": {"name": name, "namespace": namespace}, **rest}


def pod(name: str, owner: tuple[str, str], *conditions: Json, group: str = "web") -> Json:
    """A pod that a controller owns."""
    item = named(name, spec={"nodeSelector": {"role": group}})
    kind, owner_name = owner
    item["metadata"]["ownerReferences"] = [{"kind": kind, "name": owner_name, "controller": True}]
    item["status"] = {"phase": "Pending", "conditions": list(conditions)}
    return item


@pytest.fixture
def empty(api: FakeKube) -> FakeKube:
    """A cluster with every collection, all of them empty."""
    for path, _, _ in workloads.TEMPLATES:
        api.collections[path] = []
    api.collections[PODS] = []
    return api


def test_a_deployment_without_ready_pods_counts_zero(cluster: Cluster, empty: FakeKube) -> None:
    """Kubernetes leaves zero counters out; `replicas` left out means one."""
    web = named("web", spec={"template": template("web:1", group="web")}, status={})
    empty.collections["/apis/apps/v1/deployments"] = [web]
    (state,) = workloads.deployments(cluster)
    assert (state.replicas, state.ready, state.is_ready) == (1, 0, False)
    assert (state.images, state.node_group) == (("web:1",), "web")


def test_a_silent_node_is_not_ready(cluster: Cluster, empty: FakeKube) -> None:
    """Ready=Unknown is what the control plane says of a node that stopped reporting."""
    labels = {
        "eks.amazonaws.com/nodegroup": "web",
        "topology.kubernetes.io/zone": "ap-northeast-2a",
    }
    empty.collections["/api/v1/nodes"] = [
        {
            "metadata": {"name": name, "labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": status}]},
        }
        for name, status in (("up", "True"), ("silent", "Unknown"))
    ]
    assert [(one.name, one.ready) for one in workloads.nodes(cluster)] == [
        ("up", True),
        ("silent", False),
    ]
    assert {(one.node_group, one.zone) for one in workloads.nodes(cluster)} == {
        ("web", "ap-northeast-2a")
    }


def test_a_pod_that_waits_for_a_node_is_told_from_a_broken_one(
    cluster: Cluster, empty: FakeKube
) -> None:
    """Only PodScheduled=False with reason Unschedulable means that no node takes it."""
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    owner = ("ReplicaSet", "web-5d9c7f6b4")
    empty.collections[PODS] = [pod("a", owner, waits), pod("b", owner, gated), pod("c", owner)]
    found = workloads.pods(cluster)
    assert [one.unschedulable for one in found] == [True, False, False]
    assert {one.owner for one in found} == {"Deployment/web"}


def test_pods_that_have_ended_are_left_out(cluster: Cluster, empty: FakeKube) -> None:
    """A finished Job's pod is not ready, and no reason to worry."""
    done = pod("done", ("Job", "migrate"))
    done["status"]["phase"] = "Succeeded"
    empty.collections[PODS] = [done]
    assert workloads.pods(cluster) == []


def test_every_kind_of_template_counts_with_its_init_containers(
    cluster: Cluster, empty: FakeKube
) -> None:
    """Whatever can start a pod on a new node is seen; a Job that has ended cannot any more."""
    empty.collections["/apis/apps/v1/deployments"] = [
        named("web", spec={"template": template("web:1", init="wait:1")})
    ]
    empty.collections["/apis/apps/v1/daemonsets"] = [named("log", spec={"template": template("l")})]
    empty.collections["/apis/apps/v1/statefulsets"] = [
        named("db", spec={"template": template("d")})
    ]
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    empty.collections["/apis/batch/v1/jobs"] = [
        named("old", spec={"template": template("old")}, status=ended),
        named("new", spec={"template": template("new")}, status={}),
    ]
    job = {"jobTemplate": {"spec": {"template": template("cron")}}}
    empty.collections["/apis/batch/v1/cronjobs"] = [named("nightly", spec=job)]
    found = {str(one): one.images for one in workloads.templates(cluster)}
    assert found == {
        "Deployment web/web": ("wait:1", "web:1"),
        "DaemonSet web/log": ("l",),
        "StatefulSet web/db": ("d",),
        "Job web/new": ("new",),
        "CronJob web/nightly": ("cron",),
    }


def test_scaling_touches_only_deployments_that_differ(cluster: Cluster, empty: FakeKube) -> None:
    """A Deployment that has the wanted count already is not patched."""
    empty.collections["/apis/apps/v1/deployments"] = [
        named("web", spec={"replicas": 6, "template": template("w", group="web")}),
        named("idle", spec={"replicas": 0, "template": template("i", group="web")}),
        named("app", spec={"replicas": 6, "template": template("a", group="app")}),
    ]
    assert workloads.scale_deployments(cluster, "web", 0) == ["web/web"]
    assert empty.patches == [
        ("/apis/apps/v1/namespaces/web/deployments/web/scale", {"spec": {"replicas": 0}})
    ]
