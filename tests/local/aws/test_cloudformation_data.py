"""The resource types of logs, endpoints, certificates, secrets, buckets and PostgreSQL in stacks."""

import json
from typing import Any

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.stacks import Stacks, in_still_world, network, resource, template

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"
DONE, CHANGED, GONE = "CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"


@pytest.fixture
def stacks(world: World) -> Stacks:
    """Stacks in a world whose time passes while somebody waits."""
    return in_still_world(world)


def drifted(stacks: Stacks, name: str) -> dict[str, list[str]]:
    """The properties that differ from the template, by resource."""
    client = stacks.client("seoul")
    id_ = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
    stacks.wait(60)
    told = client.describe_stack_drift_detection_status(StackDriftDetectionId=id_)
    assert told["DetectionStatus"] == "DETECTION_COMPLETE"
    found = client.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    return {
        one["LogicalResourceId"]: [each["PropertyPath"] for each in one["PropertyDifferences"]]
        for one in found
        if one["StackResourceDriftStatus"] != "IN_SYNC"
    }


def log_group(**properties: Any) -> dict[str, Any]:
    """A log group."""
    return resource("AWS::Logs::LogGroup", LogGroupName="/vpc/flows", **properties)


def test_a_log_group_keeps_what_its_template_says(stacks: Stacks) -> None:
    """Retention and tags change in place; what somebody else changes is drift."""
    tags = [{"Key": "stack", "Value": "network"}]
    assert stacks.apply("seoul", "s", template(Logs=log_group(RetentionInDays=90))) == DONE
    wanted = template(Logs=log_group(RetentionInDays=30, Tags=tags))
    assert stacks.apply("seoul", "s", wanted) == CHANGED
    logs = stacks.world.aws("logs")
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    assert drifted(stacks, "s") == {}
    logs.put_retention_policy(logGroupName="/vpc/flows", retentionInDays=1)
    assert drifted(stacks, "s") == {"Logs": ["/RetentionInDays"]}
    assert stacks.delete("seoul", "s") == GONE
    assert logs.describe_log_groups()["logGroups"] == []


