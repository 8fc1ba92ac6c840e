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
    told = r"Stack \[protected\] cannot be deleted while TerminationProtection is enabled"
    with pytest.raises(ClientError, match=told):
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


def test_a_change_set_takes_a_moment(stacks: Stacks) -> None:
    """Until it is computed it shows nothing, and cannot be executed."""
    client = stacks.client("seoul")
    made = stacks.draft("seoul", "moment", template(Global=global_cluster("moment")))
    described = client.describe_change_set(ChangeSetName=made["Id"])
    assert (described["Status"], described["ExecutionStatus"]) == (
        "CREATE_IN_PROGRESS",
        "UNAVAILABLE",
    )
    assert described["Changes"] == []
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        client.execute_change_set(ChangeSetName=made["Id"])
    planned = stacks.planned("seoul", made["Id"])
    assert (planned["Status"], planned["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")


def test_the_same_request_makes_one_change_set(stacks: Stacks) -> None:
    """By its token; without one the name is taken."""
    body, name = template(Global=global_cluster("same")), {"ChangeSetName": "c"}
    first = stacks.draft("seoul", "same", body, **name, ClientToken="t")
    again = {**name, "ChangeSetType": "CREATE"}
    assert stacks.draft("seoul", "same", body, **again, ClientToken="t") == first
    with pytest.raises(ClientError, match="AlreadyExists"):
        stacks.draft("seoul", "same", body, **again)


def test_a_nested_value_has_a_detail_of_its_own(stacks: Stacks) -> None:
    """By its path, with what it was and what it will be."""

    def body(**tags: str) -> dict[str, Any]:
        found = [{"Key": key, "Value": value} for key, value in tags.items()]
        files = resource("AWS::EFS::FileSystem", Encrypted=True, FileSystemTags=found)
        return template(Files=files)

    stacks.apply("seoul", "nested", body(Name="a", team="x"))
    planned = stacks.plan("seoul", "nested", body(Name="a", team="y"))
    (detail,) = change_of(planned, "Files")["Details"]
    target = detail["Target"]
    assert (target["Name"], target["Path"]) == (
        "FileSystemTags",
        "/Properties/FileSystemTags/1/Value",
    )
    assert (target["BeforeValue"], target["AfterValue"]) == ("x", "y")
    assert target["AttributeChangeType"] == "Modify"


def test_wrong_properties_fail_the_change_set_before_anything_is_made(stacks: Stacks) -> None:
    """The reason is in DescribeEvents only."""
    body = template(It=resource("AWS::EFS::AccessPoint", Bogus="1"))
    planned = stacks.plan("seoul", "wrong", body)
    assert planned["Status"] == "FAILED"
    assert "AWS::EarlyValidation::PropertyValidation" in planned["StatusReason"]
    events = stacks.client("seoul").describe_events(
        ChangeSetName=planned["ChangeSetId"], Filters={"FailedEvents": True}
    )["OperationEvents"]
    assert [(one["ValidationPath"], one["ValidationStatusReason"]) for one in events] == [
        ("/Resources/It/Properties/Bogus", "Unsupported property [Bogus]"),
        ("/Resources/It/Properties", "Required property [FileSystemId] not found"),
    ]
    assert {one["EventType"] for one in events} == {"VALIDATION_ERROR"}


def test_a_name_that_is_taken_fails_the_change_set(stacks: Stacks) -> None:
    """What somebody made by hand is not overwritten."""
    stacks.world.aws("ecr").create_repository(repositoryName="taken")
    body = template(It=resource("AWS::ECR::Repository", RepositoryName="taken"))
    planned = stacks.plan("seoul", "conflict", body)
    assert "AWS::EarlyValidation::ResourceExistenceCheck" in planned["StatusReason"]
    (event,) = stacks.client("seoul").describe_events(ChangeSetName=planned["ChangeSetId"])[
        "OperationEvents"
    ]
    assert event["ValidationStatusReason"] == (
        "Resource of type 'AWS::ECR::Repository' with identifier 'taken' already exists."
    )


def test_validation_may_be_disabled(stacks: Stacks) -> None:
    """The creation fails then, instead of the change set."""
    stacks.world.aws("ecr").create_repository(repositoryName="taken")
    body = template(It=resource("AWS::ECR::Repository", RepositoryName="taken"))
    end = stacks.apply("seoul", "anyway", body, DisableValidation=True)
    assert end == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    "more",
    [
        {"ChangeSetType": "IMPORT", "ResourcesToImport": []},
        {"ImportExistingResources": True},
        {"IncludeNestedStacks": True},
    ],
    ids=lambda more: next(iter(more)),
)
def test_imports_and_nested_stacks_are_not_there(stacks: Stacks, more: dict[str, Any]) -> None:
    """Said at once."""
    body = template(It=resource("AWS::EFS::FileSystem"))
    with pytest.raises(ClientError, match="not implemented by the local Regions"):
        stacks.draft("seoul", "import", body, **more)
