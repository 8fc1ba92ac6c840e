"""Aurora's planned switchover, and detaching a member of a global cluster."""

from typing import Any

import pytest

from tests.local.aws.databases import (
    ARN,
    GLOBAL,
    describe_cluster,
    describe_global,
    failover,
    instance_writers,
    make_global,
    refused,
    switchover,
    writers,
)
from tests.local.aws.regions import Regions


@pytest.fixture
def database(regions: Regions) -> Regions:
    """Both Regions with a global cluster that is written in Seoul."""
    make_global(regions)
    return regions


def detach(regions: Regions, alias: str) -> None:
    """Remove a Region's member from the global cluster."""
    params = {"GlobalClusterIdentifier": GLOBAL, "DbClusterIdentifier": ARN[alias]}
    regions(alias, "rds", "RemoveFromGlobalCluster", **params)


def test_a_switchover_there_and_back_leaves_both_in_step(database: Regions) -> None:
    """Planned, with both Regions up: half a minute each, and no resync."""
    for alias, other in (("tokyo", "seoul"), ("seoul", "tokyo")):
        accepted = switchover(database, alias)
        assert accepted["Status"] == "switching-over"
        assert accepted["FailoverState"]["IsDataLossAllowed"] is False
        database.advance(10)
        assert describe_global(database, alias)["FailoverState"]["Status"] == "switching-over"
        assert describe_cluster(database, other)["Status"] == "switching-over"
        database.advance(23)
        assert writers(database, "seoul") == writers(database, "tokyo") == [ARN[alias]]
        members = describe_global(database, "seoul")["GlobalClusterMembers"]
        assert {one["SynchronizationStatus"] for one in members} == {"connected"}
        assert instance_writers(database, alias) == [True, False]
        assert instance_writers(database, other) == [False, False]


@pytest.mark.parametrize("more", [{"AllowDataLoss": False}, {"Switchover": True}])
def test_without_data_loss_it_is_a_switchover_that_hangs_on_a_dark_writer(
    database: Regions, more: dict[str, Any]
) -> None:
    """It stays pending, and goes on when the writer's Region is back."""
    database.black_out("seoul")
    failover(database, **({"AllowDataLoss": False} | more))
    database.advance(3600)
    waiting = describe_global(database, "tokyo")
    assert waiting["FailoverState"]["Status"] == "pending"
    assert waiting["Status"] == "switching-over"
    assert writers(database, "tokyo") == [ARN["seoul"]]
    database.restore("seoul")
    database.advance(5 + 30)
    assert writers(database, "tokyo") == [ARN["tokyo"]]


def test_a_switchover_waits_while_the_regions_are_apart(database: Regions) -> None:
    """It needs every change of the writer."""
    database.world.partitions.add(frozenset({"seoul", "tokyo"}))
    switchover(database, "tokyo")
    database.advance(600)
    assert describe_global(database, "tokyo")["FailoverState"]["Status"] == "pending"


def test_members_of_different_versions_do_not_change_roles(database: Regions) -> None:
    """A secondary that was upgraded first waits for the primary's upgrade."""
    upgrade = {"DBClusterIdentifier": f"{GLOBAL}-tokyo"}
    upgrade |= {"EngineVersion": "8.0.mysql_aurora.3.10.1"}
    answer = database("tokyo", "rds", "ModifyDBCluster", **upgrade)
    assert answer["DBCluster"]["Status"] == "upgrading"
    database.advance(901)
    assert describe_cluster(database, "tokyo")["EngineVersion"] == "8.0.mysql_aurora.3.10.1"
    params = {"GlobalClusterIdentifier": GLOBAL, "TargetDbClusterIdentifier": ARN["tokyo"]}
    code = refused(database, "tokyo", "SwitchoverGlobalCluster", **params)
    assert code == "InvalidDBClusterStateFault"
    upgrade["DBClusterIdentifier"] = f"{GLOBAL}-seoul"
    database("seoul", "rds", "ModifyDBCluster", **upgrade)
    database.advance(910)
    assert describe_global(database, "tokyo")["EngineVersion"] == "8.0.mysql_aurora.3.10.1"
    switchover(database, "tokyo")


def test_the_primary_is_upgraded_last(database: Regions) -> None:
    """Before its secondaries it is refused."""
    params = {"DBClusterIdentifier": f"{GLOBAL}-seoul", "EngineVersion": "8.0.mysql_aurora.3.10.1"}
    code = refused(database, "seoul", "ModifyDBCluster", **params)
    assert code == "InvalidDBClusterStateFault"


