"""EKS node groups: their states, their counts, their updates."""

from typing import Any

import pytest

from platform_pipelines.local.aws.eks import node_groups, report_health
from platform_pipelines.local.aws.eks_health import issue
from platform_pipelines.local.aws.service import Fault
from tests.local.aws.clusters import (
    CLUSTER,
    NAME,
    NONE,
    ROLE,
    SIX,
    WEB,
    ask_for_cluster,
    ask_for_group,
    describe_group,
    make_cluster,
    make_group,
    scale,
    seoul,
    update_of,
)
from tests.local.aws.networks import make_network
from tests.local.aws.regions import Regions

OF_WEB = {"nodegroupName": "web"}
SEOUL = "ap-northeast-2"
NO_CAPACITY = issue("AsgInstanceLaunchFailures", "Could not launch On-Demand Instances.")


def test_a_group_without_counts_gets_ekss_own(regions: Regions) -> None:
    """One to two nodes, two desired; CREATING, then ACTIVE."""
    made = ask_for_group(regions, make_cluster(regions))
    assert made["scalingConfig"] == {"minSize": 1, "maxSize": 2, "desiredSize": 2}
    assert made["status"] == "CREATING"
    regions.advance(160)
    assert describe_group(regions)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "counts",
    [
        {"minSize": 1, "maxSize": 2},
        {"desiredSize": 2},
        {"minSize": 3, "maxSize": 2, "desiredSize": 3},
        {"minSize": 0, "maxSize": 0, "desiredSize": 0},
        {"minSize": 2, "maxSize": 4, "desiredSize": 1},
    ],
)
def test_counts_must_fit(regions: Regions, counts: dict[str, int]) -> None:
    """All three or none, min ≤ desired ≤ max, max at least one."""
    network = make_cluster(regions)
    with pytest.raises(Fault, match="InvalidParameterException"):
        ask_for_group(regions, network, scalingConfig=counts)
    assert seoul(regions, "ListNodegroups", clusterName=CLUSTER)["nodegroups"] == []


def test_nodes_need_the_arn_of_a_role(regions: Regions) -> None:
    """Another text is refused before anything is made, as in the cluster's own role."""
    with pytest.raises(Fault, match=r"InvalidParameterException.*roleArn"):
        ask_for_cluster(
            regions, make_network(regions.world, "seoul"), roleArn=ROLE.replace("role", "user")
        )
    network = make_cluster(regions)
    with pytest.raises(Fault, match=r"InvalidParameterException.*nodeRole"):
        ask_for_group(regions, network, nodeRole="node")
    assert seoul(regions, "ListNodegroups", clusterName=CLUSTER)["nodegroups"] == []


def test_the_same_request_makes_one_group(regions: Regions) -> None:
    """By its token; another one of the name is refused."""
    network = make_cluster(regions)
    first = ask_for_group(regions, network, clientRequestToken="one")
    again = ask_for_group(regions, network, clientRequestToken="one")
    assert again["nodegroupArn"] == first["nodegroupArn"]
    with pytest.raises(Fault, match="NodeGroup already exists with name web"):
        ask_for_group(regions, network)


def test_a_launch_template_says_the_disk_itself(regions: Regions) -> None:
    """A group with a template has no disk size, and may not name one."""
    network = make_cluster(regions)
    template: dict[str, Any] = {"launchTemplate": {"id": "lt-0123456789abcdef0", "version": "1"}}
    with pytest.raises(Fault, match="Disk size must be specified within the launch template"):
        ask_for_group(regions, network, diskSize=50, **template)
    made = ask_for_group(regions, network, **template)
    assert "diskSize" not in made
    assert made["launchTemplate"] == template["launchTemplate"]


