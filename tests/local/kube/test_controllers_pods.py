"""How pods come to an end and find new places: evictions, grace, budgets, pulls that fail."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube.kinds import (
    DEPLOYMENT,
    NODE,
    POD,
    POD_DISRUPTION_BUDGET,
)
from tests.local.kube.hand_world import Clusters, Object, conditions, deployment

ZONE = "topology.kubernetes.io/zone"
LOST = "ap-northeast-2b"
SELECTOR = {"matchLabels": {"app": "web"}}


@pytest.fixture
def active(tmp_path: Path) -> Clusters:
    """Seoul with six web nodes in three zones and a Deployment of three pods, all ready."""
    made = Clusters(tmp_path)
    made.start()
    made.scale(web=6)
    made.pass_time(150)
    made.seoul.create(DEPLOYMENT, deployment())
    made.pass_time(14)
    return made


def zone_of(clusters: Clusters, pod: Object) -> str:
    """The zone that a pod runs in."""
    node = clusters.the(NODE, pod["spec"]["nodeName"])
    return str(node["metadata"]["labels"][ZONE])


def ready(clusters: Clusters) -> int:
    """How many of the Deployment's pods are ready."""
    return int(clusters.the(DEPLOYMENT, "web")["status"].get("readyReplicas", 0))


def pods_in(clusters: Clusters, zone: str) -> list[Object]:
    """The pods of a zone."""
    return [pod for pod in clusters.pods() if zone_of(clusters, pod) == zone]


def test_pods_of_a_lost_zone_are_evicted_after_five_minutes(active: Clusters) -> None:
    """Not ready after 50 s, replaced elsewhere 300 s later; the lost pod stays Terminating."""
    active.lose_zone(LOST)
    active.pass_time(52)
    assert ready(active) == 2
    active.pass_time(290)
    assert len(active.pods()) == 3
    active.pass_time(30)
    assert ready(active) == 3
    [lost] = pods_in(active, LOST)
    assert lost["metadata"]["deletionTimestamp"]
    assert conditions(lost)["DisruptionTarget"] == ("True", "DeletionByTaintManager")
    assert {zone_of(active, pod) for pod in active.running()} == {
        "ap-northeast-2a",
        "ap-northeast-2c",
    }


def test_an_evicted_pod_goes_when_its_node_is_back(active: Clusters) -> None:
    """Its kubelet learns of the deletion, and stops it."""
    active.lose_zone(LOST)
    active.pass_time(380)
    active.regain_zone(LOST)
    active.pass_time(16)
    assert len(active.pods()) == len(active.running()) == 3


@pytest.mark.parametrize(("seconds", "evicted"), [(None, False), (30, True), (1000, False)])
def test_a_pod_stays_as_long_as_it_tolerates(
    active: Clusters, seconds: int | None, evicted: bool
) -> None:
    """By its own tolerationSeconds; for ever without."""
    wanted = deployment("own", 3)
    toleration: Object = {"key": "node.kubernetes.io/unreachable", "operator": "Exists"}
    if seconds is not None:
        toleration["tolerationSeconds"] = seconds
    wanted["spec"]["template"]["spec"]["tolerations"].append(toleration)
    active.seoul.create(DEPLOYMENT, wanted)
    active.pass_time(14)
    active.lose_zone(LOST)
    active.pass_time(400)
    [own] = [pod for pod in pods_in(active, LOST) if pod["metadata"]["labels"]["app"] == "own"]
    assert ("deletionTimestamp" in own["metadata"]) is evicted


def test_a_deleted_pod_stops_in_its_time(active: Clusters) -> None:
    """Its preStop sleep and a moment, at most its grace; it serves nobody meanwhile."""
    change_spec(active, lifecycle={"preStop": {"sleep": {"seconds": 15}}})
    active.pass_time(60)
    gone = active.pods()[0]["metadata"]["name"]
    active.seoul.delete(POD, "default", gone)
    active.pass_time(14)
    assert active.the(POD, gone)["metadata"]["deletionGracePeriodSeconds"] == 30
    active.pass_time(4)
    assert gone not in {pod["metadata"]["name"] for pod in active.pods()}


def change_spec(clusters: Clusters, **container: Any) -> None:
    """Change the container of the Deployment."""
    found = clusters.the(DEPLOYMENT, "web")
    found["spec"]["template"]["spec"]["containers"][0] |= container
    clusters.seoul.update(DEPLOYMENT, found)


def test_a_pod_without_a_node_or_grace_goes_at_once(active: Clusters) -> None:
    """Nobody has to stop it."""
    active.scale(web=0)
    active.pass_time(70)
    waiting = active.running()[0]["metadata"]["name"]
    active.seoul.delete(POD, "default", waiting)
    assert active.seoul.get(POD, "default", waiting) is None
    active.scale(web=3)
    active.pass_time(170)
    ready_one = active.running()[0]["metadata"]["name"]
    active.seoul.delete(POD, "default", ready_one, grace_seconds=0)
    assert active.seoul.get(POD, "default", ready_one) is None


