"""Nodes follow node groups."""

import json
from collections import Counter
from pathlib import Path

import pytest

from platform_pipelines.local.kube.controllers.cluster import Refusal
from platform_pipelines.local.kube.controllers.objects import condition, unix_of
from platform_pipelines.local.kube.kinds import DEPLOYMENT, LEASE, NODE, Kind
from platform_pipelines.local.world import Outage
from tests.local.kube.hand_world import Clusters, Object, conditions, deployment


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


def test_quiet_time_changes_nothing_but_heartbeats(clusters: Clusters) -> None:
    """Controllers write only what is new: an hour of ticks leaves all but nodes and Leases alone."""
    clusters.scale(web=2)
    clusters.pass_time(300)
    written: list[Kind] = []
    clusters.seoul.subscribe(lambda _event, kind, _obj: written.append(kind))
    clusters.pass_time(3600)
    assert set(written) == {LEASE, NODE}
    assert written.count(LEASE) == 2 * 3600 / 12  # the first tick after ten seconds
    assert written.count(NODE) == 2 * 3600 / 300


def test_a_node_that_is_heard_has_a_fresh_lease(clusters: Clusters) -> None:
    """It is the node's, good for 40 seconds, and goes with it."""
    clusters.scale(web=1)
    clusters.pass_time(300)
    [node] = clusters.nodes()
    lease = clusters.the(LEASE, node["metadata"]["name"], "kube-node-lease")
    assert lease["spec"]["holderIdentity"] == node["metadata"]["name"]
    assert lease["spec"]["leaseDurationSeconds"] == 40
    assert clusters.clock.now() - unix_of(lease["spec"]["renewTime"]) <= 12
    clusters.scale(web=0)
    clusters.pass_time(300)
    assert clusters.seoul.list(LEASE) == []


def test_a_silent_node_keeps_the_time_of_its_last_heartbeat(clusters: Clusters) -> None:
    """Its conditions are Unknown since later; back again, it reports at once."""
    clusters.scale(web=1)
    clusters.pass_time(300)
    clusters.black_out("seoul")
    clusters.world.changed()
    dark = clusters.clock.now()
    clusters.pass_time(600)
    clusters.world.outages["seoul"] = Outage.DATA_PLANE
    clusters.pass_time(8)
    told = _ready(clusters)
    assert told["status"] == "Unknown"
    assert unix_of(told["lastHeartbeatTime"]) <= dark < unix_of(told["lastTransitionTime"])
    clusters.bring_back("seoul")
    clusters.world.changed()
    clusters.pass_time(20)
    assert _ready(clusters)["status"] == "True"
    assert unix_of(_ready(clusters)["lastHeartbeatTime"]) > dark + 600


def _ready(clusters: Clusters) -> Object:
    found = condition(clusters.nodes()[0], "Ready")
    assert found is not None
    return found


def test_a_node_that_somebody_only_wrote_down_stays_as_it_is(clusters: Clusters) -> None:
    """No kubelet is behind it: no heartbeat, and the scheduler passes it by."""
    paper = {"name": "paper", "labels": {"eks.amazonaws.com/nodegroup": "web"}}
    clusters.seoul.create(NODE, {"metadata": paper, "spec": {}})
    clusters.seoul.create(DEPLOYMENT, deployment(replicas=1))
    clusters.pass_time(20)
    assert conditions(clusters.the(NODE, "paper")) == {}
    assert not clusters.pods()[0]["spec"].get("nodeName")


ZONES = ("ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c")
NO_CAPACITY = Refusal(code="AsgInstanceLaunchFailures", message="no capacity")


def zones(clusters: Clusters) -> Counter[str]:
    """How many of Seoul's nodes are in each zone."""
    label = "topology.kubernetes.io/zone"
    return Counter(node["metadata"]["labels"][label] for node in clusters.nodes())


def silent(clusters: Clusters) -> set[str]:
    """The zones whose nodes are Unknown."""
    label = "topology.kubernetes.io/zone"
    return {
        node["metadata"]["labels"][label]
        for node in clusters.nodes()
        if conditions(node)["Ready"][0] == "Unknown"
    }


def test_nodes_of_a_lost_zone_fall_silent(clusters: Clusters) -> None:
    """Unknown after 50 s, Ready a heartbeat after the zone is back; the others go on."""
    clusters.scale(web=6)
    clusters.pass_time(150)
    clusters.lose_zone(ZONES[1])
    clusters.pass_time(49)
    assert silent(clusters) == set()
    clusters.pass_time(2)
    assert silent(clusters) == {ZONES[1]}
    clusters.regain_zone(ZONES[1])
    clusters.pass_time(9)
    assert silent(clusters) == {ZONES[1]}
    clusters.pass_time(2)
    assert silent(clusters) == set()