def test_an_update_is_in_progress_and_then_successful(regions: Regions) -> None:
    """The setting is there at once, the group UPDATING meanwhile."""
    make_group(regions, make_cluster(regions), scalingConfig=NONE)
    update = scale(regions, SIX)
    group = describe_group(regions)
    assert (group["status"], group["scalingConfig"]) == ("UPDATING", SIX)
    assert update_of(regions, update["id"], **OF_WEB)["status"] == "InProgress"
    assert {"type": "DesiredSize", "value": "6"} in update["params"]
    regions.advance(20)
    assert update_of(regions, update["id"], **OF_WEB)["status"] == "Successful"
    assert describe_group(regions)["status"] == "ACTIVE"
    assert seoul(regions, "ListUpdates", **NAME, **OF_WEB)["updateIds"] == [update["id"]]


def test_an_update_that_fails_takes_its_counts_back(regions: Regions) -> None:
    """Failed with an error, and the group as it was."""
    make_group(regions, make_cluster(regions), scalingConfig=NONE)
    fault = {"kind": "transition", "transition": "nodegroup_update", "ending": "failed"}
    regions.world.faults.add(fault | {"resource": "web"})
    update = scale(regions, SIX)
    regions.advance(20)
    ended = update_of(regions, update["id"], **OF_WEB)
    assert (ended["status"], len(ended["errors"])) == ("Failed", 1)
    assert describe_group(regions)["scalingConfig"] == NONE


def test_only_one_update_runs_at_a_time(regions: Regions) -> None:
    """ResourceInUseException, until the first is done; a known token gets its own update."""
    make_group(regions, make_cluster(regions), scalingConfig=NONE)
    update = scale(regions, SIX, clientRequestToken="first")
    assert scale(regions, SIX, clientRequestToken="first")["id"] == update["id"]
    with pytest.raises(Fault, match="ResourceInUseException"):
        scale(regions, NONE, clientRequestToken="second")
    with pytest.raises(Fault, match="ResourceInUseException"):
        seoul(regions, "DeleteNodegroup", **WEB)
    regions.advance(20)
    scale(regions, NONE, clientRequestToken="second")
    assert node_groups(regions.world, SEOUL)[0]["scalingConfig"] == NONE


def test_a_group_that_is_not_there_yet_cannot_be_updated(regions: Regions) -> None:
    """CREATING is in use, too."""
    ask_for_group(regions, make_cluster(regions), scalingConfig=NONE)
    with pytest.raises(Fault, match=r"ResourceInUseException.*not in Active State"):
        scale(regions, SIX)


def test_an_update_that_does_not_fit_changes_nothing(regions: Regions) -> None:
    """The counts stay, and no update is opened."""
    make_group(regions, make_cluster(regions), scalingConfig=SIX)
    with pytest.raises(Fault, match="InvalidParameterException"):
        scale(regions, {"maxSize": 3})
    group = describe_group(regions)
    assert (group["status"], group["scalingConfig"]) == ("ACTIVE", SIX)


def test_labels_and_taints_change_without_the_counts(regions: Regions) -> None:
    """Added, changed and removed ones."""
    taint = {"key": "role", "value": "web", "effect": "NO_SCHEDULE"}
    make_group(regions, make_cluster(regions), scalingConfig=SIX, taints=[taint])
    changes: dict[str, Any] = {
        "labels": {"addOrUpdateLabels": {"tier": "front"}, "removeLabels": ["role"]},
        "taints": {"removeTaints": [taint]},
    }
    seoul(regions, "UpdateNodegroupConfig", **WEB, **changes)
    group = describe_group(regions)
    assert (group["labels"], group["taints"]) == ({"tier": "front"}, [])
    assert group["scalingConfig"] == SIX


def test_a_group_follows_its_clusters_version(regions: Regions) -> None:
    """Not ahead of it; without a version it is the cluster's."""
    make_group(regions, make_cluster(regions))
    with pytest.raises(Fault, match="higher than cluster version"):
        seoul(regions, "UpdateNodegroupVersion", **WEB, version="1.37")
    seoul(regions, "UpdateClusterVersion", **NAME, version="1.37")
    regions.advance(540)
    update = seoul(regions, "UpdateNodegroupVersion", **WEB)["update"]
    assert update["type"] == "VersionUpdate"
    regions.advance(600)
    group = describe_group(regions)
    assert group["version"] == "1.37"
    assert group["releaseVersion"].startswith("1.37.")