def test_a_detached_secondary_is_promoted_and_stands_alone(database: Regions) -> None:
    """The fallback of a failover: a member until the end, then a writer of its own."""
    database.black_out("seoul")
    detach(database, "tokyo")
    assert describe_cluster(database, "tokyo")["Status"] == "promoting"
    assert describe_cluster(database, "tokyo")["GlobalClusterIdentifier"] == GLOBAL
    database.advance(61)
    alone = describe_cluster(database, "tokyo")
    assert alone["Status"] == "available"
    assert "GlobalClusterIdentifier" not in alone
    assert "ReplicationSourceIdentifier" not in alone
    assert instance_writers(database, "tokyo") == [True, False]
    members = describe_global(database, "tokyo")["GlobalClusterMembers"]
    assert [one["DBClusterArn"] for one in members] == [ARN["seoul"]]


def test_detaching_ends_a_failover_that_hangs(database: Regions) -> None:
    """The global cluster is available again, with the old writer alone."""
    database.black_out("seoul")
    failover(database, AllowDataLoss=False)
    database.advance(60)
    detach(database, "tokyo")
    database.advance(300)
    left = describe_global(database, "tokyo")
    assert (left["Status"], "FailoverState" in left) == ("available", False)
    assert writers(database, "tokyo") == [ARN["seoul"]]
    assert instance_writers(database, "tokyo") == [True, False]


def test_the_writer_is_detached_last(database: Regions) -> None:
    """While there are secondaries it is refused."""
    params = {"GlobalClusterIdentifier": GLOBAL, "DbClusterIdentifier": ARN["seoul"]}
    code = refused(database, "seoul", "RemoveFromGlobalCluster", **params)
    assert code == "InvalidGlobalClusterStateFault"
    detach(database, "tokyo")
    database.advance(61)
    detach(database, "seoul")
    database.advance(61)
    assert describe_global(database, "seoul")["GlobalClusterMembers"] == []


def test_a_global_cluster_goes_when_it_is_empty_and_unprotected(database: Regions) -> None:
    """Members and deletion protection each keep it."""
    key = {"GlobalClusterIdentifier": GLOBAL}
    code = refused(database, "seoul", "DeleteGlobalCluster", **key)
    assert code == "InvalidGlobalClusterStateFault"
    for alias in ("tokyo", "seoul"):
        detach(database, alias)
        database.advance(61)
    database("seoul", "rds", "ModifyGlobalCluster", **key, DeletionProtection=True)
    code = refused(database, "seoul", "DeleteGlobalCluster", **key)
    assert code == "InvalidParameterCombination"
    database("seoul", "rds", "ModifyGlobalCluster", **key, DeletionProtection=False)
    answer = database("seoul", "rds", "DeleteGlobalCluster", **key)
    assert answer["GlobalCluster"]["Status"] == "deleting"
    database.advance(11)
    code = refused(database, "seoul", "DescribeGlobalClusters", **key)
    assert code == "GlobalClusterNotFoundFault"


def test_a_renamed_global_cluster_is_known_by_its_new_name(database: Regions) -> None:
    """In both Regions, by its members too."""
    key = {"GlobalClusterIdentifier": GLOBAL, "NewGlobalClusterIdentifier": "other"}
    database("seoul", "rds", "ModifyGlobalCluster", **key)
    assert describe_cluster(database, "tokyo")["GlobalClusterIdentifier"] == "other"
    found = database("tokyo", "rds", "DescribeGlobalClusters", GlobalClusterIdentifier="other")
    assert len(found["GlobalClusters"][0]["GlobalClusterMembers"]) == 2


def test_global_clusters_are_filtered_by_their_regions(database: Regions) -> None:
    """With at least one member there."""
    empty = {"GlobalClusterIdentifier": "empty", "Engine": "aurora-mysql"}
    database("tokyo", "rds", "CreateGlobalCluster", **empty)
    filters = [{"Name": "region", "Values": ["ap-northeast-1"]}]
    found = database("seoul", "rds", "DescribeGlobalClusters", Filters=filters)["GlobalClusters"]
    assert [one["GlobalClusterIdentifier"] for one in found] == [GLOBAL]
    wrong = [{"Name": "db-cluster-id", "Values": [GLOBAL]}]
    code = refused(database, "seoul", "DescribeGlobalClusters", Filters=wrong)
    assert code == "InvalidParameterValue"


def test_a_global_cluster_around_a_cluster_has_it_for_its_writer(database: Regions) -> None:
    """Engine and version come from the source; one that is a member already is refused."""
    detach(database, "tokyo")
    database.advance(61)
    params = {"GlobalClusterIdentifier": "again", "SourceDBClusterIdentifier": ARN["tokyo"]}
    made = database("tokyo", "rds", "CreateGlobalCluster", **params)["GlobalCluster"]
    assert made["Engine"] == "aurora-mysql"
    assert [one["IsWriter"] for one in made["GlobalClusterMembers"]] == [True]
    params["GlobalClusterIdentifier"] = "third"
    code = refused(database, "tokyo", "CreateGlobalCluster", **params)
    assert code == "InvalidDBClusterStateFault"
    code = refused(database, "tokyo", "CreateGlobalCluster", **params, Engine="aurora-mysql")
    assert code == "InvalidParameterCombination"
