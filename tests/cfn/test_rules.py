"""What no template may say: anything that could undo a failover, lose data, or tie the Regions."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cfn import Unit
from tests.cfn.templates import UNITS, in_stack, of_type, template

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
KEPT, GONE, NONE = ("RetainExceptOnCreate", "Retain"), ("Delete", "Delete"), (None, None)
# Logs are no data of ours, but somebody must have decided whether they outlive their stack.
DECIDED = {"AWS::Logs::LogGroup": {KEPT, GONE}}
PROTECTED = {
    "AWS::RDS::DBCluster": "DeletionProtection",
    "AWS::RDS::GlobalCluster": "DeletionProtection",
}
ROLES = re.compile(r"primary|secondary|standby|active", re.IGNORECASE)

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: "-".join(unit.key))


def _resources(unit: Unit) -> dict[str, Any]:
    resources: dict[str, Any] = template(unit)["Resources"]
    return resources


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
    assert template(unit).keys() <= {"Description", "Parameters", "Resources", "Outputs"}
    assert not any(name.startswith("Fn::If") for _, name in _strings(template(unit)))


@each_unit
def test_no_output_is_exported(unit: Unit) -> None:
    """An export that changes after a failover ends in UPDATE_ROLLBACK_FAILED."""
    for output in template(unit).get("Outputs", {}).values():
        assert output.keys() == {"Value"}


@each_unit
def test_only_route53_knows_a_role(unit: Unit) -> None:
    """No template says primary, secondary, active or standby but for Route 53's `Failover`."""
    said = {
        (path.rpartition("/")[2], text)
        for path, text in _strings(template(unit))
        if ROLES.search(text)
    }
    assert said <= {("Failover", "PRIMARY"), ("Failover", "SECONDARY")}


@each_unit
def test_what_holds_data_is_never_deleted(unit: Unit) -> None:
    """Both policies on each stateful resource; only a failed first create leaves nothing."""
    for name, resource in _resources(unit).items():
        policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
        allowed = {KEPT} if resource["Type"] in STATEFUL else DECIDED.get(resource["Type"], {NONE})
        assert policies in allowed, name


@each_unit
def test_a_stack_that_holds_data_says_so(unit: Unit) -> None:
    """Termination protection and the rules against loss follow this mark."""
    kinds = {resource["Type"] for resource in _resources(unit).values()}
    assert unit.stack.stateful is bool(kinds & STATEFUL)


def test_databases_cannot_be_deleted_by_one_call() -> None:
    """Deletion protection where the type has it; instances of Aurora have it by their cluster."""
    for kind, name in PROTECTED.items():
        found = of_type(kind)
        assert found
        assert all(one[name] is True for one in found)
    alone = [one for one in of_type("AWS::RDS::DBInstance") if "DBClusterIdentifier" not in one]
    assert len(alone) == 2
    assert all(one["DeletionProtection"] is True for one in alone)


def test_what_is_stored_is_encrypted() -> None:
    """Databases, files, secrets and buckets."""
    for kind in ("AWS::RDS::DBCluster", "AWS::RDS::GlobalCluster"):
        assert all(one["StorageEncrypted"] is True for one in of_type(kind))
    assert all(one["Encrypted"] is True for one in of_type("AWS::EFS::FileSystem"))
    assert all("KmsKeyId" in one for one in of_type("AWS::SecretsManager::Secret"))
    assert all("BucketEncryption" in one for one in of_type("AWS::S3::Bucket"))


def test_no_bucket_is_public_and_all_are_spoken_to_over_tls() -> None:
    """Each bucket has a policy that refuses the rest."""
    for unit in UNITS:
        kinds = [one["Type"] for one in _resources(unit).values()]
        assert kinds.count("AWS::S3::Bucket") == kinds.count("AWS::S3::BucketPolicy")
    for bucket in of_type("AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    for policy in of_type("AWS::S3::BucketPolicy"):
        statements = policy["PolicyDocument"]["Statement"]
        assert any(
            one["Effect"] == "Deny"
            and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for one in statements
        )


@each_unit
def test_no_template_has_a_secret(unit: Unit) -> None:
    """Passwords are made by Secrets Manager, and referred to."""
    for path, text in _strings(template(unit)):
        if path.rpartition("/")[2] in ("MasterUserPassword", "MasterUsername"):
            assert text.startswith("{{resolve:secretsmanager:"), path
        assert path.rpartition("/")[2] not in ("SecretString", "ManageMasterUserPassword"), path


def test_roles_of_services_have_no_names() -> None:
    """IAM is global: a name in one Region's stack would collide with the other's. Dagster's own
    roles and CloudFormation's have their Region's alias in theirs."""
    names = [one["RoleName"] for one in of_type("AWS::IAM::Role") if "RoleName" in one]
    assert len(set(names)) == len(names)
    assert all(name.endswith(("-seoul", "-tokyo")) for name in names)


def test_names_do_not_collide_between_the_regions() -> None:
    """Names of databases, buckets, clusters and secrets differ; EFS has the same `Name` in both on
    purpose."""
    for kind, key in (
        ("AWS::RDS::DBCluster", "DBClusterIdentifier"),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier"),
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::EKS::Cluster", "Name"),
        ("AWS::SecretsManager::Secret", "Name"),
    ):
        names = [properties[key] for properties in of_type(kind)]
        assert len(set(names)) == len(names)


def test_the_ledger_is_strong_protected_and_recoverable() -> None:
    """Two replicas and a witness; each replica has point-in-time recovery."""
    (table,) = of_type("AWS::DynamoDB::GlobalTable")
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
    """Nobody else reads it, and no KMS key hides it from them."""
    buckets = in_stack("AWS::S3::Bucket", "traffic")
    policies = in_stack("AWS::S3::BucketPolicy", "traffic")
    assert (len(buckets), len(policies)) == (2, 2)
    for bucket in buckets:
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    for policy in policies:
        (allowed,) = (
            one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"
        )
        assert allowed["Action"] == "s3:GetObject"
        assert allowed["Resource"].endswith("/serving")
        assert "15.177.0.0/18" in allowed["Condition"]["IpAddress"]["aws:SourceIp"]
