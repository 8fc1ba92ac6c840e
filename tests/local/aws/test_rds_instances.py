"""Instances of DB clusters: over time, by zone, and who of them writes."""

from typing import Any

import pytest

from platform_pipelines.local.world import Outage
from tests.local.aws.databases import (
    GLOBAL,
    describe_cluster,
    describe_instances,
    events,
    instance_writers,
    make_global,
    make_instance,
    refused,
)
from tests.local.aws.networks import make_network
from tests.local.aws.regions import Regions

ONE = {"DBInstanceIdentifier": f"{GLOBAL}-seoul-1"}
HOME = {"DBClusterIdentifier": f"{GLOBAL}-seoul"}


@pytest.fixture
def database(regions: Regions) -> Regions:
    """Both Regions with a global cluster that is written in Seoul."""
    make_global(regions)
    return regions


def lose(regions: Regions, zone: str) -> None:
    """Make a zone of Seoul dark."""
    regions.world.zones.add(("seoul", zone))
    regions.world.changed()


def regain(regions: Regions) -> None:
    """Bring every zone back."""
    regions.world.zones.clear()
    regions.world.changed()


def test_an_instance_has_an_endpoint_once_it_is_there(database: Regions) -> None:
    """creating for five minutes, without one."""
    made = make_instance(database, "seoul", 3)
    assert (made["DBInstanceStatus"], "Endpoint" in made) == ("creating", False)
    database.advance(299)
    assert describe_instances(database, "seoul")["3"] == "creating"
    database.advance(2)
    params = {"DBInstanceIdentifier": f"{GLOBAL}-seoul-3"}
    found = database("seoul", "rds", "DescribeDBInstances", **params)["DBInstances"][0]
    assert found["DBInstanceStatus"] == "available"
    assert found["Endpoint"]["Port"] == 3306
    assert instance_writers(database, "seoul") == [True, False, False]


def test_instances_are_spread_over_the_zones(database: Regions) -> None:
    """The zone with the fewest is next; one that is asked for is taken."""
    found = database("seoul", "rds", "DescribeDBInstances")["DBInstances"]
    assert [one["AvailabilityZone"][-1] for one in found] == ["a", "b"]
    assert make_instance(database, "seoul", 3)["AvailabilityZone"] == "ap-northeast-2c"
    zone = "ap-northeast-2a"
    asked = make_instance(database, "seoul", 4, AvailabilityZone=zone)
    assert asked["AvailabilityZone"] == zone


def test_an_instance_is_where_its_cluster_has_a_subnet(regions: Regions) -> None:
    """The storage is in three zones, whatever the subnet group has."""
    subnets = make_network(regions.world, "seoul").subnets[:2]
    group = {"DBSubnetGroupName": "narrow", "DBSubnetGroupDescription": "of two zones"}
    regions("seoul", "rds", "CreateDBSubnetGroup", **group, SubnetIds=list(subnets))
    login = {"MasterUsername": "admin", "MasterUserPassword": "a-password"}
    narrow = HOME | {"Engine": "aurora-mysql", "DBSubnetGroupName": "narrow"} | login
    cluster = regions("seoul", "rds", "CreateDBCluster", **narrow)["DBCluster"]
    assert len(cluster["AvailabilityZones"]) == 3
    zones = [make_instance(regions, "seoul", number)["AvailabilityZone"] for number in (1, 2, 3)]
    assert [zone[-1] for zone in zones] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"DBInstanceClass": "db.t3.medium"}, "InvalidParameterCombination"),
        ({"DBInstanceClass": "large"}, "InvalidParameterValue"),
        ({"DBInstanceClass": "db.huge"}, "InvalidParameterValue"),
        ({"DBInstanceClass": "db.m5.large"}, "InvalidParameterCombination"),
        ({"Engine": "aurora-postgresql"}, "InvalidParameterCombination"),
        ({"AvailabilityZone": "ap-northeast-1a"}, "InvalidParameterValue"),
        ({"DBClusterIdentifier": "none"}, "DBClusterNotFoundFault"),
        ({"DBInstanceIdentifier": f"{GLOBAL}-seoul-1"}, "DBInstanceAlreadyExists"),
        ({"AllocatedStorage": 20}, "NotImplemented"),
    ],
)
def test_a_wrong_instance_is_refused(database: Regions, wrong: dict[str, Any], code: str) -> None:
    """A burstable class of a global database, as Aurora does, and other mistakes."""
    right = {"DBInstanceIdentifier": "new", "DBInstanceClass": "db.r6g.large"}
    params = HOME | right | {"Engine": "aurora-mysql"} | wrong
    assert refused(database, "seoul", "CreateDBInstance", **params) == code


