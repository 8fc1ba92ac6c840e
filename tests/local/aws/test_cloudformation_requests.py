"""What stands around a stack operation: its role, where its template is, its other change sets."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stack_calls import LOGIN, begun, created, fault, updated
from tests.local.aws.stacks import Stacks, in_still_world, member, parameter, resource, template

REGION = "ap-northeast-2"
ALLOW = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def role(stacks: Stacks, name: str, service: str = "cloudformation.amazonaws.com") -> str:
    """A role that lets a service in; its ARN."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = stacks.world.aws("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


def in_s3(stacks: Stacks, body: dict[str, Any], bucket: str = "templates") -> str:
    """Put a template into a bucket of Seoul; its URL."""
    s3 = stacks.world.aws("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="a/b.json", Body=json.dumps(body).encode())
    return f"https://{bucket}.s3.{REGION}.amazonaws.com/a/b.json"


# Roles


def test_a_stack_keeps_the_role_that_it_was_given(stacks: Stacks) -> None:
    """Change sets name it once; it is shown, and used for all that follows."""
    arn = role(stacks, "stacks")
    body = template(A=parameter("1", Name="kept-role"))
    assert stacks.apply("seoul", "kept", body, RoleARN=arn) == "CREATE_COMPLETE"
    described = stacks.describe("seoul", "kept")
    assert described is not None
    assert described["RoleARN"] == arn
    stacks.world.aws("iam").delete_role(RoleName="stacks")
    with pytest.raises(ClientError, match=f"Role {arn} is invalid or cannot be assumed"):
        stacks.client("seoul").delete_stack(StackName="kept")


def test_a_role_must_be_there_and_trust_cloudformation(stacks: Stacks) -> None:
    """Else nothing is begun."""
    body = json.dumps(template(A=parameter("1")))
    for arn in (
        "arn:aws:iam::111122223333:role/nobody",
        role(stacks, "nodes", "ec2.amazonaws.com"),
    ):
        with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
            stacks.client("seoul").create_stack(StackName="any", TemplateBody=body, RoleARN=arn)
    assert stacks.describe("seoul", "any") is None


# Templates in S3


def test_a_template_may_be_read_from_s3(stacks: Stacks) -> None:
    """Also one that is too large for a call."""
    body = template(A=parameter("1", Name="large")) | {"Metadata": {"filler": "x" * 60_000}}
    with pytest.raises(ClientError, match="less than or equal to 51200"):
        stacks.draft("seoul", "large", body)
    url = in_s3(stacks, body)
    made = stacks.client("seoul").create_change_set(
        StackName="large", ChangeSetName="one", ChangeSetType="CREATE", TemplateURL=url
    )
    stacks.planned("seoul", made["Id"])
    stacks.client("seoul").execute_change_set(ChangeSetName=made["Id"])
    assert stacks.end("seoul", made["StackId"]) == "CREATE_COMPLETE"
    kept = stacks.client("seoul").get_template(StackName="large")["TemplateBody"]
    assert json.loads(kept) == body
    assert stacks.client("seoul").validate_template(TemplateURL=url)["Parameters"] == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://templates.s3.ap-northeast-2.amazonaws.com/a/b.json", "must be a supported URL"),
        ("https://example.com/a/b.json", "must be a supported URL"),
        ("https://nobody.s3.ap-northeast-2.amazonaws.com/a", "The specified bucket does not exist"),
        ("https://templates.s3.ap-northeast-2.amazonaws.com/c", "The specified key does not exist"),
        ("https://templates.s3.ap-northeast-1.amazonaws.com/a/b.json", "in this region: ap-n"),
        ("https://s3.ap-northeast-2.amazonaws.com/templates", "must reference a valid S3 object"),
    ],
)
def test_what_s3_does_not_give_is_refused(stacks: Stacks, url: str, words: str) -> None:
    """With what S3 said."""
    in_s3(stacks, template(A=parameter("1")))
    with pytest.raises(ClientError, match=words):
        stacks.client("seoul").create_stack(StackName="any", TemplateURL=url)


def test_a_template_over_a_megabyte_is_refused(stacks: Stacks) -> None:
    """CloudFormation reads no more."""
    url = in_s3(stacks, template(A=parameter("1")) | {"Metadata": {"filler": "x" * 1_000_000}})
    with pytest.raises(ClientError, match="may not exceed 1000000 bytes"):
        stacks.client("seoul").create_stack(StackName="any", TemplateURL=url)


