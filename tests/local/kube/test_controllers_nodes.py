"""Nodes follow node groups."""

from collections import Counter
from pathlib import Path

import pytest

from platform_pipelines.local.kube.kinds import DEPLOYMENT, NODE
from tests.local.kube.hand_world import Clusters, conditions, deployment


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    """Both clusters, without nodes."""
    made = Clusters(tmp_path)
    made.start()
    return made


def ready(clusters: Clusters) -> list[str]:
    """What Seoul's nodes say of their readiness."""
    return [conditions(node)["Ready"][0] for node in clusters.nodes()]


def test_nodes_join_after_a_while_and_are_ready(clusters: Clusters) -> None:
    """No node before `nodes_joining` has passed, then all at once, Ready."""
    clusters.scale(web=6)
    clusters.pass_time(144)
    assert clusters.nodes() == []
    clusters.pass_time(4)
    assert ready(clusters) == ["True"] * 6


def test_nodes_carry_what_schedulers_and_people_look_for(clusters: Clusters) -> None:
    """Role, node group, zone, instance type, taint and what fits on them."""
    clusters.scale(web=6, manage=3)
    clusters.pass_time(150)
    web = [node for node in clusters.nodes() if node["metadata"]["labels"]["role"] == "web"]
    labels = web[0]["metadata"]["labels"]
    assert labels["eks.amazonaws.com/nodegroup"] == "web"
    assert labels["node.kubernetes.io/instance-type"] == "t3.medium"
    assert web[0]["spec"]["taints"] == [{"key": "role", "value": "web", "effect": "NoSchedule"}]
    assert web[0]["status"]["allocatable"]["pods"] == "17"
    zones = Counter(node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in web)
    assert sorted(zones.values()) == [2, 2, 2]
    addresses = [node["status"]["addresses"][0]["address"] for node in clusters.nodes()]
    assert len(set(addresses)) == 9
    assert all(address.startswith("10.10.") for address in addresses)


def test_scaling_down_drains_evenly_and_takes_the_nodes_away(clusters: Clusters) -> None:
    """The nodes that go are cordoned at once, gone after `nodes_leaving`, one of each zone first."""
    clusters.scale(web=6)
    clusters.pass_time(150)
    clusters.scale(web=3)
    assert sum(bool(node["spec"].get("unschedulable")) for node in clusters.nodes()) == 3
    clusters.pass_time(62)
    zones = {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in clusters.nodes()}
    assert (len(clusters.nodes()), len(zones)) == (3, 3)


def test_scaling_back_before_they_joined_cancels_the_launch(clusters: Clusters) -> None:
    """A group that wants nothing any more gets no nodes later."""
    clusters.scale(web=6)
    clusters.pass_time(60)
    clusters.scale(web=0)
    clusters.pass_time(200)
    assert clusters.nodes() == []


def test_a_deleted_group_loses_its_nodes(clusters: Clusters) -> None:
    """Nodes of a group that EKS does not know leave like those of a group at 0."""
    clusters.scale(web=2)
    clusters.pass_time(150)
    clusters.scale(app=0)
    clusters.pass_time(62)
    assert clusters.nodes() == []


def test_a_node_that_somebody_deleted_is_replaced(clusters: Clusters) -> None:
    """The group launches another one, which takes its time."""
    clusters.scale(web=2)
    clusters.pass_time(150)
    clusters.seoul.delete(NODE, None, clusters.nodes()[0]["metadata"]["name"])
    clusters.pass_time(100)
    assert len(clusters.nodes()) == 1
    clusters.pass_time(60)
    assert len(clusters.nodes()) == 2


def test_a_dark_region_stands_still(clusters: Clusters) -> None:
    """Nothing joins, leaves or is told while the Region is dark; the other Region goes on."""
    clusters.scale(web=2)
    clusters.aws.groups["tokyo"] = clusters.aws.groups["seoul"]
    clusters.black_out("seoul")
    clusters.pass_time(300)
    assert clusters.nodes() == []
    assert len(clusters.world.stores["tokyo"].list(NODE)) == 2


def test_nodes_were_silent_while_dark_and_come_back(clusters: Clusters) -> None:
    """Right after a long outage the nodes are Unknown and tainted; a heartbeat later Ready."""
    clusters.scale(manage=2)
    clusters.pass_time(150)
    clusters.black_out("seoul")
    clusters.pass_time(300)
    clusters.bring_back("seoul")
    clusters.pass_time(4)
    assert ready(clusters) == ["Unknown"] * 2
    assert {one["key"] for one in clusters.nodes()[0]["spec"]["taints"]} == {
        "node.kubernetes.io/unreachable"
    }
    clusters.pass_time(12)
    assert ready(clusters) == ["True"] * 2
    assert not clusters.nodes()[0]["spec"].get("taints")


def test_a_short_outage_is_not_noticed(clusters: Clusters) -> None:
    """Less than the grace of 50 s: the nodes stay Ready."""
    clusters.scale(manage=2)
    clusters.pass_time(150)
    clusters.black_out("seoul")
    clusters.pass_time(20)
    clusters.bring_back("seoul")
    clusters.pass_time(4)
    assert ready(clusters) == ["True"] * 2


def test_quiet_time_changes_nothing(clusters: Clusters) -> None:
    """Controllers write only what is new: an hour of ticks leaves the store's version alone."""
    clusters.scale(web=2)
    clusters.pass_time(200)
    before = clusters.seoul.version
    clusters.pass_time(3600)
    assert clusters.seoul.version == before


def test_a_node_that_somebody_only_wrote_down_stays_as_it_is(clusters: Clusters) -> None:
    """No kubelet is behind it: no heartbeat, and the scheduler passes it by."""
    paper = {"name": "paper", "labels": {"eks.amazonaws.com/nodegroup": "web"}}
    clusters.seoul.create(NODE, {"metadata": paper, "spec": {}})
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(20)
    assert conditions(clusters.the(NODE, "paper")) == {}
    assert not clusters.pods()[0]["spec"].get("nodeName")
