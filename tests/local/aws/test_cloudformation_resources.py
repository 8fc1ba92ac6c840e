"""Resource types that ministack refuses, or makes in one Region only, live and die with their stack."""

from typing import Any

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.stacks import (
    CLUSTER,
    NOTHING_TO_DO,
    ROLE,
    Stacks,
    eks_cluster,
    in_still_world,
    network,
    resource,
    template,
)

OLD, NEW = "v1.36.0-eksbuild.2", "v1.36.1-eksbuild.2"  # of kube-proxy


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def test_what_may_enter_a_cluster_is_made_changed_and_removed(stacks: Stacks) -> None:
    """Add-ons, access entries and Pod Identity associations, through the API of EKS."""
    eks, policy = (
        stacks.world.aws("eks"),
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
    )

    def body(version: str, groups: list[str], role: str) -> dict[str, Any]:
        of = {"ClusterName": {"Ref": "Cluster"}}
        entry = {"PrincipalArn": ROLE, "KubernetesGroups": groups}
        policies = [{"PolicyArn": policy, "AccessScope": {"Type": "cluster"}}]
        account = {"Namespace": "web", "ServiceAccount": "web", "RoleArn": role}
        return template(
            **network(),
            Cluster=eks_cluster(),
            Addon=resource("AWS::EKS::Addon", AddonName="kube-proxy", AddonVersion=version, **of),
            Entry=resource("AWS::EKS::AccessEntry", AccessPolicies=policies, **entry, **of),
            Pods=resource("AWS::EKS::PodIdentityAssociation", **account, **of),
        )

    def seen() -> tuple[str, list[str], str]:
        addon = eks.describe_addon(clusterName=CLUSTER, addonName="kube-proxy")["addon"]
        entry = eks.describe_access_entry(clusterName=CLUSTER, principalArn=ROLE)["accessEntry"]
        found = eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"][0]
        pods = eks.describe_pod_identity_association(
            clusterName=CLUSTER, associationId=found["associationId"]
        )["association"]
        return addon["addonVersion"], entry["kubernetesGroups"], pods["roleArn"]

    assert stacks.apply("seoul", "doors", body(OLD, ["a"], ROLE)) == "CREATE_COMPLETE"
    assert seen() == (OLD, ["a"], ROLE)
    assert stacks.apply("seoul", "doors", body(NEW, ["b"], ROLE + "2")) == "UPDATE_COMPLETE"
    assert seen() == (NEW, ["b"], ROLE + "2")
    assert stacks.apply("seoul", "doors", body(NEW, ["b"], ROLE + "2")) == NOTHING_TO_DO
    assert (
        stacks.apply("seoul", "doors", template(**network(), Cluster=eks_cluster()))
        == "UPDATE_COMPLETE"
    )
    assert eks.list_addons(clusterName=CLUSTER)["addons"] == []
    assert ROLE not in eks.list_access_entries(clusterName=CLUSTER)["accessEntries"]


def test_a_zones_way_out_is_made_tagged_and_released(stacks: Stacks) -> None:
    """Address and gateway live and die with the stack."""
    ec2 = stacks.world.aws("ec2", "tokyo")

    def body(name: str) -> dict[str, Any]:
        tags = [{"Key": "Name", "Value": name}]
        allocation = {"Fn::GetAtt": ["Address", "AllocationId"]}
        return template(
            **network("ap-northeast-1"),
            Internet=resource("AWS::EC2::InternetGateway"),
            Door=resource(
                "AWS::EC2::VPCGatewayAttachment",
                VpcId={"Ref": "Vpc"},
                InternetGatewayId={"Ref": "Internet"},
            ),
            Address=resource("AWS::EC2::EIP", Domain="vpc", Tags=tags),
            Gateway=resource(
                "AWS::EC2::NatGateway",
                SubnetId={"Ref": "SubnetA"},
                AllocationId=allocation,
                Tags=tags,
            )
            | {"DependsOn": "Door"},
        )

    def names() -> list[str]:
        gateways = ec2.describe_nat_gateways(Filter=[{"Name": "state", "Values": ["available"]}])[
            "NatGateways"
        ]
        found = ec2.describe_addresses()["Addresses"] + gateways
        return [tag["Value"] for one in found for tag in one["Tags"] if tag["Key"] == "Name"]

    assert stacks.apply("tokyo", "way-out", body("one")) == "CREATE_COMPLETE"
    assert names() == ["one", "one"]
    assert stacks.apply("tokyo", "way-out", body("two")) == "UPDATE_COMPLETE"
    assert names() == ["two", "two"]
    assert stacks.delete("tokyo", "way-out") == "DELETE_COMPLETE"
    assert names() == []


def test_a_health_check_changes_in_place_but_for_its_interval(stacks: Stacks) -> None:
    """A new interval needs a new check; the old one goes."""
    route53 = stacks.world.aws("route53")

    def body(interval: int, looks: int) -> dict[str, Any]:
        config = {
            "Type": "HTTP",
            "FullyQualifiedDomainName": "changes.example.com",
            "ResourcePath": "/",
            "RequestInterval": interval,
            "FailureThreshold": looks,
        }
        check = resource("AWS::Route53::HealthCheck", HealthCheckConfig=config)
        return template(Check=check) | {"Outputs": {"Id": {"Value": {"Ref": "Check"}}}}

    def ids() -> set[str]:
        return {
            one["Id"]
            for one in route53.list_health_checks()["HealthChecks"]
            if one["HealthCheckConfig"]["FullyQualifiedDomainName"] == "changes.example.com"
        }

    stacks.apply("seoul", "check", body(30, 3))
    first = stacks.outputs("seoul", "check")["Id"]
    assert stacks.apply("seoul", "check", body(30, 5)) == "UPDATE_COMPLETE"
    assert stacks.outputs("seoul", "check")["Id"] == first
    changed = route53.get_health_check(HealthCheckId=first)["HealthCheck"]["HealthCheckConfig"]
    assert changed["FailureThreshold"] == 5
    assert stacks.apply("seoul", "check", body(10, 5)) == "UPDATE_COMPLETE"
    assert ids() == {stacks.outputs("seoul", "check")["Id"]} != {first}


