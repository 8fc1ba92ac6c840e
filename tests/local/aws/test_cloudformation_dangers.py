"""Edits that would undo or break a failover do so here as on AWS, or the rules against them could not
be tested.
"""

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.stacks import (
    CLUSTER,
    Stacks,
    change_of,
    eks_cluster,
    global_cluster,
    in_still_world,
    instance,
    member,
    network,
    nodes,
    template,
)


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def test_a_source_of_a_global_cluster_is_a_replacement(stacks: Stacks) -> None:
    """Naming the writer of the day as the source would replace the whole global cluster."""
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    stacks.apply("seoul", "source", template(Global=global_cluster("source") | kept))
    edited = template(Global=global_cluster("source", SourceDBClusterIdentifier="writer") | kept)
    change = change_of(stacks.plan("seoul", "source", edited), "Global")
    assert (change["Replacement"], change["PolicyAction"]) == ("True", "ReplaceAndRetain")
    assert stacks.apply("seoul", "source", edited) == "UPDATE_ROLLBACK_COMPLETE"
    stack = stacks.describe("seoul", "source")
    assert stack is not None
    reason = stacks.failures("seoul", stack["StackId"])["Global"]
    assert "cannot update a stack when a custom-named resource requires replacing" in reason


def test_dropping_the_global_cluster_detaches_and_promotes(stacks: Stacks) -> None:
    """An innocent-looking edit that ends replication."""
    stacks.apply("seoul", "world", template(Global=global_cluster("drop")))
    joined = {"GlobalClusterIdentifier": "drop"}
    login = {"MasterUsername": "root", "MasterUserPassword": "long-enough"}
    stacks.apply(
        "seoul", "first", template(It=member("drop-seoul", **joined, **login), One=instance("It"))
    )
    stacks.apply("tokyo", "second", template(It=member("drop-tokyo", **joined)))
    assert _members(stacks, "drop") == {"drop-seoul": True, "drop-tokyo": False}
    assert stacks.apply("tokyo", "second", template(It=member("drop-tokyo"))) == "UPDATE_COMPLETE"
    assert _members(stacks, "drop") == {"drop-seoul": True}


def test_a_joining_cluster_takes_no_credentials(stacks: Stacks) -> None:
    """A rebuilt home cluster that still had them would not be made."""
    stacks.apply("seoul", "born", template(Global=global_cluster("born")))
    joined = {"GlobalClusterIdentifier": "born"}
    login = {"MasterUsername": "root", "MasterUserPassword": "long-enough"}
    stacks.apply(
        "seoul",
        "born-first",
        template(It=member("born-seoul", **joined, **login), One=instance("It")),
    )
    end = stacks.apply("tokyo", "born-second", template(It=member("born-tokyo", **joined, **login)))
    assert end == "DELETE_COMPLETE"


def _members(stacks: Stacks, identifier: str) -> dict[str, bool]:
    found = stacks.world.aws("rds").describe_global_clusters(GlobalClusterIdentifier=identifier)
    return {
        one["DBClusterArn"].rpartition(":")[2]: one["IsWriter"]
        for one in found["GlobalClusters"][0]["GlobalClusterMembers"]
    }


def test_an_edit_without_counts_leaves_the_counts_alone(stacks: Stacks) -> None:
    """What `converge_roles` or a failover has set stays."""
    eks, key = stacks.world.aws("eks"), {"clusterName": CLUSTER, "nodegroupName": "web"}
    stacks.apply("seoul", "counts", template(**network(), Cluster=eks_cluster(), Nodes=nodes()))
    counts = {"minSize": 6, "maxSize": 12, "desiredSize": 6}
    eks.update_nodegroup_config(**key, scalingConfig=counts)
    taints = [{"Key": "role", "Value": "web", "Effect": "NO_SCHEDULE"}]
    edited = template(
        **network(), Cluster=eks_cluster(), Nodes=nodes(Labels={"a": "b"}, Taints=taints)
    )
    assert stacks.apply("seoul", "counts", edited) == "UPDATE_COMPLETE"
    found = eks.describe_nodegroup(**key)["nodegroup"]
    assert found["scalingConfig"] == counts
    assert found["labels"] == {"a": "b"}
    assert [one["value"] for one in found["taints"]] == ["web"]


def test_counts_in_a_template_win_over_what_a_failover_has_set(stacks: Stacks) -> None:
    """The reason why our templates have none."""
    eks, key = stacks.world.aws("eks"), {"clusterName": CLUSTER, "nodegroupName": "web"}
    scaling = {"MinSize": 0, "MaxSize": 3, "DesiredSize": 0}
    stacks.apply("seoul", "wins", template(**network(), Cluster=eks_cluster(), Nodes=nodes()))
    edited = template(**network(), Cluster=eks_cluster(), Nodes=nodes(ScalingConfig=scaling))
    assert stacks.apply("seoul", "wins", edited) == "UPDATE_COMPLETE"
    found = eks.describe_nodegroup(**key)["nodegroup"]
    assert found["scalingConfig"] == {"minSize": 0, "maxSize": 3, "desiredSize": 0}
