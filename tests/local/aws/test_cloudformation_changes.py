"""Change sets say what will happen, and stacks end as on AWS."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stacks import (
    Stacks,
    change_of,
    global_cluster,
    in_still_world,
    member,
    resource,
    template,
)


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def _target(planned: dict[str, Any], name: str, property_: str) -> dict[str, Any]:
    details = change_of(planned, name)["Details"]
    target: dict[str, Any] = next(
        one["Target"] for one in details if one["Target"].get("Name") == property_
    )
    return target


def test_an_unknown_type_is_refused_before_anything_is_made(stacks: Stacks) -> None:
    """As AWS does, when the change set is created; no stack is left behind."""
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::FIS::Nonsense\]"):
        stacks.plan("seoul", "unknown", template(It=resource("AWS::FIS::Nonsense")))
    assert stacks.describe("seoul", "unknown") is None


def test_a_first_create_that_fails_leaves_nothing(stacks: Stacks) -> None:
    """OnStackFailure=DELETE: the stack is gone, its resources too, and the events say why."""
    body = template(
        Global=global_cluster("half-made"),
        Cluster=member("half-made-1", GlobalClusterIdentifier="no-such-global-cluster"),
    )
    body["Resources"]["Cluster"]["DependsOn"] = "Global"
    planned = stacks.plan("seoul", "half-made", body)
    stacks.client("seoul").execute_change_set(ChangeSetName=planned["ChangeSetId"])
    assert stacks.end("seoul", planned["StackId"]) == "DELETE_COMPLETE"
    reasons = stacks.failures("seoul", planned["StackId"])
    assert "no-such-global-cluster" in reasons["Cluster"]
    assert stacks.describe("seoul", "half-made") is None
    clusters = stacks.world.aws("rds").describe_global_clusters()["GlobalClusters"]
    assert "half-made" not in {one["GlobalClusterIdentifier"] for one in clusters}


def test_values_before_and_after_are_in_the_plan(stacks: Stacks) -> None:
    """With IncludePropertyValues a reader sees what changes to what."""
    stacks.apply(
        "seoul", "values", template(Global=global_cluster("values", DeletionProtection=True))
    )
    planned = stacks.plan(
        "seoul", "values", template(Global=global_cluster("values", DeletionProtection=False))
    )
    target = _target(planned, "Global", "DeletionProtection")
    assert target["Path"] == "/Properties/DeletionProtection"
    assert (target["BeforeValue"], target["AfterValue"]) == ("true", "false")
    assert target["AttributeChangeType"] == "Modify"
    change = change_of(planned, "Global")
    assert change["Replacement"] == "False"
    assert json.loads(change["BeforeContext"])["Properties"]["DeletionProtection"] is True
    assert json.loads(change["AfterContext"])["Properties"]["DeletionProtection"] is False


def test_the_plan_of_a_new_stack_says_what_is_not_known_yet(stacks: Stacks) -> None:
    """A reference to what is only going to be made reads as on AWS; there is no "before"."""
    body = template(
        Address=resource("AWS::EC2::EIP", Domain="vpc"),
        Gateway=resource(
            "AWS::EC2::NatGateway",
            SubnetId="subnet-1",
            AllocationId={"Fn::GetAtt": ["Address", "AllocationId"]},
        ),
    )
    change = change_of(stacks.plan("seoul", "not-yet", body), "Gateway")
    assert json.loads(change["AfterContext"])["Properties"] == {
        "SubnetId": "subnet-1",
        "AllocationId": "{{changeSet:KNOWN_AFTER_APPLY}}",
    }
    assert "BeforeContext" not in change


def test_a_plan_shows_the_reference_and_never_the_secret(stacks: Stacks) -> None:
    """Dynamic references stay what they are in a change set."""
    stacks.world.aws("secretsmanager").create_secret(
        Name="shown", SecretString='{"password":"hunter22"}'
    )
    reference = "{{resolve:secretsmanager:shown:SecretString:password}}"
    login = {"MasterUsername": "root", "MasterUserPassword": reference}
    stacks.apply("seoul", "secret", template(It=member("secret", **login)))
    planned = stacks.plan(
        "seoul", "secret", template(It=member("secret", BackupRetentionPeriod=9, **login))
    )
    change = change_of(planned, "It")
    assert json.loads(change["BeforeContext"])["Properties"]["MasterUserPassword"] == reference
    assert "hunter22" not in json.dumps(planned, default=str)


def test_without_the_flag_a_plan_has_no_values(stacks: Stacks) -> None:
    """Values are asked for."""
    planned = stacks.plan("seoul", "plain", template(Global=global_cluster("plain")))
    described = stacks.client("seoul").describe_change_set(ChangeSetName=planned["ChangeSetId"])
    assert "AfterContext" not in change_of(described, "Global")


def test_a_protected_stack_is_not_deleted(stacks: Stacks) -> None:
    """Termination protection, as on every stack that holds data."""
    stacks.apply("seoul", "protected", template(Global=global_cluster("protected")))
    client = stacks.client("seoul")
    client.update_termination_protection(StackName="protected", EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        client.delete_stack(StackName="protected")


def test_a_made_up_name_is_kept_over_updates(stacks: Stacks) -> None:
    """A resource without a name gets one of the stack's and its own, once."""
    body = template(Files=resource("AWS::RDS::GlobalCluster", Engine="aurora-mysql"))
    body["Outputs"] = {"Id": {"Value": {"Ref": "Files"}}}
    stacks.apply("seoul", "nameless", body)
    name = stacks.outputs("seoul", "nameless")["Id"]
    assert name.startswith("nameless-files-")
    body["Resources"]["Files"]["Properties"]["DeletionProtection"] = True
    assert stacks.apply("seoul", "nameless", body) == "UPDATE_COMPLETE"
    assert stacks.outputs("seoul", "nameless")["Id"] == name
