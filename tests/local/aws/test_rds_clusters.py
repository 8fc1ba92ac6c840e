"""DB clusters: created over time, joining a global cluster, changed, described and deleted."""

from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import Outage
from tests.local.aws.databases import (
    CREATION,
    GLOBAL,
    VERSION,
    describe_cluster,
    describe_instances,
    events,
    make_cluster,
    make_global,
    make_instance,
    make_key,
    refused,
    switchover,
)
from tests.local.aws.regions import Regions

LOGIN = {"MasterUsername": "admin", "MasterUserPassword": "a-password"}
ALONE = {"DBClusterIdentifier": "alone", "Engine": "aurora-mysql", "EngineVersion": VERSION}
KEY = {"DBClusterIdentifier": "alone"}


def alone(regions: Regions, **more: Any) -> dict[str, Any]:
    """A new cluster outside of any global cluster, as answered."""
    answer = regions("seoul", "rds", "CreateDBCluster", **(ALONE | LOGIN | more))
    cluster: dict[str, Any] = answer["DBCluster"]
    return cluster


def status(regions: Regions) -> str:
    """The status of the lone cluster."""
    found = regions("seoul", "rds", "DescribeDBClusters", **KEY)["DBClusters"]
    return str(found[0]["Status"])


def empty_global(regions: Regions, **more: Any) -> None:
    """A global cluster without members."""
    params = {"GlobalClusterIdentifier": GLOBAL, "Engine": "aurora-mysql", "EngineVersion": VERSION}
    regions("seoul", "rds", "CreateGlobalCluster", **(params | more))


def test_a_cluster_is_creating_then_available(regions: Regions) -> None:
    """After two minutes, with an event."""
    assert alone(regions)["Status"] == "creating"
    regions.advance(119)
    assert status(regions) == "creating"
    regions.advance(2)
    assert status(regions) == "available"
    assert events(regions, "seoul", "alone") == ["DB cluster created"]


@pytest.mark.parametrize(("ending", "expected"), [("failed", "failed"), ("never", "creating")])
def test_a_creation_can_go_wrong(regions: Regions, ending: str, expected: str) -> None:
    """By a fault on the transition."""
    fault = {"kind": "transition", "transition": "db_cluster_creating", "ending": ending}
    regions.world.faults.add(fault)
    alone(regions)
    regions.advance(3600)
    assert status(regions) == expected


def test_nothing_progresses_while_the_control_plane_is_silent(regions: Regions) -> None:
    """The creation ends when the Region is back."""
    alone(regions)
    regions.world.outages["seoul"] = Outage.CONTROL_PLANE
    regions.advance(600)
    assert status(regions) == "creating"
    regions.restore("seoul")
    regions.advance(6)
    assert status(regions) == "available"


