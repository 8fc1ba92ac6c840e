"""All stacks of the platform, applied to the local Regions as to AWS."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

import cfn
from cfn import Scope
from tests import local_world
from tests.local.aws.stacks import NOTHING_TO_DO, Stacks
from tests.local_world import LocalWorld

ALIASES = ("seoul", "tokyo")
SPEED = 500.0
PATIENCE = 20.0  # real seconds


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """A world of this module's own, since it takes the platform's names."""
    folder = tmp_path_factory.mktemp("cloudformation")
    with local_world.start(folder, speed=SPEED) as started:
        yield started


@pytest.fixture(scope="module")
def stacks(world: LocalWorld) -> Stacks:
    """The world with every stack applied once, in order of their dependencies."""
    made = Stacks(world, lambda seconds: time.sleep(seconds / SPEED))
    ends = {unit.key: made.apply_unit(unit) for unit in cfn.units(world.platform)}
    assert set(ends.values()) == {"CREATE_COMPLETE"}, ends
    return made


def test_a_second_apply_changes_nothing(stacks: Stacks, world: LocalWorld) -> None:
    """Each change set fails with AWS's words for "no changes"."""
    ends = {unit.key: stacks.apply_unit(unit) for unit in cfn.units(world.platform)}
    assert set(ends.values()) == {NOTHING_TO_DO}, ends