def test_launches_that_fail_degrade_a_group_until_one_succeeds(regions: Regions) -> None:
    """DEGRADED with the issue, even when scaled to zero; ACTIVE when a node was launched."""
    make_group(regions, make_cluster(regions), scalingConfig=NONE)
    report_health(regions.world, SEOUL, "web", [NO_CAPACITY])
    group = describe_group(regions)
    assert (group["status"], group["health"]["issues"]) == ("DEGRADED", [NO_CAPACITY])
    scale(regions, NONE | {"maxSize": 3})
    regions.advance(20)
    assert describe_group(regions)["status"] == "DEGRADED"
    report_health(regions.world, SEOUL, "web", [])
    assert describe_group(regions)["status"] == "ACTIVE"


def test_a_group_that_gets_no_nodes_is_not_created(regions: Regions) -> None:
    """CREATE_FAILED, with the issue; it can only be deleted."""
    ask_for_group(regions, make_cluster(regions), scalingConfig=SIX)
    report_health(regions.world, SEOUL, "web", [NO_CAPACITY])
    regions.advance(160)
    assert describe_group(regions)["status"] == "CREATE_FAILED"
    with pytest.raises(Fault, match="not in Active State"):
        scale(regions, NONE)
    seoul(regions, "DeleteNodegroup", **WEB)
    regions.advance(120)
    assert seoul(regions, "ListNodegroups", clusterName=CLUSTER)["nodegroups"] == []


def test_a_deletion_may_fail(regions: Regions) -> None:
    """DELETE_FAILED, and asked again it goes."""
    make_group(regions, make_cluster(regions))
    fault = {"kind": "transition", "transition": "eks_nodegroup_deleting", "ending": "failed"}
    entry = regions.world.faults.add(fault)
    seoul(regions, "DeleteNodegroup", **WEB)
    regions.advance(120)
    assert describe_group(regions)["status"] == "DELETE_FAILED"
    regions.world.faults.remove(entry.id)
    seoul(regions, "DeleteNodegroup", **WEB)
    regions.advance(120)
    assert seoul(regions, "ListNodegroups", clusterName=CLUSTER)["nodegroups"] == []


def test_the_node_controller_sees_the_groups_of_its_region(regions: Regions) -> None:
    """And of no other."""
    network = make_cluster(regions)
    ask_for_group(regions, network, "app", scalingConfig=SIX, instanceTypes=["t3.medium"])
    ask_for_group(regions, network, "web")
    found = {one["nodegroupName"]: one for one in node_groups(regions.world, SEOUL)}
    assert set(found) == {"app", "web"}
    assert found["app"]["scalingConfig"] == SIX
    assert found["app"]["instanceTypes"] == ["t3.medium"]
    assert node_groups(regions.world, "ap-northeast-1") == []


def test_node_groups_come_in_pages(regions: Regions) -> None:
    """With a token until the last."""
    network = make_cluster(regions)
    for name in ("app", "manage", "web"):
        ask_for_group(regions, network, name)
    first = seoul(regions, "ListNodegroups", clusterName=CLUSTER, maxResults=2)
    token = {"nextToken": first["nextToken"]}
    rest = seoul(regions, "ListNodegroups", clusterName=CLUSTER, **token)
    assert first["nodegroups"] + rest["nodegroups"] == ["app", "manage", "web"]
    with pytest.raises(Fault, match="InvalidParameterException"):
        seoul(regions, "ListNodegroups", clusterName=CLUSTER, nextToken="nonsense")


def test_what_does_not_exist_is_not_found(regions: Regions) -> None:
    """A group, an update."""
    network = make_cluster(regions)
    with pytest.raises(Fault, match="No node group found"):
        scale(regions, SIX)
    make_group(regions, network)
    with pytest.raises(Fault, match="No update found"):
        update_of(regions, "none", **OF_WEB)