def test_a_name_is_taken_once_in_lower_case(regions: Regions) -> None:
    """RDS has no tokens: the second creation is refused."""
    alone(regions, DBClusterIdentifier="Alone")
    assert status(regions) == "creating"
    code = refused(regions, "seoul", "CreateDBCluster", **ALONE, **LOGIN)
    assert code == "DBClusterAlreadyExistsFault"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"DBClusterIdentifier": "1-wrong--name-"}, "InvalidParameterValue"),
        ({"EngineVersion": "8.0.mysql_aurora.9.9.9"}, "InvalidParameterCombination"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUsername": ""}, "InvalidParameterValue"),
        ({"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
        ({"DBClusterParameterGroupName": "none"}, "DBClusterParameterGroupNotFound"),
        ({"StorageEncrypted": True, "KmsKeyId": "none"}, "KMSKeyNotAccessibleFault"),
        ({"GlobalClusterIdentifier": "none"}, "GlobalClusterNotFoundFault"),
        ({"Engine": "mysql"}, "NotImplemented"),
        ({"ManageMasterUserPassword": True}, "NotImplemented"),
    ],
)
def test_a_wrong_cluster_is_refused(regions: Regions, wrong: dict[str, Any], code: str) -> None:
    """Nothing is created, and nothing is ignored in silence."""
    assert refused(regions, "seoul", "CreateDBCluster", **(ALONE | LOGIN | wrong)) == code
    assert regions("seoul", "rds", "DescribeDBClusters")["DBClusters"] == []


def test_a_short_version_means_the_newest_of_its_kind(regions: Regions) -> None:
    """8.0 is Aurora MySQL 3."""
    assert ".mysql_aurora.3." in alone(regions, EngineVersion="8.0")["EngineVersion"]


def test_a_joining_cluster_takes_no_credentials(regions: Regions) -> None:
    """Nor an unencrypted volume, another version, or a second place in one Region."""
    make_global(regions, tokyo_instances=0)
    cluster = describe_cluster(regions, "tokyo")
    assert cluster["MasterUsername"] == "admin"
    assert cluster["ReplicationSourceIdentifier"].endswith("cluster:peccy-peccy-seoul")
    joins = {"Engine": "aurora-mysql", "GlobalClusterIdentifier": GLOBAL}
    params = joins | {"DBClusterIdentifier": "second"}
    assert refused(regions, "tokyo", "CreateDBCluster", **params) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"MasterUsername": "admin"}, "InvalidParameterCombination"),
        ({"DatabaseName": "peccy"}, "InvalidParameterCombination"),
        ({"KmsKeyId": None}, "InvalidParameterCombination"),
        ({"StorageEncrypted": False}, "InvalidParameterValue"),
        ({"EngineVersion": "8.0.mysql_aurora.3.10.1"}, "InvalidParameterValue"),
        ({"Engine": "aurora-postgresql", "EngineVersion": "16.8"}, "InvalidParameterValue"),
        ({"DBClusterIdentifier": f"{GLOBAL}-seoul"}, "DBClusterAlreadyExistsFault"),
    ],
)
def test_a_wrong_joiner_is_refused(regions: Regions, more: dict[str, Any], code: str) -> None:
    """What it has must be what its global cluster has."""
    empty_global(regions, StorageEncrypted=True)
    make_cluster(regions, "seoul", 1, **LOGIN)
    regions.advance(CREATION)
    right = {"DBClusterIdentifier": f"{GLOBAL}-tokyo", "Engine": "aurora-mysql"}
    right |= {"GlobalClusterIdentifier": GLOBAL, "KmsKeyId": make_key(regions, "tokyo")}
    params = {name: value for name, value in (right | more).items() if value is not None}
    assert refused(regions, "tokyo", "CreateDBCluster", **params) == code


def test_a_cluster_joins_only_a_writer_that_can_be_copied(regions: Regions) -> None:
    """Available, with an instance that is, and in reach."""
    empty_global(regions)
    make_cluster(regions, "seoul", 1, **LOGIN)
    joins = {"DBClusterIdentifier": f"{GLOBAL}-tokyo", "Engine": "aurora-mysql"}
    joins |= {"GlobalClusterIdentifier": GLOBAL}
    regions.advance(150)
    assert describe_cluster(regions, "seoul")["Status"] == "available"
    assert refused(regions, "tokyo", "CreateDBCluster", **joins) == "InvalidDBClusterStateFault"
    regions.advance(160)
    regions.black_out("seoul")
    assert refused(regions, "tokyo", "CreateDBCluster", **joins) == "InvalidDBClusterStateFault"
    regions.restore("seoul")
    regions("tokyo", "rds", "CreateDBCluster", **joins)


