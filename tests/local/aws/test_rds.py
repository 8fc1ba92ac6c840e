from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from tests.local.aws.databases import (
    ARN,
    GLOBAL,
    describe_cluster,
    describe_global,
    make_global,
    writers,
)
from tests.local.aws.regions import Regions


def failover(regions: Regions, alias: str = "tokyo", **more: Any) -> dict[str, Any]:
    """Ask for a failover to Tokyo; the global cluster as answered."""
    more = {"AllowDataLoss": True, "TargetDbClusterIdentifier": ARN["tokyo"]} | more
    answer = regions(alias, "rds", "FailoverGlobalCluster", GlobalClusterIdentifier=GLOBAL, **more)
    cluster: dict[str, Any] = answer["GlobalCluster"]
    return cluster


def instance_writers(regions: Regions, alias: str) -> list[bool]:
    """The writer flag of each instance of a Region's cluster."""
    members = describe_cluster(regions, alias)["DBClusterMembers"]
    return [member["IsClusterWriter"] for member in members]


def test_a_new_global_cluster_has_one_writer_at_home(regions: Regions) -> None:
    """The first cluster writes; instances of the other are all readers; both Regions agree."""
    make_global(regions)
    for alias in ("seoul", "tokyo"):
        assert writers(regions, alias) == [ARN["seoul"]]
        assert "FailoverState" not in describe_global(regions, alias)
    assert instance_writers(regions, "seoul") == [True, False]
    assert instance_writers(regions, "tokyo") == [False, False]
    assert describe_cluster(regions, "tokyo")["GlobalClusterIdentifier"] == GLOBAL
    assert describe_global(regions, "seoul")["Endpoint"].startswith(f"{GLOBAL}.global-")


def test_a_failover_goes_through_its_states_while_the_writers_region_is_dark(
    regions: Regions,
) -> None:
    """pending, failing-over, then none with one writer in Tokyo, after the duration."""
    make_global(regions)
    regions.black_out("seoul")
    accepted = failover(regions)
    assert accepted["FailoverState"] == {
        "Status": "pending",
        "FromDbClusterArn": ARN["seoul"],
        "ToDbClusterArn": ARN["tokyo"],
        "IsDataLossAllowed": True,
    }
    assert accepted["Status"] == "failing-over"
    regions.advance(20)
    assert describe_global(regions, "tokyo")["FailoverState"]["Status"] == "failing-over"
    assert describe_cluster(regions, "tokyo")["Status"] == "failing-over"
    assert writers(regions, "tokyo") == [ARN["seoul"]]
    regions.advance(69)
    assert writers(regions, "tokyo") == [ARN["seoul"]]
    regions.advance(2)
    done = describe_global(regions, "tokyo")
    assert done["Status"] == "available"
    assert "FailoverState" not in done
    assert writers(regions, "tokyo") == [ARN["tokyo"]]
    assert describe_cluster(regions, "tokyo")["Status"] == "available"
    assert instance_writers(regions, "tokyo") == [True, False]


def test_instances_of_the_target_restart_during_a_failover(regions: Regions) -> None:
    """They are available again when it is done."""
    make_global(regions)
    failover(regions)
    regions.advance(30)
    found = regions("tokyo", "rds", "DescribeDBInstances")["DBInstances"]
    assert {instance["DBInstanceStatus"] for instance in found} == {"rebooting"}
    regions.advance(70)
    found = regions("tokyo", "rds", "DescribeDBInstances")["DBInstances"]
    assert {instance["DBInstanceStatus"] for instance in found} == {"available"}


def test_the_old_writer_comes_back_as_a_secondary(regions: Regions) -> None:
    """pending-resync until a while after its Region is back."""
    make_global(regions)
    regions.black_out("seoul")
    failover(regions)
    regions.advance(3600, step=5)

    def old() -> str:
        members = describe_global(regions, "tokyo")["GlobalClusterMembers"]
        return next(
            str(one["SynchronizationStatus"])
            for one in members
            if one["DBClusterArn"] == ARN["seoul"]
        )

    assert old() == "pending-resync"
    regions.restore("seoul")
    regions.advance(120)
    assert old() == "connected"
    assert describe_cluster(regions, "seoul")["Status"] == "available"
    assert instance_writers(regions, "seoul") == [False, False]
    assert writers(regions, "seoul") == [ARN["tokyo"]]