def test_a_node_that_goes_is_drained_first(active: Clusters) -> None:
    """Its pods are elsewhere before it is gone."""
    active.scale(web=1)
    active.pass_time(50)
    assert len(active.nodes()) == 6
    assert len({pod["spec"]["nodeName"] for pod in active.pods()}) == 1
    assert ready(active) == 3


def test_a_budget_holds_a_drain_up(active: Clusters) -> None:
    """No more pods at a time than it allows, as its status tells."""
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": SELECTOR}}
    active.seoul.create(POD_DISRUPTION_BUDGET, budget)
    active.settle()
    status = active.the(POD_DISRUPTION_BUDGET, "web")["status"]
    assert (status["currentHealthy"], status["desiredHealthy"]) == (3, 2)
    assert (status["disruptionsAllowed"], status["expectedPods"]) == (1, 3)
    active.scale(web=0)
    for _ in range(25):
        active.pass_time(2)
        assert ready(active) >= 2
    active.pass_time(20)
    assert active.nodes() == []
    assert active.the(POD_DISRUPTION_BUDGET, "web")["status"]["disruptionsAllowed"] == 0


def test_an_evicted_pod_does_not_count_until_it_is_marked_or_two_minutes_have_passed(
    active: Clusters,
) -> None:
    """As the API notes it in `disruptedPods` before it deletes the pod."""
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 2, "selector": SELECTOR}}
    active.seoul.create(POD_DISRUPTION_BUDGET, budget)
    active.settle()
    pod = active.pods()[0]["metadata"]["name"]
    status = active.the(POD_DISRUPTION_BUDGET, "web")["status"]
    noted = {"disruptedPods": {pod: active.seoul.now(), "gone": active.seoul.now()}}
    active.seoul.update_status(POD_DISRUPTION_BUDGET, "default", "web", status | noted)
    active.pass_time(110)
    told = active.the(POD_DISRUPTION_BUDGET, "web")["status"]
    assert (told["currentHealthy"], told["disruptionsAllowed"]) == (2, 0)
    assert list(told["disruptedPods"]) == [pod]
    active.pass_time(11)
    told = active.the(POD_DISRUPTION_BUDGET, "web")["status"]
    assert (told["currentHealthy"], told["disruptionsAllowed"]) == (3, 1)
    assert "disruptedPods" not in told


def test_a_pull_that_fails_is_tried_less_and_less_often(active: Clusters) -> None:
    """After 10 s, 20 s, 40 s … at most five minutes."""
    active.aws.missing_images.add("web:2")
    tries = []
    pull = active.aws.missing_images.__contains__
    change_spec(active, image="web:2")
    told = ""
    for second in range(400):
        active.pass_time(1)
        for pod in active.pods():
            if pod["spec"]["containers"][0]["image"] == "web:2":
                state = pod["status"]["containerStatuses"][0]["state"]
                now = state["waiting"]["reason"] if pull("web:2") else ""
                if now == "ErrImagePull" != told:
                    tries.append(second)
                told = now
    gaps = [after - before for before, after in pairwise(tries)]
    assert gaps[:5] == [10, 20, 40, 80, 160]


@pytest.mark.parametrize("when", ["DoNotSchedule", "ScheduleAnyway"])
def test_a_spread_that_is_required_is_kept(active: Clusters, when: str) -> None:
    """With one zone cordoned the pods that would lean too far wait; if only wished for, they run."""
    for node in active.nodes():
        if node["metadata"]["labels"][ZONE] == LOST:
            node["spec"]["unschedulable"] = True
            active.seoul.update(NODE, node)
    wanted = deployment("even", 6)
    constraint = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": when}
    constraint["labelSelector"] = {"matchLabels": {"app": "even"}}
    wanted["spec"]["template"]["spec"]["topologySpreadConstraints"] = [constraint]
    active.seoul.create(DEPLOYMENT, wanted)
    active.pass_time(14)
    even = [pod for pod in active.pods() if pod["metadata"]["labels"]["app"] == "even"]
    waiting = [pod for pod in even if not pod["spec"].get("nodeName")]
    assert len(waiting) == (4 if when == "DoNotSchedule" else 0)


def test_pods_that_must_be_apart_are_apart(active: Clusters) -> None:
    """One on each node, and the seventh waits."""
    wanted = deployment("lonely", 7)
    labels = {"matchLabels": {"app": "lonely"}}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": labels}
    wanted["spec"]["template"]["spec"]["affinity"] = {
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    }
    active.seoul.create(DEPLOYMENT, wanted)
    active.pass_time(14)
    lonely = [pod for pod in active.pods() if pod["metadata"]["labels"]["app"] == "lonely"]
    nodes = [pod["spec"]["nodeName"] for pod in lonely if pod["spec"].get("nodeName")]
    assert len(nodes) == len(set(nodes)) == 6
    [waiting] = [pod for pod in lonely if not pod["spec"].get("nodeName")]
    assert "anti-affinity" in waiting["status"]["conditions"][0]["message"]