def test_settings_change_at_once_and_the_cluster_is_busy_for_a_while(regions: Regions) -> None:
    """modifying, then available; a second change in between is refused."""
    alone(regions)
    regions.advance(121)
    params = KEY | {"DeletionProtection": True, "BackupRetentionPeriod": 7}
    answer = regions("seoul", "rds", "ModifyDBCluster", **params)["DBCluster"]
    assert (answer["Status"], answer["DeletionProtection"]) == ("modifying", True)
    code = refused(regions, "seoul", "ModifyDBCluster", **params)
    assert code == "InvalidDBClusterStateFault"
    regions.advance(21)
    assert status(regions) == "available"
    code = refused(regions, "seoul", "ModifyDBCluster", **KEY, NewDBClusterIdentifier="other")
    assert code == "NotImplemented"


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("8.0.mysql_aurora.3.04.0", "InvalidParameterCombination"),
        ("5.7.mysql_aurora.2.11.1", "InvalidParameterCombination"),
        ("8.0.mysql_aurora.9.9.9", "InvalidParameterCombination"),
    ],
)
def test_a_version_only_goes_up(regions: Regions, version: str, code: str) -> None:
    """To one that RDS offers."""
    alone(regions)
    regions.advance(121)
    assert refused(regions, "seoul", "ModifyDBCluster", **KEY, EngineVersion=version) == code


def test_a_cluster_is_deleted_when_nothing_holds_it(regions: Regions) -> None:
    """Protection, membership and instances do; then it takes a minute."""
    alone(regions, DeletionProtection=True)
    regions.advance(121)
    skip = KEY | {"SkipFinalSnapshot": True}
    assert refused(regions, "seoul", "DeleteDBCluster", **skip) == "InvalidParameterCombination"
    regions("seoul", "rds", "ModifyDBCluster", **KEY, DeletionProtection=False)
    regions.advance(21)
    assert refused(regions, "seoul", "DeleteDBCluster", **KEY) == "InvalidParameterCombination"
    answer = regions("seoul", "rds", "DeleteDBCluster", **skip)
    assert answer["DBCluster"]["Status"] == "deleting"
    assert refused(regions, "seoul", "DeleteDBCluster", **skip) == "InvalidDBClusterStateFault"
    regions.advance(61)
    assert refused(regions, "seoul", "DescribeDBClusters", **KEY) == "DBClusterNotFoundFault"


def test_a_member_is_not_deleted(regions: Regions) -> None:
    """It has to be detached first; then its instances have to go."""
    make_global(regions)
    params = {"DBClusterIdentifier": f"{GLOBAL}-tokyo", "SkipFinalSnapshot": True}
    assert refused(regions, "tokyo", "DeleteDBCluster", **params) == "InvalidDBClusterStateFault"


def test_a_cluster_waits_for_its_instances_to_go(regions: Regions) -> None:
    """Deleting instances do not hold it back, but it goes after them."""
    empty_global(regions)
    make_cluster(regions, "seoul", 1, **LOGIN)
    key = {"GlobalClusterIdentifier": GLOBAL, "DbClusterIdentifier": f"{GLOBAL}-seoul"}
    regions.advance(CREATION)
    regions("seoul", "rds", "RemoveFromGlobalCluster", **key)
    regions.advance(61)
    cluster = {"DBClusterIdentifier": f"{GLOBAL}-seoul", "SkipFinalSnapshot": True}
    assert refused(regions, "seoul", "DeleteDBCluster", **cluster) == "InvalidDBClusterStateFault"
    instance = {"DBInstanceIdentifier": f"{GLOBAL}-seoul-1"}
    regions("seoul", "rds", "DeleteDBInstance", **instance)
    regions("seoul", "rds", "DeleteDBCluster", **cluster)
    regions.advance(170)
    assert describe_cluster(regions, "seoul")["Status"] == "deleting"
    regions.advance(20)
    with pytest.raises(Fault, match="DBClusterNotFoundFault"):
        describe_cluster(regions, "seoul")


def test_a_final_snapshot_outlives_its_cluster(regions: Regions) -> None:
    """A manual one, of the name that was asked for."""
    alone(regions)
    regions.advance(121)
    regions("seoul", "rds", "DeleteDBCluster", **KEY, FinalDBSnapshotIdentifier="last")
    regions.advance(200)
    found = regions("seoul", "rds", "DescribeDBClusterSnapshots", SnapshotType="manual")
    assert [one["Status"] for one in found["DBClusterSnapshots"]] == ["available"]