def test_a_cluster_has_16_instances_at_most(database: Regions) -> None:
    """One writer and fifteen readers."""
    for number in range(3, 17):
        make_instance(database, "seoul", number)
    params = HOME | {"DBInstanceClass": "db.r6g.large", "Engine": "aurora-mysql"}
    code = refused(database, "seoul", "CreateDBInstance", DBInstanceIdentifier="x", **params)
    assert code == "InstanceQuotaExceeded"


def test_an_instance_that_cannot_be_created_is_failed(database: Regions) -> None:
    """By a fault on this one instance."""
    fault = {"kind": "transition", "transition": "db_instance_creating", "ending": "failed"}
    database.world.faults.add(fault | {"resource": f"{GLOBAL}-seoul-3"})
    make_instance(database, "seoul", 3)
    make_instance(database, "seoul", 4)
    database.advance(301)
    found = describe_instances(database, "seoul")
    assert (found["3"], found["4"]) == ("failed", "available")


def test_a_failover_inside_a_region_takes_half_a_minute(database: Regions) -> None:
    """The reader that was named becomes the writer; the old one restarts."""
    make_instance(database, "seoul", 3)
    database.advance(301)
    target = HOME | {"TargetDBInstanceIdentifier": f"{GLOBAL}-seoul-3"}
    answer = database("seoul", "rds", "FailoverDBCluster", **target)
    assert answer["DBCluster"]["Status"] == "failing-over"
    database.advance(29)
    assert instance_writers(database, "seoul") == [True, False, False]
    database.advance(2)
    assert instance_writers(database, "seoul") == [False, False, True]
    assert describe_cluster(database, "seoul")["Status"] == "available"
    assert describe_instances(database, "seoul")["1"] == "rebooting"
    database.advance(61)
    assert describe_instances(database, "seoul")["1"] == "available"
    told = events(database, "seoul", f"{GLOBAL}-seoul")
    assert told[-1] == f"Completed failover to DB instance: {GLOBAL}-seoul-3"


def test_the_reader_of_the_first_tier_is_promoted(database: Regions) -> None:
    """Unless one is named."""
    make_instance(database, "seoul", 3, PromotionTier=0)
    database.advance(301)
    database("seoul", "rds", "FailoverDBCluster", **HOME)
    database.advance(31)
    assert instance_writers(database, "seoul") == [False, False, True]


def test_a_failover_needs_a_reader(database: Regions) -> None:
    """In the primary cluster, available, and not the writer itself."""
    for name, code in (
        (f"{GLOBAL}-seoul-1", "InvalidDBInstanceState"),
        ("none", "InvalidDBInstanceState"),
    ):
        params = HOME | {"TargetDBInstanceIdentifier": name}
        assert refused(database, "seoul", "FailoverDBCluster", **params) == code
    params = {"DBClusterIdentifier": f"{GLOBAL}-tokyo"}
    code = refused(database, "tokyo", "FailoverDBCluster", **params)
    assert code == "InvalidDBClusterStateFault"
    second = {"DBInstanceIdentifier": f"{GLOBAL}-seoul-2"}
    database("seoul", "rds", "DeleteDBInstance", **second)
    code = refused(database, "seoul", "FailoverDBCluster", **HOME)
    assert code == "InvalidDBClusterStateFault"


def test_a_lost_zone_makes_a_reader_the_writer(database: Regions) -> None:
    """In half a minute; the lost instance is back as a reader after its zone."""
    lose(database, "ap-northeast-2a")
    assert describe_cluster(database, "seoul")["Status"] == "failing-over"
    assert describe_instances(database, "seoul") == {"1": "rebooting", "2": "available"}
    database.advance(31)
    assert instance_writers(database, "seoul") == [False, True]
    assert describe_cluster(database, "seoul")["Status"] == "available"
    database.advance(600)
    assert describe_instances(database, "seoul")["1"] == "rebooting"
    regain(database)
    database.advance(61)
    assert describe_instances(database, "seoul")["1"] == "available"
    assert instance_writers(database, "seoul") == [False, True]


