"""What surrounds DB clusters: snapshots, events, tags, and the groups that they use."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.rds import Rds
from platform_pipelines.local.aws.rds_store import CLUSTERS, EVENTS, INSTANCES
from platform_pipelines.local.aws.service import Call
from platform_pipelines.local.ministack_rows import read, write
from tests.local.aws.databases import (
    ARN,
    GLOBAL,
    VERSION,
    make_global,
    make_key,
    refused,
)
from tests.local.aws.regions import START, Regions

CLUSTER = {"DBClusterIdentifier": f"{GLOBAL}-seoul"}


@pytest.fixture
def database(regions: Regions) -> Regions:
    """Both Regions with a global cluster that is written in Seoul."""
    make_global(regions)
    return regions


def subnets(regions: Regions, zones: str) -> list[str]:
    """Subnets of a new VPC in these zones of Seoul."""

    def ec2(operation: str, **params: Any) -> dict[str, Any]:
        account = regions.world.platform.account
        call = Call(
            service="ec2",
            operation=operation,
            params=params,
            region="ap-northeast-2",
            account=account,
            request_id="test",
        )
        with ministack.scope(account, call.region):
            return stores.ask(call)

    vpc = ec2("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = []
    for number, zone in enumerate(zones):
        params = {"VpcId": vpc, "CidrBlock": f"10.0.{number}.0/24"}
        made.append(ec2("CreateSubnet", **params, AvailabilityZone=f"ap-northeast-2{zone}"))
    return [str(one["Subnet"]["SubnetId"]) for one in made]


def snapshot(regions: Regions, name: str) -> str:
    """A snapshot of the home cluster; its ARN."""
    made = regions(
        "seoul", "rds", "CreateDBClusterSnapshot", DBClusterSnapshotIdentifier=name, **CLUSTER
    )["DBClusterSnapshot"]
    assert (made["Status"], made["SnapshotType"]) == ("creating", "manual")
    return str(made["DBClusterSnapshotArn"])


def test_a_snapshot_is_available_after_a_while_and_can_be_deleted(database: Regions) -> None:
    """A second one of the same name is refused."""
    snapshot(database, "first")
    again = CLUSTER | {"DBClusterSnapshotIdentifier": "first"}
    code = refused(database, "seoul", "CreateDBClusterSnapshot", **again)
    assert code == "DBClusterSnapshotAlreadyExistsFault"
    database.advance(121)
    key = {"DBClusterSnapshotIdentifier": "first"}
    found = database("seoul", "rds", "DescribeDBClusterSnapshots", **key)["DBClusterSnapshots"]
    assert [(one["Status"], one["PercentProgress"]) for one in found] == [("available", 100)]
    database("seoul", "rds", "DeleteDBClusterSnapshot", **key)
    code = refused(database, "seoul", "DescribeDBClusterSnapshots", **key)
    assert code == "DBClusterSnapshotNotFoundFault"


def test_a_snapshot_is_copied_to_the_other_region_under_its_key(database: Regions) -> None:
    """Without a key it is refused; while the Regions are apart it goes on copying."""
    arn = snapshot(database, "first")
    database.advance(121)
    params = {
        "SourceDBClusterSnapshotIdentifier": arn,
        "TargetDBClusterSnapshotIdentifier": "there",
    }
    code = refused(database, "tokyo", "CopyDBClusterSnapshot", **params)
    assert code == "InvalidParameterCombination"
    key = make_key(database, "tokyo")
    made = database("tokyo", "rds", "CopyDBClusterSnapshot", **params, KmsKeyId=key)
    assert made["DBClusterSnapshot"]["SourceDBClusterSnapshotArn"] == arn
    assert made["DBClusterSnapshot"]["KmsKeyId"].endswith(key)
    database.world.partitions.add(frozenset({"seoul", "tokyo"}))
    database.advance(600)
    found = database("tokyo", "rds", "DescribeDBClusterSnapshots")["DBClusterSnapshots"]
    assert [one["Status"] for one in found] == ["copying"]
    database.world.partitions.clear()
    database.advance(6)
    found = database("tokyo", "rds", "DescribeDBClusterSnapshots")["DBClusterSnapshots"]
    assert [one["Status"] for one in found] == ["available"]


def test_events_are_of_the_last_hour_unless_asked_otherwise(database: Regions) -> None:
    """By source, category and time; the oldest first, for two weeks."""
    database.advance(3600)
    assert database("seoul", "rds", "DescribeEvents")["Events"] == []
    found = database("seoul", "rds", "DescribeEvents", Duration=120)["Events"]
    assert [one["SourceType"] for one in found] == ["db-cluster", "db-instance", "db-instance"]
    assert found[0]["SourceArn"] == ARN["seoul"]
    since = datetime.fromtimestamp(START, UTC)
    params = {"StartTime": since, "EventCategories": ["deletion"]}
    assert database("seoul", "rds", "DescribeEvents", **params)["Events"] == []
    code = refused(database, "seoul", "DescribeEvents", SourceIdentifier="x")
    assert code == "InvalidParameterCombination"


def test_events_are_forgotten_after_two_weeks(database: Regions) -> None:
    """When the next one comes."""
    database.advance(15 * 86400)
    snapshot(database, "later")
    database("seoul", "rds", "FailoverDBCluster", **CLUSTER)
    assert len(EVENTS.of("111122223333", "ap-northeast-2")) == 1


@pytest.mark.parametrize(
    "arn",
    [ARN["seoul"], f"arn:aws:rds:ap-northeast-2:111122223333:db:{GLOBAL}-seoul-1"],
)
def test_tags_are_added_replaced_and_removed(database: Regions, arn: str) -> None:
    """By key, on any resource that there is."""
    key = {"ResourceName": arn}
    for tags in (
        [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}],
        [{"Key": "a", "Value": "2"}],
    ):
        database("seoul", "rds", "AddTagsToResource", **key, Tags=tags)
    database("seoul", "rds", "RemoveTagsFromResource", **key, TagKeys=["b"])
    found = database("seoul", "rds", "ListTagsForResource", **key)["TagList"]
    assert found == [{"Key": "a", "Value": "2"}]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (ARN["seoul"] + "x", "DBClusterNotFoundFault"),
        (ARN["tokyo"], "InvalidParameterValue"),
        ("nothing", "InvalidParameterValue"),
    ],
)
def test_tags_of_nothing_are_refused(database: Regions, arn: str, code: str) -> None:
    """Of another Region, too."""
    assert refused(database, "seoul", "ListTagsForResource", ResourceName=arn) == code


def test_a_subnet_group_covers_two_zones_and_is_kept_while_used(regions: Regions) -> None:
    """A cluster holds it."""
    group = {"DBSubnetGroupName": "Private"}
    more = group | {"DBSubnetGroupDescription": "private"}
    one_zone = more | {"SubnetIds": subnets(regions, "a")}
    code = refused(regions, "seoul", "CreateDBSubnetGroup", **one_zone)
    assert code == "DBSubnetGroupDoesNotCoverEnoughAZs"
    two_zones = more | {"SubnetIds": subnets(regions, "ab")}
    made = regions("seoul", "rds", "CreateDBSubnetGroup", **two_zones)["DBSubnetGroup"]
    assert made["DBSubnetGroupName"] == "private"
    code = refused(regions, "seoul", "CreateDBSubnetGroup", **two_zones)
    assert code == "DBSubnetGroupAlreadyExists"
    cluster = {"DBClusterIdentifier": "alone", "Engine": "aurora-mysql", "EngineVersion": VERSION}
    cluster |= {"MasterUsername": "admin", "MasterUserPassword": "a-password"}
    regions("seoul", "rds", "CreateDBCluster", **cluster, DBSubnetGroupName="private")
    code = refused(regions, "seoul", "DeleteDBSubnetGroup", DBSubnetGroupName="private")
    assert code == "InvalidDBSubnetGroupStateFault"


def test_a_cluster_parameter_group_is_kept_while_used(regions: Regions) -> None:
    """It goes with its last cluster."""
    group = {"DBClusterParameterGroupName": "settings"}
    family = {"DBParameterGroupFamily": "aurora-mysql8.0", "Description": "TLS only"}
    regions("seoul", "rds", "CreateDBClusterParameterGroup", **group, **family)
    cluster = {"DBClusterIdentifier": "alone", "Engine": "aurora-mysql", "EngineVersion": VERSION}
    cluster |= {"MasterUsername": "admin", "MasterUserPassword": "a-password"}
    regions("seoul", "rds", "CreateDBCluster", **cluster, **group)
    code = refused(regions, "seoul", "DeleteDBClusterParameterGroup", **group)
    assert code == "InvalidDBParameterGroupState"
    key = {"DBClusterIdentifier": "alone", "SkipFinalSnapshot": True}
    regions.advance(121)
    regions("seoul", "rds", "DeleteDBCluster", **key)
    regions.advance(61)
    regions("seoul", "rds", "DeleteDBClusterParameterGroup", **group)
    found = regions("seoul", "rds", "DescribeDBClusterParameterGroups")["DBClusterParameterGroups"]
    assert found == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("DBCluster", "DBClusterParameterGroupName"), ("DB", "DBParameterGroupName")],
)
def test_a_default_parameter_group_is_read_and_never_changed(
    database: Regions, kind: str, name: str
) -> None:
    """AWS makes one for each family; it is listed while something uses it."""
    group = {name: "default.aurora-mysql8.0"}
    [found] = database("seoul", "rds", f"Describe{kind}ParameterGroups", **group)[
        f"{kind}ParameterGroups"
    ]
    assert found["DBParameterGroupFamily"] == "aurora-mysql8.0"
    listed = database("seoul", "rds", f"Describe{kind}ParameterGroups")[f"{kind}ParameterGroups"]
    assert [one[name] for one in listed] == [group[name]]
    parameters = database("seoul", "rds", f"Describe{kind}Parameters", **group)["Parameters"]
    assert {one["Source"] for one in parameters} == {"engine-default"}
    assert "character_set_server" in {one["ParameterName"] for one in parameters}
    by_user = database("seoul", "rds", f"Describe{kind}Parameters", **group, Source="user")
    assert by_user["Parameters"] == []
    wanted = [{"ParameterName": "max_connections", "ParameterValue": "1"}]
    code = refused(database, "seoul", f"Modify{kind}ParameterGroup", **group, Parameters=wanted)
    assert code == "InvalidParameterValue"
    code = refused(database, "seoul", f"Delete{kind}ParameterGroup", **group)
    assert code == "InvalidDBParameterGroupState"
    unknown = {name: "default.aurora-mysql9.9"}
    code = refused(database, "seoul", f"Describe{kind}Parameters", **unknown)
    assert code == "DBParameterGroupNotFound"


def test_every_record_can_be_kept_and_read_back(database: Regions) -> None:
    """So that a world survives its server."""
    for shelf in (CLUSTERS, INSTANCES, EVENTS):
        for _, _, record in shelf.everywhere():
            assert read(write(record)) == record


def test_every_refusal_is_one_of_the_services_own() -> None:
    """Codes of the model's errors, or RDS's common ones."""
    common = {"InvalidParameterCombination", "InvalidParameterValue", "NotImplemented"}
    for operation, about in Rds.about().items():
        for code in set(about.raises) - common:
            assert _model_knows(operation, code), f"{operation} raises {code}"


def _model_knows(operation: str, code: str) -> bool:
    session = botocore.session.get_session()
    shapes = session.get_service_model("rds").operation_model(operation).error_shapes
    return code in {one.metadata["error"]["code"] for one in shapes}


def test_versions_have_their_upgrade_targets(regions: Regions) -> None:
    """Of Aurora's engines only, and each a later one."""
    params = {"Engine": "aurora-mysql", "EngineVersion": VERSION}
    found = regions("seoul", "rds", "DescribeDBEngineVersions", **params)["DBEngineVersions"]
    targets = [one["EngineVersion"] for one in found[0]["ValidUpgradeTarget"]]
    assert "8.0.mysql_aurora.3.10.1" in targets
    assert "8.0.mysql_aurora.3.04.0" not in targets
    code = refused(regions, "seoul", "DescribeDBEngineVersions", Engine="oracle-ee")
    assert code == "NotImplemented"
