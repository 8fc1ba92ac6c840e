"""What no template may say: anything that could undo a failover, lose data, or tie the Regions."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import cfn
from cfn import Unit
from tests.cfn import platforms

PLATFORM = platforms.of_the_repository()
UNITS = cfn.units(PLATFORM)

# Types that hold what cannot be made again.
STATEFUL = {
    "AWS::DynamoDB::GlobalTable",
    "AWS::ECR::Repository",
    "AWS::EFS::AccessPoint",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::RDS::GlobalCluster",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
}
ROLES = re.compile(r"primary|secondary|standby|active", re.IGNORECASE)

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: "-".join(unit.key))


def _template(unit: Unit) -> Any:
    return json.loads(cfn.render(PLATFORM, unit))


def _resources(unit: Unit) -> dict[str, Any]:
    resources: dict[str, Any] = _template(unit)["Resources"]
    return resources


def _properties(kind: str) -> list[dict[str, Any]]:
    return [
        resource.get("Properties", {})
        for unit in UNITS
        for resource in _resources(unit).values()
        if resource["Type"] == kind
    ]


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every key and every text below a value, each with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _strings(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, path)
    elif isinstance(value, str):
        yield path, value


@each_unit
def test_templates_decide_nothing_at_deployment(unit: Unit) -> None:
    """Rendered per Region in Python: no conditions, no mappings, no transforms."""
    template = _template(unit)
    assert template.keys() <= {"Description", "Parameters", "Resources", "Outputs"}
    assert not any(name.startswith("Fn::If") for _, name in _strings(template))


@each_unit
def test_no_output_is_exported(unit: Unit) -> None:
    """An export that changes after a failover ends in UPDATE_ROLLBACK_FAILED."""
    for output in _template(unit).get("Outputs", {}).values():
        assert output.keys() == {"Value"}


@each_unit
def test_only_route53_knows_a_role(unit: Unit) -> None:
    """No template says primary, secondary, active or standby but for Route 53's `Failover`."""
    said = {
        (path.rpartition("/")[2], text)
        for path, text in _strings(_template(unit))
        if ROLES.search(text)
    }
    assert said <= {("Failover", "PRIMARY"), ("Failover", "SECONDARY")}


@each_unit
def test_what_holds_data_is_never_deleted(unit: Unit) -> None:
    """Both policies on each stateful resource; only a failed first create leaves nothing."""
    for name, resource in _resources(unit).items():
        policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
        kept = ("RetainExceptOnCreate", "Retain")
        assert policies == (kept if resource["Type"] in STATEFUL else (None, None)), name


@each_unit
def test_a_stack_that_holds_data_says_so(unit: Unit) -> None:
    """Termination protection and the rules against loss follow this mark."""
    kinds = {resource["Type"] for resource in _resources(unit).values()}
    assert unit.stack.stateful is bool(kinds & STATEFUL)


def test_node_groups_have_no_counts() -> None:
    """The next edit of a template would set the standby's nodes in the middle of a disaster."""
    groups = _properties("AWS::EKS::Nodegroup")
    assert len(groups) == 6
    assert not any("ScalingConfig" in group for group in groups)


def test_file_systems_have_neither_replication_nor_protection() -> None:
    """Replication belongs to the roles; here it could start over newer data."""
    found = _properties("AWS::EFS::FileSystem")
    assert len(found) == 2
    for files in found:
        assert not files.keys() & {"ReplicationConfiguration", "FileSystemProtection"}
        assert files["Encrypted"] is True


def test_the_global_cluster_is_born_empty() -> None:
    """Its source is create-only and reads back as the writer of the day."""
    (found,) = _properties("AWS::RDS::GlobalCluster")
    assert "SourceDBClusterIdentifier" not in found
    assert found["DeletionProtection"] is True
    assert found["StorageEncrypted"] is True


def test_only_the_first_born_db_cluster_has_credentials_and_no_template_has_a_secret() -> None:
    """Home refers to the secret; the other cluster joins and takes none."""
    home, other = _properties("AWS::RDS::DBCluster")
    assert home["MasterUserPassword"] == (
        "{{resolve:secretsmanager:peccy-peccy-admin:SecretString:password}}"
    )
    assert not other.keys() & {"MasterUsername", "MasterUserPassword"}
    for cluster in (home, other):
        assert cluster["GlobalClusterIdentifier"] == "peccy-peccy"
        assert cluster["DeletionProtection"] is True
        assert "ManageMasterUserPassword" not in cluster


def test_db_instances_are_counted_by_region_and_spread_over_its_zones() -> None:
    """At least two a Region, each in a zone of its own."""
    zones = [instance["AvailabilityZone"] for instance in _properties("AWS::RDS::DBInstance")]
    assert zones == [
        *("ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"),
        *("ap-northeast-1a", "ap-northeast-1c"),
    ]


def test_names_do_not_collide_between_the_regions() -> None:
    """Cluster, database and bucket names differ; EFS has the same `Name` in both on purpose."""
    for kind, key in (
        ("AWS::RDS::DBCluster", "DBClusterIdentifier"),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier"),
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::EKS::Cluster", "Name"),
    ):
        names = [properties[key] for properties in _properties(kind)]
        assert len(set(names)) == len(names)


def test_the_ledger_is_strong_protected_and_recoverable() -> None:
    """Two replicas and a witness; each replica has point-in-time recovery."""
    (table,) = _properties("AWS::DynamoDB::GlobalTable")
    assert table["MultiRegionConsistency"] == "STRONG"
    assert table["GlobalTableWitnesses"] == [{"Region": "ap-northeast-3"}]
    assert [replica["Region"] for replica in table["Replicas"]] == [
        "ap-northeast-2",
        "ap-northeast-1",
    ]
    for replica in table["Replicas"]:
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert replica["DeletionProtectionEnabled"] is True


def test_the_traffic_object_is_for_the_checkers_only() -> None:
    """Nobody else reads it; the bucket is not public, and no KMS key hides the object from them."""
    for bucket in _properties("AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    for policy in _properties("AWS::S3::BucketPolicy"):
        (allowed,) = (
            one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"
        )
        assert allowed["Action"] == "s3:GetObject"
        assert allowed["Resource"].endswith("/serving")
        assert "15.177.0.0/18" in allowed["Condition"]["IpAddress"]["aws:SourceIp"]


def test_nodes_take_only_signed_metadata_requests_and_have_encrypted_disks() -> None:
    """IMDSv2, and EBS encryption."""
    for found in _properties("AWS::EC2::LaunchTemplate"):
        data = found["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert [disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"]] == [True]
