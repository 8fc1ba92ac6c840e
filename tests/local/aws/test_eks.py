import base64
from typing import Any

import pytest

from platform_pipelines.local.aws.eks import node_groups
from platform_pipelines.local.aws.service import Fault
from tests.local.aws.regions import Regions

CLUSTER = "peccy-seoul"
WEB = {"clusterName": CLUSTER, "nodegroupName": "web"}
SIX = {"minSize": 6, "maxSize": 12, "desiredSize": 6}
NONE = {"minSize": 0, "maxSize": 12, "desiredSize": 0}


def make_cluster(regions: Regions) -> dict[str, Any]:
    """Seoul's cluster."""
    answer = regions(
        "seoul",
        "eks",
        "CreateCluster",
        name=CLUSTER,
        roleArn="arn:aws:iam::111122223333:role/cluster",
        resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
        tags={"team": "peccy"},
    )
    cluster: dict[str, Any] = answer["cluster"]
    return cluster


def make_group(regions: Regions, name: str = "web", **more: Any) -> dict[str, Any]:
    """A node group of Seoul's cluster."""
    answer = regions(
        "seoul",
        "eks",
        "CreateNodegroup",
        clusterName=CLUSTER,
        nodegroupName=name,
        subnets=["subnet-1", "subnet-2"],
        nodeRole="arn:aws:iam::111122223333:role/node",
        labels={"role": name},
        **more,
    )
    group: dict[str, Any] = answer["nodegroup"]
    return group


def scale(regions: Regions, counts: dict[str, int], **more: Any) -> dict[str, Any]:
    """Change the counts of `web`; the update."""
    answer = regions("seoul", "eks", "UpdateNodegroupConfig", **WEB, scalingConfig=counts, **more)
    update: dict[str, Any] = answer["update"]
    return update


def status(regions: Regions, update: str) -> str:
    """The status of an update of `web`."""
    asked = {"name": CLUSTER, "nodegroupName": "web", "updateId": update}
    return str(regions("seoul", "eks", "DescribeUpdate", **asked)["update"]["status"])


def test_a_cluster_is_our_own_kubernetes_api(regions: Regions) -> None:
    """Its endpoint and CA are those of the Region's port; it is ACTIVE at once."""
    made = make_cluster(regions)
    described = regions("seoul", "eks", "DescribeCluster", name=CLUSTER)["cluster"]
    assert made["endpoint"] == described["endpoint"] == "https://127.0.0.1:16443"
    assert base64.b64decode(described["certificateAuthority"]["data"]) == regions.world.ca_pem
    assert (described["status"], described["version"]) == ("ACTIVE", "1.36")
    assert described["tags"] == {"team": "peccy"}
    assert regions("tokyo", "eks", "ListClusters")["clusters"] == []


def test_tags_of_a_cluster_can_be_changed(regions: Regions) -> None:
    """By its ARN."""
    arn = make_cluster(regions)["arn"]
    regions("seoul", "eks", "TagResource", resourceArn=arn, tags={"stage": "one"})
    found = regions("seoul", "eks", "ListTagsForResource", resourceArn=arn)["tags"]
    assert found == {"team": "peccy", "stage": "one"}


def test_a_group_without_counts_gets_ekss_own(regions: Regions) -> None:
    """One to two nodes, two desired."""
    make_cluster(regions)
    group = make_group(regions)
    assert group["scalingConfig"] == {"minSize": 1, "maxSize": 2, "desiredSize": 2}
    assert group["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "counts",
    [
        {"minSize": 1, "maxSize": 2},
        {"minSize": 3, "maxSize": 2, "desiredSize": 3},
        {"minSize": 0, "maxSize": 0, "desiredSize": 0},
        {"minSize": 2, "maxSize": 4, "desiredSize": 1},
    ],
)
def test_counts_must_fit(regions: Regions, counts: dict[str, int]) -> None:
    """All three or none, min ≤ desired ≤ max, max at least one."""
    make_cluster(regions)
    with pytest.raises(Fault, match="InvalidParameterException"):
        make_group(regions, scalingConfig=counts)


def test_an_update_is_in_progress_and_then_successful(regions: Regions) -> None:
    """The setting is there at once, the group UPDATING meanwhile."""
    make_cluster(regions)
    make_group(regions, scalingConfig=NONE)
    update = scale(regions, SIX)
    group = regions("seoul", "eks", "DescribeNodegroup", **WEB)["nodegroup"]
    assert (group["status"], group["scalingConfig"]) == ("UPDATING", SIX)
    assert status(regions, update["id"]) == "InProgress"
    regions.advance(20)
    assert status(regions, update["id"]) == "Successful"
    assert regions("seoul", "eks", "DescribeNodegroup", **WEB)["nodegroup"]["status"] == "ACTIVE"
    listed = regions("seoul", "eks", "ListUpdates", name=CLUSTER, nodegroupName="web")
    assert listed["updateIds"] == [update["id"]]


def test_only_one_update_runs_at_a_time(regions: Regions) -> None:
    """ResourceInUseException, until the first is done; a known token gets its own update."""
    make_cluster(regions)
    make_group(regions, scalingConfig=NONE)
    update = scale(regions, SIX, clientRequestToken="first")
    assert scale(regions, SIX, clientRequestToken="first")["id"] == update["id"]
    with pytest.raises(Fault, match="ResourceInUseException"):
        scale(regions, NONE, clientRequestToken="second")
    with pytest.raises(Fault, match="ResourceInUseException"):
        regions("seoul", "eks", "DeleteNodegroup", **WEB)
    regions.advance(20)
    scale(regions, NONE, clientRequestToken="second")
    assert node_groups(regions.world, "ap-northeast-2")[0]["scalingConfig"] == NONE


