"""EKS clusters: their states, their network, their updates."""

import base64

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault
from platform_pipelines.local.world import Outage
from tests.local.aws.clusters import (
    CLUSTER,
    NAME,
    WEB,
    ask_for_cluster,
    describe_cluster,
    make_cluster,
    make_group,
    seoul,
    update_of,
)
from tests.local.aws.networks import make_network
from tests.local.aws.regions import Regions

FAILS = {"kind": "transition", "ending": "failed"}


def test_a_cluster_is_our_own_kubernetes_api(regions: Regions) -> None:
    """Its endpoint and CA are those of the Region's port."""
    make_cluster(regions)
    described = describe_cluster(regions)
    assert described["endpoint"] == "https://127.0.0.1:16443"
    assert base64.b64decode(described["certificateAuthority"]["data"]) == regions.world.ca_pem
    assert (described["status"], described["version"]) == ("ACTIVE", "1.36")
    assert described["tags"] == {"team": "peccy"}
    assert seoul(regions, "ListClusters")["clusters"] == [CLUSTER]
    assert regions("tokyo", "eks", "ListClusters")["clusters"] == []


def test_a_cluster_takes_eight_minutes(regions: Regions) -> None:
    """CREATING without an endpoint, then ACTIVE with one."""
    made = ask_for_cluster(regions, make_network(regions.world, "seoul"))
    regions.advance(479)
    assert made["status"] == describe_cluster(regions)["status"] == "CREATING"
    assert "endpoint" not in describe_cluster(regions)
    regions.advance(1)
    assert describe_cluster(regions)["status"] == "ACTIVE"


def test_the_same_request_makes_one_cluster(regions: Regions) -> None:
    """By its token; another one of the name is refused."""
    network = make_network(regions.world, "seoul")
    first = ask_for_cluster(regions, network, clientRequestToken="one")
    assert ask_for_cluster(regions, network, clientRequestToken="one")["arn"] == first["arn"]
    with pytest.raises(Fault, match="ResourceInUseException: Cluster already exists"):
        ask_for_cluster(regions, network, clientRequestToken="two")


def test_only_the_platforms_own_cluster_can_be_made(regions: Regions) -> None:
    """Another one would never get a node; it is refused at once."""
    network = make_network(regions.world, "seoul")
    with pytest.raises(Fault, match=r"NotImplemented: .*only peccy-seoul of account") as told:
        ask_for_cluster(regions, network, name="other")
    assert told.value.status == 501
    assert seoul(regions, "ListClusters")["clusters"] == []


def test_a_cluster_needs_two_zones_of_one_network(regions: Regions) -> None:
    """And subnets that exist."""
    network, other = (make_network(regions.world, "seoul") for _ in range(2))
    for subnets, told in (
        (["subnet-0123456789abcdef0"], r"does not exist .*InvalidSubnetID\.NotFound"),
        ([network.subnets[0]], "at least two different AZs"),
        ([network.subnets[0], other.subnets[1]], "same VPC"),
    ):
        with pytest.raises(Fault, match=told):
            ask_for_cluster(regions, network, resourcesVpcConfig={"subnetIds": subnets})
    assert seoul(regions, "ListClusters")["clusters"] == []


def test_a_cluster_has_a_security_group_while_it_is_there(regions: Regions) -> None:
    """A real one of EC2, in the VPC of the subnets."""
    network = make_cluster(regions)
    placed = describe_cluster(regions)["resourcesVpcConfig"]
    assert placed["vpcId"] == network.vpc
    assert placed["clusterSecurityGroupId"] in groups(regions)
    seoul(regions, "DeleteCluster", **NAME)
    regions.advance(180)
    assert placed["clusterSecurityGroupId"] not in groups(regions)


def groups(regions: Regions) -> set[str]:
    """The ids of Seoul's security groups."""
    world = regions.world
    call = Call(
        service="ec2",
        operation="DescribeSecurityGroups",
        params={},
        region=regions.name("seoul"),
        account=world.platform.account,
        request_id="test",
    )
    with ministack.scope(call.account, call.region):
        return {one["GroupId"] for one in stores.ask(call)["SecurityGroups"]}


def test_a_creation_may_fail(regions: Regions) -> None:
    """FAILED, with an issue; such a cluster can be deleted."""
    regions.world.faults.add(FAILS | {"transition": "eks_cluster_creating", "region": "seoul"})
    make_cluster(regions)
    described = describe_cluster(regions)
    assert (described["status"], len(described["health"]["issues"])) == ("FAILED", 1)
    seoul(regions, "DeleteCluster", **NAME)
    regions.advance(180)
    assert seoul(regions, "ListClusters")["clusters"] == []


def test_a_dark_control_plane_makes_no_progress(regions: Regions) -> None:
    """The cluster is ACTIVE a moment after the Region is back, not before."""
    ask_for_cluster(regions, make_network(regions.world, "seoul"))
    regions.world.outages["seoul"] = Outage.CONTROL_PLANE
    regions.advance(1000)
    assert describe_cluster(regions)["status"] == "CREATING"
    del regions.world.outages["seoul"]
    regions.advance(5)
    assert describe_cluster(regions)["status"] == "ACTIVE"


