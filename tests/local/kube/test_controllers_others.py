"""DaemonSets, Jobs, and what Services tell of the pods behind them."""

from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local.kube.kinds import (
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    JOB,
    POD,
    SERVICE,
)
from tests.local.kube.hand_world import Clusters, Object, conditions, deployment

ANY = [{"operator": "Exists"}]


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Seoul with two web nodes and two others."""
    made = Clusters(tmp_path)
    made.start()
    made.scale(web=2, manage=2)
    made.pass_time(150)
    return made


def workload(name: str, image: str = "agent:1", **spec: Any) -> Object:
    """The metadata and pod template of a DaemonSet or Job."""
    pod = {"containers": [{"name": "main", "image": image}], **spec}
    labels = {"app": name}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def agent(image: str = "agent:1", **spec: Any) -> Object:
    """A DaemonSet."""
    made = workload("agent", image, **spec)
    made["spec"]["selector"] = {"matchLabels": {"app": "agent"}}
    return made


def job(**spec: Any) -> Object:
    """A Job."""
    made = workload("work", restartPolicy="Never")
    made["spec"] |= spec
    return made


def test_a_daemon_runs_on_every_node_that_takes_it(clusters: Clusters) -> None:
    """On those without a taint; with a toleration for everything, on all, new ones too."""
    clusters.seoul.create(DAEMON_SET, agent())
    clusters.pass_time(14)
    status = clusters.the(DAEMON_SET, "agent")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (2, 2)
    found = clusters.the(DAEMON_SET, "agent")
    found["spec"]["template"]["spec"]["tolerations"] = ANY
    clusters.seoul.update(DAEMON_SET, found)
    clusters.scale(web=3, manage=2)
    clusters.pass_time(240)
    status = clusters.the(DAEMON_SET, "agent")["status"]
    assert status["numberReady"] == status["updatedNumberScheduled"] == 5
    assert len({pod["spec"]["nodeName"] for pod in clusters.pods()}) == 5


def test_a_daemon_of_a_new_image_rolls_one_by_one(clusters: Clusters) -> None:
    """Never two nodes without it at once."""
    clusters.seoul.create(DAEMON_SET, agent(tolerations=ANY))
    clusters.pass_time(14)
    clusters.seoul.update(DAEMON_SET, agent("agent:2", tolerations=ANY))
    for _ in range(40):
        clusters.pass_time(2)
        assert clusters.the(DAEMON_SET, "agent")["status"]["numberReady"] >= 3
    assert {pod["spec"]["containers"][0]["image"] for pod in clusters.pods()} == {"agent:2"}


def test_a_daemon_stays_on_a_silent_node(clusters: Clusters) -> None:
    """It tolerates it for ever."""
    clusters.seoul.create(DAEMON_SET, agent())
    clusters.pass_time(14)
    for zone in ("ap-northeast-2a", "ap-northeast-2b"):
        clusters.lose_zone(zone)
    clusters.pass_time(500)
    assert len(clusters.running()) == 2
    assert clusters.the(DAEMON_SET, "agent")["status"]["numberReady"] == 0


def test_a_job_runs_until_its_work_is_done(clusters: Clusters) -> None:
    """Three completions, two at a time; its pods stay, Succeeded."""
    clusters.seoul.create(JOB, job(completions=3, parallelism=2))
    clusters.pass_time(14)
    assert clusters.the(JOB, "work")["status"]["active"] == 2
    clusters.pass_time(60)
    done = clusters.the(JOB, "work")
    assert (done["status"]["succeeded"], done["status"].get("active")) == (3, None)
    assert conditions(done)["Complete"] == ("True", "CompletionsReached")
    assert done["status"]["completionTime"] > done["status"]["startTime"]
    assert [pod["status"]["phase"] for pod in clusters.pods()] == ["Succeeded"] * 3


def test_a_job_with_a_time_to_live_goes(clusters: Clusters) -> None:
    """And its pods with it."""
    clusters.seoul.create(JOB, job(ttlSecondsAfterFinished=60))
    clusters.pass_time(40)
    assert conditions(clusters.the(JOB, "work"))["Complete"][0] == "True"
    clusters.pass_time(60)
    assert clusters.seoul.list(JOB) == []
    assert clusters.pods() == []


def test_a_job_that_takes_too_long_fails(clusters: Clusters) -> None:
    """DeadlineExceeded, and its pods are stopped."""
    clusters.aws.missing_images.add("agent:1")
    clusters.seoul.create(JOB, job(activeDeadlineSeconds=120))
    clusters.pass_time(140)
    assert conditions(clusters.the(JOB, "work"))["Failed"] == ("True", "DeadlineExceeded")
    assert clusters.pods() == []


def test_a_suspended_job_waits(clusters: Clusters) -> None:
    """No pods until it is resumed."""
    clusters.seoul.create(JOB, job(suspend=True))
    clusters.pass_time(30)
    assert clusters.pods() == []
    assert conditions(clusters.the(JOB, "work"))["Suspended"] == ("True", "JobSuspended")
    found = clusters.the(JOB, "work")
    found["spec"]["suspend"] = False
    clusters.seoul.update(JOB, found)
    clusters.pass_time(40)
    assert conditions(clusters.the(JOB, "work"))["Complete"][0] == "True"


def test_a_service_tells_who_is_behind_it(clusters: Clusters) -> None:
    """Ready pods with node, zone and the number of a named port; one that stops is no target."""
    wanted = deployment(replicas=2)
    ports = [{"name": "http", "containerPort": 8080}]
    wanted["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
    clusters.seoul.create(DEPLOYMENT, wanted)
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
    metadata = {"name": "web", "namespace": "default"}
    clusters.seoul.create(SERVICE, {"metadata": metadata, "spec": service})
    clusters.pass_time(14)
    [slice_] = clusters.seoul.list(ENDPOINT_SLICE)
    assert [port["port"] for port in slice_["ports"]] == [8080]
    assert all(one["conditions"]["ready"] for one in slice_["endpoints"])
    assert {one["zone"] for one in slice_["endpoints"]} <= {"ap-northeast-2a", "ap-northeast-2b"}
    [subset] = clusters.the(ENDPOINTS, "web")["subsets"]
    assert len(subset["addresses"]) == 2
    clusters.seoul.delete(POD, "default", clusters.pods()[0]["metadata"]["name"])
    clusters.settle()
    [slice_] = clusters.seoul.list(ENDPOINT_SLICE)
    told = sorted(one["conditions"]["terminating"] for one in slice_["endpoints"])
    assert told == [False, True]
    clusters.seoul.delete(SERVICE, "default", "web")
    clusters.settle()
    assert clusters.seoul.list(ENDPOINT_SLICE) == []