def test_an_endpoint_and_a_flow_log_are_made_of_a_vpc(stacks: Stacks) -> None:
    """The stack waits for the endpoint's addresses; a subnet that is dropped leaves it."""
    vpc = network()
    vpc["Vpc"]["Properties"] |= {"EnableDnsSupport": True, "EnableDnsHostnames": True}
    flow = resource(
        "AWS::EC2::FlowLog",
        ResourceType="VPC",
        ResourceId={"Ref": "Vpc"},
        TrafficType="ALL",
        LogGroupName={"Ref": "Logs"},
        DeliverLogsPermissionArn="arn:aws:iam::111122223333:role/flows",
    )

    def door(*subnets: str) -> dict[str, Any]:
        return resource(
            "AWS::EC2::VPCEndpoint",
            VpcId={"Ref": "Vpc"},
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{SEOUL}.sts",
            SubnetIds=[{"Ref": one} for one in subnets],
            PrivateDnsEnabled=True,
        )

    rest = {**vpc, "Logs": log_group(), "Flow": flow}
    first = template(**rest, Door=door("SubnetA", "SubnetB"))
    assert stacks.apply("seoul", "s", first) == DONE
    ec2 = stacks.world.aws("ec2")
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert (found["State"], len(found["SubnetIds"])) == ("available", 2)
    assert drifted(stacks, "s") == {}
    assert stacks.apply("seoul", "s", template(**rest, Door=door("SubnetB"))) == CHANGED
    (found,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert len(found["SubnetIds"]) == 1
    assert stacks.delete("seoul", "s") == GONE
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def test_a_certificate_proves_itself_in_the_zone_of_its_template(stacks: Stacks) -> None:
    """CloudFormation puts the record there, waits, and leaves it when the certificate goes."""
    zone = resource("AWS::Route53::HostedZone", Name="peccy.example.com")
    host = "www.peccy.example.com"
    proof = {"DomainName": host, "HostedZoneId": {"Ref": "Zone"}}
    certificate = resource(
        "AWS::CertificateManager::Certificate",
        DomainName=host,
        ValidationMethod="DNS",
        DomainValidationOptions=[proof],
    )
    assert stacks.apply("seoul", "zone", template(Zone=zone)) == DONE
    both = template(Zone=zone, Certificate=certificate)
    assert stacks.apply("seoul", "zone", both) == CHANGED
    acm, route53 = stacks.world.aws("acm"), stacks.world.aws("route53")
    (found,) = acm.list_certificates()["CertificateSummaryList"]
    assert found["Status"] == "ISSUED"
    assert drifted(stacks, "zone") == {}
    assert stacks.apply("seoul", "zone", template(Zone=zone)) == CHANGED
    assert acm.list_certificates()["CertificateSummaryList"] == []
    id_ = route53.list_hosted_zones()["HostedZones"][0]["Id"].rpartition("/")[2]
    records = route53.list_resource_record_sets(HostedZoneId=id_)["ResourceRecordSets"]
    assert "CNAME" in {one["Type"] for one in records}


def secret(**properties: Any) -> dict[str, Any]:
    """A generated secret with a replica in Tokyo."""
    generated = {
        "SecretStringTemplate": '{"username": "platform_admin"}',
        "GenerateStringKey": "password",
        "PasswordLength": 32,
        "ExcludePunctuation": True,
    }
    return resource(
        "AWS::SecretsManager::Secret",
        Name="peccy-admin",
        GenerateSecretString=generated,
        ReplicaRegions=[{"Region": TOKYO}],
        **properties,
    )


def test_a_secret_is_generated_once_and_copied(stacks: Stacks) -> None:
    """Ref is its ARN; a new description changes no password; deletion takes the replica first."""
    body = template(Secret=secret()) | {"Outputs": {"Arn": {"Value": {"Ref": "Secret"}}}}
    assert stacks.apply("seoul", "s", body) == DONE
    assert stacks.outputs("seoul", "s")["Arn"].startswith("arn:aws:secretsmanager:")
    home, other = (stacks.world.aws("secretsmanager", alias) for alias in ("seoul", "tokyo"))
    first = home.get_secret_value(SecretId="peccy-admin")["SecretString"]
    assert (json.loads(first)["username"], len(json.loads(first)["password"])) == (
        "platform_admin",
        32,
    )
    assert other.get_secret_value(SecretId="peccy-admin")["SecretString"] == first
    assert drifted(stacks, "s") == {}
    assert stacks.apply("seoul", "s", template(Secret=secret(Description="new"))) == CHANGED
    assert home.get_secret_value(SecretId="peccy-admin")["SecretString"] == first
    assert stacks.delete("seoul", "s") == GONE
    assert other.list_secrets()["SecretList"] == []


def test_a_secret_whose_replica_fails_fails_its_stack(stacks: Stacks) -> None:
    """A key that Tokyo has not; nothing is left."""
    lacking = secret()
    lacking["Properties"]["ReplicaRegions"] = [{"Region": TOKYO, "KmsKeyId": "alias/peccy"}]
    assert stacks.apply("seoul", "s", template(Secret=lacking)) == GONE
    assert stacks.world.aws("secretsmanager").list_secrets()["SecretList"] == []


def bucket(**properties: Any) -> dict[str, Any]:
    """A closed bucket."""
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return resource(
        "AWS::S3::Bucket",
        BucketName="reports",
        BucketEncryption={"ServerSideEncryptionConfiguration": [encryption]},
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        PublicAccessBlockConfiguration=dict.fromkeys(closed, True),
        VersioningConfiguration={"Status": "Enabled"},
        **properties,
    )


def test_a_bucket_is_as_its_template_says(stacks: Stacks) -> None:
    """Every property reaches S3, and is read back for drift; one that is dropped is taken away."""
    expiry = {"Id": "logs", "Status": "Enabled", "Prefix": "logs/", "ExpirationInDays": 90}
    lifecycle = {"Rules": [expiry]}
    policy = {"Version": "2012-10-17", "Statement": []}
    rules = resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=policy)
    tagged = bucket(LifecycleConfiguration=lifecycle, Tags=[{"Key": "a", "Value": "b"}])
    assert stacks.apply("seoul", "s", template(Bucket=tagged, Policy=rules)) == DONE
    s3 = stacks.world.aws("s3")
    found = s3.get_bucket_lifecycle_configuration(Bucket="reports")["Rules"]
    assert [one["Expiration"]["Days"] for one in found] == [90]
    assert drifted(stacks, "s") == {}
    s3.put_bucket_versioning(Bucket="reports", VersioningConfiguration={"Status": "Suspended"})
    assert drifted(stacks, "s") == {"Bucket": ["/VersioningConfiguration/Status"]}
    assert stacks.apply("seoul", "s", template(Bucket=bucket(), Policy=rules)) == CHANGED
    assert stacks.delete("seoul", "s") == GONE
    assert s3.list_buckets()["Buckets"] == []


def test_a_property_that_no_bucket_gets_here_is_refused(stacks: Stacks) -> None:
    """A bucket that is said to log, and does not, would be worse than none."""
    wanted = bucket(LoggingConfiguration={"LogFilePrefix": "s3/"})
    assert stacks.apply("seoul", "s", template(Bucket=wanted)) == GONE


def postgres(**properties: Any) -> dict[str, Any]:
    """A PostgreSQL instance by itself."""
    made = resource(
        "AWS::RDS::DBInstance",
        DBInstanceIdentifier="control",
        Engine="postgres",
        EngineVersion="17.6",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage="20",
        StorageType="gp3",
        MasterUsername="platform_admin",
        MasterUserPassword="long-enough",
        EnableCloudwatchLogsExports=["postgresql"],
        DeleteAutomatedBackups=False,
        **properties,
    )
    return made | {"DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot"}


def test_postgres_is_changed_at_once_and_leaves_a_snapshot(stacks: Stacks) -> None:
    """CloudFormation does not wait for a maintenance window."""
    assert stacks.apply("seoul", "s", template(Database=postgres())) == DONE
    assert drifted(stacks, "s") == {}
    more = postgres(MultiAZ=True, MaxAllocatedStorage=100, Port="5433")
    more["Properties"] |= {"AllocatedStorage": "40", "EnableCloudwatchLogsExports": ["upgrade"]}
    assert stacks.apply("seoul", "s", template(Database=more)) == CHANGED
    rds = stacks.world.aws("rds")
    (found,) = rds.describe_db_instances()["DBInstances"]
    assert (found["AllocatedStorage"], found["Endpoint"]["Port"]) == (40, 5433)
    assert found["EnabledCloudwatchLogsExports"] == ["upgrade"]
    assert "SecondaryAvailabilityZone" in found
    assert drifted(stacks, "s") == {}
    assert stacks.delete("seoul", "s") == GONE
    kept = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert [one["DBInstanceIdentifier"] for one in kept] == ["control"]