# Change sets beside each other


def test_one_that_is_executed_makes_the_others_obsolete(stacks: Stacks) -> None:
    """They cannot be executed any longer, and are gone when it has ended."""
    body = template(A=parameter("1", Name="beside"))
    assert stacks.apply("seoul", "beside", body) == "CREATE_COMPLETE"
    one, other = (
        stacks.plan("seoul", "beside", template(A=parameter(value, Name="beside")))["ChangeSetId"]
        for value in ("2", "3")
    )
    client = stacks.client("seoul")
    listed = client.list_change_sets(StackName="beside")["Summaries"]
    assert {one["ChangeSetId"]: one["ExecutionStatus"] for one in listed} == {
        listed[0]["ChangeSetId"]: "EXECUTE_COMPLETE",
        one: "AVAILABLE",
        other: "AVAILABLE",
    }
    client.execute_change_set(ChangeSetName=one)
    assert client.describe_change_set(ChangeSetName=other)["ExecutionStatus"] == "OBSOLETE"
    with pytest.raises(ClientError, match=r"current execution status of \[OBSOLETE\]"):
        client.execute_change_set(ChangeSetName=other)
    assert stacks.end("seoul", "beside") == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_change_set(ChangeSetName=other)


def test_an_update_without_one_makes_them_obsolete_too(stacks: Stacks) -> None:
    """These stay, and can still be read."""
    assert created(stacks, "direct", template(A=parameter("1", Name="direct"))) == "CREATE_COMPLETE"
    kept = stacks.plan("seoul", "direct", template(A=parameter("2", Name="direct")))["ChangeSetId"]
    assert updated(stacks, "direct", template(A=parameter("3", Name="direct"))) == "UPDATE_COMPLETE"
    described = stacks.client("seoul").describe_change_set(ChangeSetName=kept)
    assert described["ExecutionStatus"] == "OBSOLETE"
    assert described["Changes"]


def test_one_that_is_not_complete_is_not_executed(stacks: Stacks) -> None:
    """It says in which state it is."""
    made = stacks.draft("seoul", "early", template(A=parameter("1", Name="early")))
    with pytest.raises(ClientError, match=r"in its current status of \[CREATE_IN_PROGRESS\]"):
        stacks.client("seoul").execute_change_set(ChangeSetName=made["Id"])


def test_a_shell_stays_the_same_stack_for_its_next_change_set(stacks: Stacks) -> None:
    """Its change sets are listed together; the second one fills it."""
    body = template(A=parameter("1", Name="shell"))
    first = stacks.plan("seoul", "shell", body)
    second = stacks.plan("seoul", "shell", body, ChangeSetType="CREATE", OnStackFailure="DELETE")
    assert first["StackId"] == second["StackId"]
    client = stacks.client("seoul")
    assert len(client.list_change_sets(StackName=first["StackId"])["Summaries"]) == 2
    shell = stacks.describe("seoul", "shell")
    assert shell is not None
    assert "LastUpdatedTime" not in shell
    client.execute_change_set(ChangeSetName=second["ChangeSetId"])
    assert stacks.end("seoul", first["StackId"]) == "CREATE_COMPLETE"


def test_a_request_that_fails_leaves_a_shell_as_it_was(stacks: Stacks) -> None:
    """Its first change set can still be executed."""
    first = stacks.plan("seoul", "shell", template(A=parameter("1", Name="as-it-was")))
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stacks.draft(
            "seoul", "shell", template(A=resource("AWS::No::Such")), ChangeSetType="CREATE"
        )
    stacks.client("seoul").execute_change_set(ChangeSetName=first["ChangeSetId"])
    assert stacks.end("seoul", first["StackId"]) == "CREATE_COMPLETE"


def test_what_was_rolled_back_must_be_deleted_before_it_is_made_again(stacks: Stacks) -> None:
    """By a change set and by one call."""
    broken = template(A=resource("AWS::EFS::AccessPoint", FileSystemId="fs-00000000000000000"))
    assert created(stacks, "again", broken) == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="cannot be created again with the changeSet"):
        stacks.draft("seoul", "again", broken, ChangeSetType="CREATE")
    with pytest.raises(ClientError, match="can not be updated"):
        stacks.draft("seoul", "again", broken)
    with pytest.raises(ClientError, match=r"Stack \[again\] already exists"):
        stacks.client("seoul").create_stack(StackName="again", TemplateBody=json.dumps(broken))