def test_the_loss_of_a_readers_zone_changes_no_role(database: Regions) -> None:
    """The cluster stays available."""
    lose(database, "ap-northeast-2b")
    database.advance(60)
    assert instance_writers(database, "seoul") == [True, False]
    assert describe_cluster(database, "seoul")["Status"] == "available"


def test_without_a_reader_left_the_cluster_waits_for_a_zone(database: Regions) -> None:
    """Then a reader of the zone that is back first writes."""
    lose(database, "ap-northeast-2a")
    lose(database, "ap-northeast-2b")
    database.advance(600)
    assert describe_cluster(database, "seoul")["Status"] == "failing-over"
    database.world.zones.remove(("seoul", "ap-northeast-2b"))
    database.world.changed()
    database.advance(70)
    assert instance_writers(database, "seoul") == [False, True]
    assert describe_cluster(database, "seoul")["Status"] == "available"


def test_a_silent_control_plane_does_not_stop_a_failover(database: Regions) -> None:
    """It is the database's own doing."""
    database.world.outages["seoul"] = Outage.CONTROL_PLANE
    lose(database, "ap-northeast-2a")
    database.advance(31)
    assert instance_writers(database, "seoul") == [False, True]


def test_a_failover_that_fails_leaves_the_writer(database: Regions) -> None:
    """And says so."""
    fault = {"kind": "transition", "transition": "aurora_instance_failover", "ending": "failed"}
    database.world.faults.add(fault)
    database("seoul", "rds", "FailoverDBCluster", **HOME)
    database.advance(31)
    assert instance_writers(database, "seoul") == [True, False]
    assert describe_cluster(database, "seoul")["Status"] == "available"
    assert "failover failed" in events(database, "seoul", f"{GLOBAL}-seoul")[-1]


def test_a_reader_follows_a_writer_that_is_deleted(database: Regions) -> None:
    """The writer is gone after it handed over."""
    database("seoul", "rds", "DeleteDBInstance", **ONE)
    database.advance(31)
    assert instance_writers(database, "seoul") == [False, True]
    database.advance(160)
    assert describe_instances(database, "seoul") == {"2": "available"}
    assert refused(database, "seoul", "DescribeDBInstances", **ONE) == "DBInstanceNotFound"


def test_another_class_waits_for_the_window_or_applies_at_once(database: Regions) -> None:
    """Pending until it is asked to apply immediately."""
    wanted = ONE | {"DBInstanceClass": "db.r6g.xlarge"}
    waiting = database("seoul", "rds", "ModifyDBInstance", **wanted)["DBInstance"]
    assert waiting["DBInstanceClass"] == "db.r6g.large"
    assert waiting["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.xlarge"}
    database("seoul", "rds", "ModifyDBInstance", **wanted, ApplyImmediately=True)
    assert describe_instances(database, "seoul")["1"] == "modifying"
    database.advance(301)
    found = database("seoul", "rds", "DescribeDBInstances", **ONE)["DBInstances"][0]
    assert (found["DBInstanceClass"], found["DBInstanceStatus"]) == ("db.r6g.xlarge", "available")
    burstable = ONE | {"DBInstanceClass": "db.t4g.medium"}
    code = refused(database, "seoul", "ModifyDBInstance", **burstable)
    assert code == "InvalidParameterCombination"


def test_a_reboot_keeps_the_roles(database: Regions) -> None:
    """rebooting for a minute; a second one meanwhile is refused."""
    database("seoul", "rds", "RebootDBInstance", **ONE)
    assert refused(database, "seoul", "RebootDBInstance", **ONE) == "InvalidDBInstanceState"
    database.advance(61)
    assert describe_instances(database, "seoul")["1"] == "available"
    assert instance_writers(database, "seoul") == [True, False]


def test_instances_are_filtered_by_cluster(database: Regions) -> None:
    """The filter that the product's paginator uses."""
    filters = [{"Name": "db-cluster-id", "Values": [f"{GLOBAL}-tokyo"]}]
    found = database("tokyo", "rds", "DescribeDBInstances", Filters=filters)["DBInstances"]
    names = [one["DBInstanceIdentifier"] for one in found]
    assert names == [f"{GLOBAL}-tokyo-1", f"{GLOBAL}-tokyo-2"]
    filters[0]["Values"] = ["other"]
    assert database("tokyo", "rds", "DescribeDBInstances", Filters=filters)["DBInstances"] == []