def _table(**replica: Any) -> dict[str, Any]:
    return resource(
        "AWS::DynamoDB::GlobalTable",
        TableName="strong",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        MultiRegionConsistency="STRONG",
        Replicas=[{"Region": name, **replica} for name in ("ap-northeast-2", "ap-northeast-1")],
        GlobalTableWitnesses=[{"Region": "ap-northeast-3"}],
    )


def test_a_global_table_is_one_in_both_regions(stacks: Stacks) -> None:
    """Written in one Region and read in the other; recovery is set for each replica."""
    recovery = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    assert stacks.apply("seoul", "strong", template(It=_table())) == "CREATE_COMPLETE"
    assert stacks.apply("seoul", "strong", template(It=_table(**recovery))) == "UPDATE_COMPLETE"
    seoul, tokyo = (stacks.world.aws("dynamodb", alias) for alias in ("seoul", "tokyo"))
    seoul.put_item(TableName="strong", Item={"pk": {"S": "epoch"}})
    assert tokyo.get_item(TableName="strong", Key={"pk": {"S": "epoch"}}, ConsistentRead=True)[
        "Item"
    ]
    backups = tokyo.describe_continuous_backups(TableName="strong")["ContinuousBackupsDescription"]
    recovery_state = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    assert recovery_state == "ENABLED"


def test_a_global_table_goes_with_its_stack_by_way_of_an_ordinary_one(stacks: Stacks) -> None:
    """No replica can be deleted alone: the others go together, and then the table that is left."""
    assert stacks.apply("seoul", "strong", template(It=_table())) == "CREATE_COMPLETE"
    seoul, tokyo = (stacks.world.aws("dynamodb", alias) for alias in ("seoul", "tokyo"))
    stacks.client("seoul").delete_stack(StackName="strong")
    stacks.wait(5)
    assert tokyo.describe_table(TableName="strong")["Table"]["TableStatus"] == "DELETING"
    assert seoul.describe_table(TableName="strong")["Table"]["TableStatus"] == "UPDATING"
    stacks.wait(120)
    assert stacks.describe("seoul", "strong") is None
    assert seoul.list_tables()["TableNames"] == tokyo.list_tables()["TableNames"] == []


def test_a_protected_global_table_stays_whole(stacks: Stacks) -> None:
    """Its stack cannot be deleted, and nothing is taken from it on the way."""
    body = template(It=_table(DeletionProtectionEnabled=True))
    assert stacks.apply("seoul", "strong", body) == "CREATE_COMPLETE"
    assert stacks.delete("seoul", "strong") == "DELETE_FAILED"
    table = stacks.world.aws("dynamodb").describe_table(TableName="strong")["Table"]
    assert [one["ReplicaStatus"] for one in table["Replicas"]] == ["ACTIVE", "ACTIVE"]


def test_subnets_are_in_the_zones_that_the_region_has(stacks: Stacks) -> None:
    """Of Tokyo, an account of today does not see the zone b; Fn::GetAZs does not tell it."""
    body = template(
        **network("ap-northeast-1"),
        Other=resource(
            "AWS::EC2::Subnet",
            VpcId={"Ref": "Vpc"},
            CidrBlock="10.9.7.0/24",
            AvailabilityZone={"Fn::Select": [1, {"Fn::GetAZs": ""}]},
        ),
    )
    body["Outputs"] = {"Zone": {"Value": {"Fn::GetAtt": ["Other", "AvailabilityZone"]}}}
    assert stacks.apply("tokyo", "zones", body) == "CREATE_COMPLETE"
    assert stacks.outputs("tokyo", "zones") == {"Zone": "ap-northeast-1c"}
    body["Resources"]["Other"]["Properties"]["AvailabilityZone"] = "ap-northeast-1b"
    stack = stacks.describe("tokyo", "zones")
    assert stack is not None
    assert stacks.apply("tokyo", "zones", body) == "UPDATE_ROLLBACK_COMPLETE"
    reason = stacks.failures("tokyo", stack["StackId"])["Other"]
    assert "ap-northeast-1a, ap-northeast-1c, ap-northeast-1d" in reason


def test_an_eventually_consistent_global_table_is_refused(stacks: Stacks) -> None:
    """Two Regions could both take the next epoch: it would be no ledger."""
    table = _table()
    del table["Properties"]["MultiRegionConsistency"]
    table["Properties"]["TableName"] = "weak"
    assert stacks.apply("seoul", "weak", template(It=table)) == "DELETE_COMPLETE"


def test_the_registrys_rules_end_with_the_stack(stacks: Stacks) -> None:
    """Replication is configuration of the whole registry."""
    destination = {"Region": "ap-northeast-1", "RegistryId": "111122223333"}
    rules = {"Rules": [{"Destinations": [destination]}]}
    it = resource("AWS::ECR::ReplicationConfiguration", ReplicationConfiguration=rules)
    assert stacks.apply("seoul", "copies", template(It=it)) == "CREATE_COMPLETE"
    described = stacks.world.aws("ecr").describe_registry()["replicationConfiguration"]["rules"]
    assert described[0]["destinations"][0]["region"] == "ap-northeast-1"
    assert stacks.delete("seoul", "copies") == "DELETE_COMPLETE"
    assert stacks.world.aws("ecr").describe_registry()["replicationConfiguration"]["rules"] == []