def test_clusters_name_the_zones_of_the_platform(regions: Regions) -> None:
    """Tokyo has no zone b."""
    make_global(regions)
    assert describe_cluster(regions, "tokyo")["AvailabilityZones"] == [
        "ap-northeast-1a",
        "ap-northeast-1c",
        "ap-northeast-1d",
    ]


def test_clusters_are_found_by_name_arn_and_filter(regions: Regions) -> None:
    """An unknown filter is refused."""
    arn = alone(regions)["DBClusterArn"]
    for asked in ("alone", arn):
        found = regions("seoul", "rds", "DescribeDBClusters", DBClusterIdentifier=asked)
        assert len(found["DBClusters"]) == 1
    for name, values, count in (
        ("db-cluster-id", [arn], 1),
        ("engine", ["aurora-postgresql"], 0),
    ):
        filters = [{"Name": name, "Values": values}]
        found = regions("seoul", "rds", "DescribeDBClusters", Filters=filters)
        assert len(found["DBClusters"]) == count
    wrong = [{"Name": "color", "Values": ["red"]}]
    code = refused(regions, "seoul", "DescribeDBClusters", Filters=wrong)
    assert code == "InvalidParameterValue"
    elsewhere = arn.replace("ap-northeast-2", "ap-northeast-1")
    code = refused(regions, "seoul", "DescribeDBClusters", DBClusterIdentifier=elsewhere)
    assert code == "DBClusterNotFoundFault"


def test_the_writers_endpoint_of_a_secondary_is_inactive(regions: Regions) -> None:
    """Until it is the primary; readers' endpoints are available in both Regions."""
    make_global(regions)

    def endpoints(alias: str) -> dict[str, str]:
        found = regions(alias, "rds", "DescribeDBClusterEndpoints")["DBClusterEndpoints"]
        return {one["EndpointType"]: one["Status"] for one in found}

    assert endpoints("seoul") == {"WRITER": "available", "READER": "available"}
    assert endpoints("tokyo") == {"WRITER": "inactive", "READER": "available"}
    switchover(regions, "tokyo")
    regions.advance(40)
    assert endpoints("tokyo") == {"WRITER": "available", "READER": "available"}
    assert endpoints("seoul") == {"WRITER": "inactive", "READER": "available"}


def test_pages_are_of_20_to_100_records(regions: Regions) -> None:
    """A marker leads to the next one; other sizes and markers are refused."""
    for number in range(25):
        alone(regions, DBClusterIdentifier=f"c{number:02}")
    first = regions("seoul", "rds", "DescribeDBClusters", MaxRecords=20)
    rest = regions("seoul", "rds", "DescribeDBClusters", Marker=first["Marker"])
    names = [one["DBClusterIdentifier"] for one in first["DBClusters"] + rest["DBClusters"]]
    assert names == [f"c{number:02}" for number in range(25)]
    assert "Marker" not in rest
    for wrong in ({"MaxRecords": 19}, {"MaxRecords": 101}, {"Marker": "x"}):
        assert refused(regions, "seoul", "DescribeDBClusters", **wrong) == "InvalidParameterValue"


def test_an_instance_of_a_new_cluster_waits_for_it(regions: Regions) -> None:
    """It is accepted at once, and available after the cluster."""
    fault = {"kind": "transition", "transition": "db_cluster_creating", "ending": "never"}
    entry = regions.world.faults.add(fault)
    empty_global(regions)
    make_cluster(regions, "seoul", 0, **LOGIN)
    make_instance(regions, "seoul", 1)
    regions.advance(600)
    assert describe_instances(regions, "seoul") == {"1": "creating"}
    regions.world.faults.remove(entry.id)
    regions.advance(12)
    assert describe_instances(regions, "seoul") == {"1": "available"}