# What a stack remembers


def test_only_what_was_updated_has_a_time_of_its_last_update(stacks: Stacks) -> None:
    """CreateStack is no update; a change set is one, also if it creates the stack."""
    created(stacks, "by-call", template(A=parameter("1", Name="by-call")))
    stacks.apply("seoul", "by-set", template(A=parameter("1", Name="by-set")))
    by_call, by_set = (stacks.describe("seoul", name) for name in ("by-call", "by-set"))
    assert by_call is not None
    assert by_set is not None
    assert "LastUpdatedTime" not in by_call
    assert by_set["LastUpdatedTime"] > by_set["CreationTime"]
    updated(stacks, "by-call", template(A=parameter("2", Name="by-call")))
    again = stacks.describe("seoul", "by-call")
    assert again is not None
    assert again["LastUpdatedTime"] > again["CreationTime"]
    listed = stacks.client("seoul").list_stacks()["StackSummaries"]
    assert {one["StackName"] for one in listed if "LastUpdatedTime" in one} == {"by-call", "by-set"}


def test_a_stack_policy_stops_a_change_set_and_can_be_lifted(stacks: Stacks) -> None:
    """A replacement that it denies rolls the update back; what it allows goes through."""
    body = template(Data=member("policed", **LOGIN))
    assert stacks.apply("seoul", "policed", body) == "CREATE_COMPLETE"
    client = stacks.client("seoul")
    deny = {
        "Effect": "Deny",
        "Action": ["Update:Replace", "Update:Delete"],
        "Principal": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"ResourceType": ["AWS::RDS::DBCluster"]}},
    }
    policy = {"Statement": [ALLOW, deny]}
    client.set_stack_policy(StackName="policed", StackPolicyBody=json.dumps(policy))
    kept = client.get_stack_policy(StackName="policed")["StackPolicyBody"]
    assert json.loads(kept) == policy
    edited = template(Data=member("policed-2", **LOGIN))
    planned = stacks.plan("seoul", "policed", edited)
    client.execute_change_set(ChangeSetName=planned["ChangeSetId"])
    assert stacks.end("seoul", planned["StackId"]) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Action denied by stack policy" in stacks.failures("seoul", planned["StackId"])["Data"]
    harmless = template(Data=member("policed", BackupRetentionPeriod=9, **LOGIN))
    assert stacks.apply("seoul", "policed", harmless) == "UPDATE_COMPLETE"
    lifted = json.dumps({"Statement": [ALLOW]})
    client.set_stack_policy(StackName="policed", StackPolicyBody=lifted)
    assert stacks.apply("seoul", "policed", edited) == "UPDATE_COMPLETE"


def test_a_rollback_goes_on_with_another_role_and_without_some_resources(stacks: Stacks) -> None:
    """ResourcesToSkip are left as they are; the role is the stack's from then on."""
    body = template(A=parameter("1", Name="ra"), B=parameter("1", Name="rb"))
    assert created(stacks, "stuck", body) == "CREATE_COMPLETE"
    broken = resource("AWS::EFS::AccessPoint", FileSystemId="fs-00000000000000000")
    new = template(A=parameter("2", Name="ra"), B=parameter("1", Name="rb"))
    new["Resources"]["C"] = broken | {"DependsOn": "A"}
    stack_id = begun(stacks, "stuck", new)
    while ("A", "UPDATE_COMPLETE") not in stacks.events("seoul", "stuck"):
        stacks.wait(1.0)
    mend = fault(stacks, "stuck/A", "failed")
    assert stacks.end("seoul", stack_id) == "UPDATE_ROLLBACK_FAILED"
    mend()
    arn = role(stacks, "other")
    client = stacks.client("seoul")
    client.continue_update_rollback(StackName="stuck", ResourcesToSkip=["A"], RoleARN=arn)
    assert stacks.end("seoul", stack_id) == "UPDATE_ROLLBACK_COMPLETE"
    described = stacks.describe("seoul", "stuck")
    assert described is not None
    assert described["RoleARN"] == arn