def test_an_update_that_does_not_fit_changes_nothing(regions: Regions) -> None:
    """The counts stay, and no update is opened."""
    make_cluster(regions)
    make_group(regions, scalingConfig=SIX)
    with pytest.raises(Fault, match="InvalidParameterException"):
        scale(regions, {"maxSize": 3})
    group = regions("seoul", "eks", "DescribeNodegroup", **WEB)["nodegroup"]
    assert (group["status"], group["scalingConfig"]) == ("ACTIVE", SIX)


def test_labels_and_taints_change_without_the_counts(regions: Regions) -> None:
    """Added, changed and removed ones."""
    make_cluster(regions)
    taint = {"key": "role", "value": "web", "effect": "NO_SCHEDULE"}
    make_group(regions, scalingConfig=SIX, taints=[taint])
    regions(
        "seoul",
        "eks",
        "UpdateNodegroupConfig",
        **WEB,
        labels={"addOrUpdateLabels": {"tier": "front"}, "removeLabels": ["role"]},
        taints={"removeTaints": [taint]},
    )
    group = regions("seoul", "eks", "DescribeNodegroup", **WEB)["nodegroup"]
    assert group["labels"] == {"tier": "front"}
    assert group["taints"] == []
    assert group["scalingConfig"] == SIX


def test_the_node_controller_sees_the_groups_of_its_region(regions: Regions) -> None:
    """And of no other."""
    make_cluster(regions)
    make_group(regions, "app", scalingConfig=SIX, instanceTypes=["t3.medium"])
    make_group(regions, "web")
    found = {one["nodegroupName"]: one for one in node_groups(regions.world, "ap-northeast-2")}
    assert set(found) == {"app", "web"}
    assert found["app"]["scalingConfig"] == SIX
    assert found["app"]["instanceTypes"] == ["t3.medium"]
    assert node_groups(regions.world, "ap-northeast-1") == []


def test_node_groups_come_in_pages(regions: Regions) -> None:
    """With a token until the last."""
    make_cluster(regions)
    for name in ("app", "manage", "web"):
        make_group(regions, name)
    first = regions("seoul", "eks", "ListNodegroups", clusterName=CLUSTER, maxResults=2)
    rest = regions(
        "seoul", "eks", "ListNodegroups", clusterName=CLUSTER, nextToken=first["nextToken"]
    )
    assert first["nodegroups"] + rest["nodegroups"] == ["app", "manage", "web"]
    with pytest.raises(Fault, match="InvalidParameterException"):
        regions("seoul", "eks", "ListNodegroups", clusterName=CLUSTER, nextToken="nonsense")


def test_a_cluster_goes_after_its_groups(regions: Regions) -> None:
    """Not before."""
    make_cluster(regions)
    make_group(regions)
    with pytest.raises(Fault, match="ResourceInUseException"):
        regions("seoul", "eks", "DeleteCluster", name=CLUSTER)
    regions("seoul", "eks", "DeleteNodegroup", **WEB)
    regions("seoul", "eks", "DeleteCluster", name=CLUSTER)
    with pytest.raises(Fault, match="ResourceNotFoundException"):
        regions("seoul", "eks", "DescribeCluster", name=CLUSTER)


def test_a_cluster_is_configured_and_upgraded_by_updates(regions: Regions) -> None:
    """One at a time, as on AWS; what is not named stays."""
    make_cluster(regions)
    access = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    regions("seoul", "eks", "UpdateClusterConfig", name=CLUSTER, resourcesVpcConfig=access)
    with pytest.raises(Fault, match="ResourceInUseException"):
        regions("seoul", "eks", "UpdateClusterVersion", name=CLUSTER, version="1.37")
    regions.advance(20)
    update = regions("seoul", "eks", "UpdateClusterVersion", name=CLUSTER, version="1.37")["update"]
    assert (update["type"], update["status"]) == ("VersionUpdate", "InProgress")
    cluster = regions("seoul", "eks", "DescribeCluster", name=CLUSTER)["cluster"]
    assert (cluster["version"], cluster["status"]) == ("1.37", "UPDATING")
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert cluster["resourcesVpcConfig"]["subnetIds"] == ["subnet-1", "subnet-2"]


def test_a_protected_cluster_cannot_be_deleted(regions: Regions) -> None:
    """Until its protection is taken off."""
    make_cluster(regions)
    regions("seoul", "eks", "UpdateClusterConfig", name=CLUSTER, deletionProtection=True)
    with pytest.raises(Fault, match="InvalidRequestException"):
        regions("seoul", "eks", "DeleteCluster", name=CLUSTER)


def test_what_does_not_exist_is_not_found(regions: Regions) -> None:
    """A cluster, a group, an update."""
    with pytest.raises(Fault, match="No cluster found"):
        make_group(regions)
    make_cluster(regions)
    with pytest.raises(Fault, match="No node group found"):
        scale(regions, SIX)
    make_group(regions)
    with pytest.raises(Fault, match="No update found"):
        status(regions, "none")