def test_a_cluster_goes_after_its_groups(regions: Regions) -> None:
    """Not before; and it is DELETING for a while."""
    network = make_cluster(regions)
    make_group(regions, network)
    with pytest.raises(Fault, match="Cluster has nodegroups attached"):
        seoul(regions, "DeleteCluster", **NAME)
    seoul(regions, "DeleteNodegroup", **WEB)
    regions.advance(120)
    seoul(regions, "DeleteCluster", **NAME)
    assert describe_cluster(regions)["status"] == "DELETING"
    regions.advance(180)
    with pytest.raises(Fault, match="No cluster found"):
        describe_cluster(regions)


def test_a_protected_cluster_cannot_be_deleted(regions: Regions) -> None:
    """Until its protection is taken off."""
    make_cluster(regions, deletionProtection=True)
    with pytest.raises(Fault, match="InvalidRequestException"):
        seoul(regions, "DeleteCluster", **NAME)
    seoul(regions, "UpdateClusterConfig", **NAME, deletionProtection=False)
    regions.advance(120)
    seoul(regions, "DeleteCluster", **NAME)


def test_a_cluster_is_configured_by_an_update(regions: Regions) -> None:
    """UPDATING, and configured when it is done; what is not named stays."""
    network = make_cluster(regions)
    access = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    update = seoul(regions, "UpdateClusterConfig", **NAME, resourcesVpcConfig=access)["update"]
    assert (update["type"], update["status"]) == ("EndpointAccessUpdate", "InProgress")
    assert describe_cluster(regions)["status"] == "UPDATING"
    assert describe_cluster(regions)["resourcesVpcConfig"]["endpointPublicAccess"] is True
    regions.advance(120)
    placed = describe_cluster(regions)["resourcesVpcConfig"]
    assert placed["endpointPublicAccess"] is False
    assert placed["subnetIds"] == list(network.subnets)
    assert update_of(regions, update["id"])["status"] == "Successful"
    assert seoul(regions, "ListUpdates", **NAME)["updateIds"] == [update["id"]]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "Invalid type for cluster update"),
        ({"resourcesVpcConfig": {"endpointPublicAccess": True}}, "already at the desired"),
        (
            {"deletionProtection": True, "upgradePolicy": {"supportType": "STANDARD"}},
            "Only one type of update",
        ),
        ({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, "authentication mode update"),
    ],
)
def test_an_update_changes_one_thing(
    regions: Regions, params: dict[str, object], told: str
) -> None:
    """Neither two nor none, and no way back to the aws-auth ConfigMap."""
    make_cluster(regions)
    with pytest.raises(Fault, match=told):
        seoul(regions, "UpdateClusterConfig", **NAME, **params)
    assert describe_cluster(regions)["status"] == "ACTIVE"


def test_a_cluster_is_upgraded_by_one_version_at_a_time(regions: Regions) -> None:
    """No jump and no way back, and no other update meanwhile; its groups stay as they are."""
    network = make_cluster(regions)
    make_group(regions, network)
    for version in ("1.38", "1.35", "2.0"):
        with pytest.raises(Fault, match=r"InvalidParameterException: [Uu]nsupported Kubernetes"):
            seoul(regions, "UpdateClusterVersion", **NAME, version=version)
    token = {"clientRequestToken": "up"}
    update = seoul(regions, "UpdateClusterVersion", **NAME, version="1.37", **token)["update"]
    with pytest.raises(Fault, match="currently has update in progress"):
        seoul(regions, "UpdateClusterConfig", **NAME, deletionProtection=True)
    with pytest.raises(Fault, match="is not in ACTIVE status"):
        make_group(regions, network, "app")
    regions.advance(540)
    assert describe_cluster(regions)["version"] == "1.37"
    again = seoul(regions, "UpdateClusterVersion", **NAME, version="1.37", **token)["update"]
    assert (again["id"], again["status"]) == (update["id"], "Successful")
    group = seoul(regions, "DescribeNodegroup", **WEB)["nodegroup"]
    assert group["version"] == "1.36"


def test_an_update_may_fail(regions: Regions) -> None:
    """Failed, with an error; the cluster is ACTIVE as it was."""
    make_cluster(regions)
    fault = FAILS | {"transition": "eks_cluster_version_update", "resource": CLUSTER}
    regions.world.faults.add(fault)
    update = seoul(regions, "UpdateClusterVersion", **NAME, version="1.37")["update"]
    regions.advance(540)
    ended = update_of(regions, update["id"])
    assert (ended["status"], ended["errors"][0]["errorCode"]) == ("Failed", "Unknown")
    described = describe_cluster(regions)
    assert (described["status"], described["version"]) == ("ACTIVE", "1.36")


def test_an_update_that_never_ends_goes_on_without_its_fault(regions: Regions) -> None:
    """The cluster is UPDATING until the fault is struck out."""
    make_cluster(regions)
    fault = {"kind": "transition", "ending": "never", "transition": "eks_cluster_version_update"}
    entry = regions.world.faults.add(fault)
    seoul(regions, "UpdateClusterVersion", **NAME, version="1.37")
    regions.advance(3600)
    assert describe_cluster(regions)["status"] == "UPDATING"
    regions.world.faults.remove(entry.id)
    regions.advance(5)
    assert describe_cluster(regions)["status"] == "ACTIVE"


def test_an_unknown_cluster_is_not_found(regions: Regions) -> None:
    """Whatever is asked of it."""
    for operation in ("DescribeCluster", "DeleteCluster", "UpdateClusterConfig", "ListUpdates"):
        with pytest.raises(Fault, match="ResourceNotFoundException: No cluster found"):
            seoul(regions, operation, **NAME)