def test_no_resource_of_the_platform_has_drifted(stacks: Stacks, world: LocalWorld) -> None:
    """Each of them can be read back, and is what its template says."""
    for unit in cfn.units(world.platform):
        client, name = stacks.client(unit.region.alias), stacks.name(unit)
        id_ = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        key = {"StackDriftDetectionId": id_}
        while client.describe_stack_drift_detection_status(**key)["DetectionStatus"] == (
            "DETECTION_IN_PROGRESS"
        ):
            stacks.wait(5)
        found = client.describe_stack_drift_detection_status(**key)
        assert found["StackDriftStatus"] == "IN_SYNC", (unit.key, found)
        pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
        every = {
            one["LogicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
        }
        drifts = client.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
        assert {one["LogicalResourceId"] for one in drifts} == every


def test_every_stack_that_others_read_gives_its_outputs(stacks: Stacks, world: LocalWorld) -> None:
    """No output of the registry is missing or empty."""
    for unit in cfn.units(world.platform):
        for output in unit.stack.parameters.values():
            assert stacks.output(unit, output)


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_once_stacks_are_in_home_only(world: LocalWorld, alias: str) -> None:
    """Tokyo has the stacks of scope `each`, Seoul all of them."""
    found = world.aws("cloudformation", alias).describe_stacks()["Stacks"]
    expected = {
        world.platform.stack_name(stack.name)
        for stack in cfn.STACKS
        if stack.scope is Scope.EACH or alias == world.platform.home
    }
    assert {stack["StackName"] for stack in found} == expected


@pytest.mark.usefixtures("stacks")
def test_both_db_clusters_join_and_home_is_the_first_writer(world: LocalWorld) -> None:
    """The empty global cluster gets both members; the joining one inherits the administrator."""
    found = world.aws("rds", "tokyo").describe_global_clusters()["GlobalClusters"][0]
    writers = {one["DBClusterArn"]: one["IsWriter"] for one in found["GlobalClusterMembers"]}
    clusters = {alias: _db_cluster(world, alias) for alias in ALIASES}
    assert writers == {
        clusters["seoul"]["DBClusterArn"]: True,
        clusters["tokyo"]["DBClusterArn"]: False,
    }
    assert {one["MasterUsername"] for one in clusters.values()} == {"platform_admin"}


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize(("alias", "count"), [("seoul", 3), ("tokyo", 2)])
def test_db_clusters_have_their_instances_and_the_regions_key(
    world: LocalWorld, alias: str, count: int
) -> None:
    """Instances are counted by Region; each Region encrypts with its own key."""
    cluster = _db_cluster(world, alias)
    names = {one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"]}
    assert names == {f"peccy-peccy-{alias}-{number}" for number in range(1, count + 1)}
    assert cluster["StorageEncrypted"]
    assert cluster["DeletionProtection"]
    assert world.platform.region(alias).name in cluster["KmsKeyId"]


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_the_ledger_is_strongly_consistent_in_both_regions(world: LocalWorld, alias: str) -> None:
    """Two replicas and the witness, seen from each Region."""
    table = world.aws("dynamodb", alias).describe_table(TableName="peccy-ledger")["Table"]
    assert table["MultiRegionConsistency"] == "STRONG"
    assert {one["RegionName"] for one in table["Replicas"]} == {"ap-northeast-1", "ap-northeast-2"}
    assert [one["RegionName"] for one in table["GlobalTableWitnesses"]] == ["ap-northeast-3"]
    backups = world.aws("dynamodb", alias).describe_continuous_backups(TableName="peccy-ledger")
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_clusters_answer_at_the_local_endpoint(world: LocalWorld, alias: str) -> None:
    """The cluster that the stack made is the one whose Kubernetes API runs here."""
    cluster = world.aws("eks", alias).describe_cluster(name=f"peccy-{alias}")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"] == world.ready["clusters"][alias]
    assert cluster["accessConfig"]["authenticationMode"] == "API"


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_node_groups_get_the_counts_of_eks_and_their_taints(world: LocalWorld, alias: str) -> None:
    """Without a ScalingConfig EKS chooses; web and app keep other pods away, manage does not."""
    eks, taints = world.aws("eks", alias), {}
    for name in ("manage", "web", "app"):
        group = eks.describe_nodegroup(clusterName=f"peccy-{alias}", nodegroupName=name)
        found = group["nodegroup"]
        assert found["scalingConfig"] == {"minSize": 1, "maxSize": 2, "desiredSize": 2}
        assert found["labels"]["role"] == name
        taints[name] = [one["key"] + "=" + one["value"] for one in found.get("taints", [])]
    assert taints == {"manage": [], "web": ["role=web"], "app": ["role=app"]}


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_file_systems_are_found_by_name_and_replicate_to_nobody(
    world: LocalWorld, alias: str
) -> None:
    """Encrypted, with a mount target in each zone, and no replication from a template."""
    efs = world.aws("efs", alias)
    (found,) = efs.describe_file_systems()["FileSystems"]
    assert found["Name"] == "peccy-pictures"
    assert found["Encrypted"]
    targets = efs.describe_mount_targets(FileSystemId=found["FileSystemId"])["MountTargets"]
    assert len({one["SubnetId"] for one in targets}) == 3
    with pytest.raises(efs.exceptions.ReplicationNotFound):
        efs.describe_replication_configurations(FileSystemId=found["FileSystemId"])


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_the_registry_copies_to_the_other_region(world: LocalWorld, alias: str) -> None:
    """Replication goes both ways."""
    other = world.platform.other(alias).name
    rules = world.aws("ecr", alias).describe_registry()["replicationConfiguration"]["rules"]
    assert [to["region"] for rule in rules for to in rule["destinations"]] == [other]


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("alias", ALIASES)
def test_each_zone_has_its_own_way_out(world: LocalWorld, alias: str) -> None:
    """Three NAT gateways, and an address for each."""
    ec2 = world.aws("ec2", alias)
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    assert len({one["SubnetId"] for one in gateways}) == 3
    assert len(ec2.describe_addresses()["Addresses"]) == 3


@pytest.mark.usefixtures("stacks")
def test_one_object_moves_all_services_and_its_end_moves_them_back(world: LocalWorld) -> None:
    """The checkers read it in Tokyo's bucket, as its policy lets them; both records follow."""
    assert _waits_for(world, "seoul")
    bucket = world.platform.traffic_bucket(world.platform.region("tokyo"))
    world.aws("s3", "tokyo").put_object(Bucket=bucket, Key="serving", Body=b"tokyo")
    assert _waits_for(world, "tokyo")
    world.aws("s3", "tokyo").delete_object(Bucket=bucket, Key="serving")
    assert _waits_for(world, "seoul")


@pytest.mark.usefixtures("stacks")
def test_a_region_without_ready_pods_is_not_up_for_the_checkers(world: LocalWorld) -> None:
    """The signal record goes down with the endpoint check of the Region's service."""
    limit = time.monotonic() + PATIENCE
    while _answer(world, "signal-tokyo.peccy.example.com", "TXT") != ['"down"']:
        assert time.monotonic() < limit
        time.sleep(0.05)


def _waits_for(world: LocalWorld, alias: str) -> bool:
    """Whether both services are soon answered by this Region's names."""
    limit, expected = time.monotonic() + PATIENCE, {}
    for service in world.platform.services:
        expected[service.host] = [f"{alias}.{service.host}"]
    while time.monotonic() < limit:
        found = {host: _answer(world, host, "CNAME") for host in expected}
        if {h: [v.rstrip(".") for v in values] for h, values in found.items()} == expected:
            return True
        time.sleep(0.05)
    return False


def _answer(world: LocalWorld, name: str, kind: str) -> list[str]:
    route53 = world.aws("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    answer = route53.test_dns_answer(HostedZoneId=zone, RecordName=name, RecordType=kind)
    return list(answer["RecordData"])


def _db_cluster(world: LocalWorld, alias: str) -> Any:
    rds, name = world.aws("rds", alias), f"peccy-peccy-{alias}"
    return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