def test_nodes_of_a_zone_that_stays_lost_are_replaced_elsewhere(clusters: Clusters) -> None:
    """After `nodes_replacing` their group gives them up and launches others."""
    clusters.scale(web=6)
    clusters.pass_time(150)
    clusters.lose_zone(ZONES[1])
    clusters.pass_time(599)
    assert zones(clusters)[ZONES[1]] == 2
    clusters.pass_time(5)
    assert zones(clusters)[ZONES[1]] == 0
    clusters.pass_time(150)
    assert zones(clusters) == {ZONES[0]: 3, ZONES[2]: 3}


def test_nodes_are_launched_where_there_is_a_zone(clusters: Clusters) -> None:
    """A lost zone and one without capacity are passed over."""
    clusters.lose_zone(ZONES[0])
    clusters.aws.refusals[ZONES[2]] = NO_CAPACITY
    clusters.scale(web=3)
    clusters.pass_time(150)
    assert zones(clusters) == {ZONES[1]: 3}
    assert clusters.aws.reports["web"] == ()


def test_launches_that_are_refused_everywhere_are_told_and_tried_again(clusters: Clusters) -> None:
    """EKS is told why; with capacity again, the nodes come."""
    clusters.aws.refusals |= dict.fromkeys(ZONES, NO_CAPACITY)
    clusters.scale(web=3)
    assert clusters.aws.reports["web"] == (NO_CAPACITY,)
    clusters.pass_time(300)
    assert clusters.nodes() == []
    clusters.aws.refusals.clear()
    clusters.pass_time(32 + 150)
    assert ready(clusters) == ["True"] * 3
    assert not clusters.aws.reports["web"]


def test_a_fault_of_the_data_plane_leaves_the_api(clusters: Clusters) -> None:
    """The control plane sees the nodes fall silent while they are, and come back."""
    clusters.scale(manage=2)
    clusters.pass_time(150)
    clusters.world.outages["seoul"] = Outage.DATA_PLANE
    clusters.world.changed()
    clusters.pass_time(51)
    assert ready(clusters) == ["Unknown"] * 2
    del clusters.world.outages["seoul"]
    clusters.world.changed()
    clusters.pass_time(11)
    assert ready(clusters) == ["True"] * 2


def test_a_fault_of_the_control_plane_leaves_the_nodes(clusters: Clusters) -> None:
    """Nothing is scaled meanwhile, and no node was silent after it."""
    clusters.scale(manage=2)
    clusters.pass_time(150)
    clusters.world.outages["seoul"] = Outage.CONTROL_PLANE
    clusters.world.changed()
    clusters.scale(manage=3)
    clusters.pass_time(300)
    assert len(clusters.nodes()) == 2
    del clusters.world.outages["seoul"]
    clusters.world.changed()
    clusters.pass_time(1)
    assert ready(clusters) == ["True"] * 2
    clusters.pass_time(150)
    assert ready(clusters) == ["True"] * 3


def test_an_upgraded_group_replaces_its_nodes_one_by_one(clusters: Clusters) -> None:
    """A new one joins before an old one goes, so there are never too few."""
    clusters.scale(web=3, version="1.36")
    clusters.pass_time(150)
    clusters.scale(web=3, version="1.37")
    for _ in range(100):
        clusters.pass_time(10)
        assert len([one for one in ready(clusters) if one == "True"]) >= 3
    versions = {node["status"]["nodeInfo"]["kubeletVersion"][:6] for node in clusters.nodes()}
    assert (len(clusters.nodes()), versions) == (3, {"v1.37."})


def test_what_was_on_its_way_is_still_on_its_way_after_a_restart(
    clusters: Clusters, tmp_path: Path
) -> None:
    """Another server goes on from the same state: nodes join when they would have."""
    clusters.scale(web=3)
    clusters.pass_time(100)
    again = Clusters(tmp_path / "again", at=clusters.clock.now())
    again.aws.groups = clusters.aws.groups
    again.start()
    for alias, loop in clusters.loops.items():
        again.loops[alias].load(json.loads(json.dumps(loop.dump())))
    again.world.timers.load(clusters.world.timers.dump())
    again.pass_time(44)
    assert again.nodes() == []
    again.pass_time(4)
    assert ready(again) == ["True"] * 3