@pytest.mark.parametrize("more", [{"AllowDataLoss": False}, {"Switchover": True}])
def test_without_data_loss_it_is_a_switchover_that_hangs_on_a_dark_writer(
    regions: Regions, more: dict[str, Any]
) -> None:
    """It stays pending, and goes on when the writer's Region is back."""
    make_global(regions)
    regions.black_out("seoul")
    if "Switchover" in more:
        more = more | {"AllowDataLoss": False}
    failover(regions, **more)
    regions.advance(3600, step=5)
    waiting = describe_global(regions, "tokyo")
    assert waiting["FailoverState"]["Status"] == "pending"
    assert waiting["Status"] == "switching-over"
    assert writers(regions, "tokyo") == [ARN["seoul"]]
    regions.restore("seoul")
    regions.advance(100)
    assert writers(regions, "tokyo") == [ARN["tokyo"]]


def test_a_switchover_there_and_back_leaves_both_in_step(regions: Regions) -> None:
    """Planned, with both Regions up: no resync."""
    make_global(regions)
    for alias in ("tokyo", "seoul"):
        regions(
            alias,
            "rds",
            "SwitchoverGlobalCluster",
            GlobalClusterIdentifier=GLOBAL,
            TargetDbClusterIdentifier=ARN[alias],
        )
        regions.advance(91)
        assert writers(regions, "seoul") == [ARN[alias]]
        members = describe_global(regions, "seoul")["GlobalClusterMembers"]
        assert {one["SynchronizationStatus"] for one in members} == {"connected"}


def test_a_second_change_is_refused_while_one_runs(regions: Regions) -> None:
    """InvalidGlobalClusterStateFault, until it is available again."""
    make_global(regions)
    failover(regions)
    with pytest.raises(Fault, match="InvalidGlobalClusterStateFault"):
        failover(regions)


def test_wrong_targets_are_refused(regions: Regions) -> None:
    """No such global cluster, no such member, and the writer itself."""
    with pytest.raises(Fault, match="GlobalClusterNotFoundFault"):
        failover(regions)
    make_global(regions)
    with pytest.raises(Fault, match="DBClusterNotFoundFault"):
        failover(regions, TargetDbClusterIdentifier=ARN["tokyo"] + "x")
    with pytest.raises(Fault, match="InvalidGlobalClusterStateFault"):
        failover(regions, TargetDbClusterIdentifier=ARN["seoul"])
    with pytest.raises(Fault, match="InvalidParameterCombination"):
        failover(regions, Switchover=True)


def test_a_headless_cluster_cannot_be_promoted(regions: Regions) -> None:
    """It has no instance that could take the writes."""
    make_global(regions, tokyo_instances=0)
    with pytest.raises(Fault, match="InvalidDBClusterStateFault"):
        failover(regions)


def test_a_burstable_class_is_refused_in_a_global_database(regions: Regions) -> None:
    """As Aurora does."""
    make_global(regions)
    with pytest.raises(Fault, match="InvalidParameterCombination"):
        regions(
            "tokyo",
            "rds",
            "CreateDBInstance",
            DBInstanceIdentifier="small",
            DBClusterIdentifier=f"{GLOBAL}-tokyo",
            DBInstanceClass="db.t3.medium",
            Engine="aurora-mysql",
        )


def test_instances_are_filtered_by_cluster_and_come_in_pages(regions: Regions) -> None:
    """The filter that paginators use, with a marker between the pages."""
    make_global(regions)
    filters = [{"Name": "db-cluster-id", "Values": [f"{GLOBAL}-tokyo"]}]
    first = regions("tokyo", "rds", "DescribeDBInstances", Filters=filters, MaxRecords=1)
    second = regions("tokyo", "rds", "DescribeDBInstances", Filters=filters, Marker=first["Marker"])
    names = [one["DBInstanceIdentifier"] for one in first["DBInstances"] + second["DBInstances"]]
    assert names == [f"{GLOBAL}-tokyo-1", f"{GLOBAL}-tokyo-2"]


def test_a_detached_secondary_stands_alone_and_writes(regions: Regions) -> None:
    """RemoveFromGlobalCluster is the fallback of a failover."""
    make_global(regions)
    regions(
        "tokyo",
        "rds",
        "RemoveFromGlobalCluster",
        GlobalClusterIdentifier=GLOBAL,
        DbClusterIdentifier=ARN["tokyo"],
    )
    assert "GlobalClusterIdentifier" not in describe_cluster(regions, "tokyo")
    assert instance_writers(regions, "tokyo") == [True, False]


def test_clusters_name_the_zones_of_the_platform(regions: Regions) -> None:
    """Tokyo has no zone b."""
    make_global(regions)
    assert describe_cluster(regions, "tokyo")["AvailabilityZones"] == [
        "ap-northeast-1a",
        "ap-northeast-1c",
        "ap-northeast-1d",
    ]
