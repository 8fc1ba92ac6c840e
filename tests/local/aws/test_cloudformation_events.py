"""What a stack operation tells, and how often a request counts."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stack_calls import (
    broken,
    created,
    updated,
)
from tests.local.aws.stacks import (
    Stacks,
    files,
    in_still_world,
    parameter,
    resource,
    template,
)


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def test_a_change_set_is_executed_once_for_its_token(stacks: Stacks) -> None:
    """Asking again is no error, with the same token; with another one it is."""
    client = stacks.client("seoul")
    planned = stacks.plan("seoul", "token", template(A=files()))
    key = {"ChangeSetName": planned["ChangeSetId"]}
    client.execute_change_set(**key, ClientRequestToken="t")
    client.execute_change_set(**key, ClientRequestToken="t")
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        client.execute_change_set(**key, ClientRequestToken="other")
    assert stacks.end("seoul", planned["StackId"]) == "CREATE_COMPLETE"
    events = client.describe_stack_events(StackName="token")["StackEvents"]
    assert {one.get("ClientRequestToken") for one in events[:-1]} == {"t"}
    state = client.describe_change_set(**key)
    assert state["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_change_set_is_begun_by_its_user(stacks: Stacks) -> None:
    """The stack's first events say so, as those of any request."""
    client = stacks.client("seoul")
    planned = stacks.plan("seoul", "begun", template(A=files()))
    assert stacks.describe("seoul", "begun")["StackStatusReason"] == "User Initiated"  # type: ignore[index]  # it is there
    client.execute_change_set(ChangeSetName=planned["ChangeSetId"])
    events = client.describe_stack_events(StackName="begun")["StackEvents"]
    told = [(one["ResourceStatus"], one["ResourceStatusReason"]) for one in reversed(events)]
    assert told == [
        ("REVIEW_IN_PROGRESS", "User Initiated"),
        ("CREATE_IN_PROGRESS", "User Initiated"),
    ]


def test_a_stack_has_no_empty_words(stacks: Stacks) -> None:
    """What it does not have, or not yet, is left out of its description."""
    body = template(A=files())
    body["Outputs"] = {"Id": {"Value": {"Ref": "A"}}}
    stacks.client("seoul").create_stack(StackName="bare", TemplateBody=json.dumps(body))
    running = stacks.describe("seoul", "bare")
    assert running is not None
    absent = {"Outputs", "Description", "Parameters", "Capabilities"}
    assert not running.keys() & absent
    assert stacks.end("seoul", "bare") == "CREATE_COMPLETE"
    ended = stacks.describe("seoul", "bare")
    assert ended is not None
    assert [one.keys() for one in ended["Outputs"]] == [{"OutputKey", "OutputValue"}]
    assert "StackStatusReason" not in ended
    assert ended["Tags"] == []


def test_a_request_is_taken_once_for_its_token(stacks: Stacks) -> None:
    """The same one again is no error and no second operation; another one with the token is."""
    client, body = stacks.client("seoul"), json.dumps(template(A=parameter("1", Name="a")))
    request = {"StackName": "once", "TemplateBody": body, "ClientRequestToken": "t"}
    first = client.create_stack(**request)
    assert client.create_stack(**request)["StackId"] == first["StackId"]
    with pytest.raises(ClientError, match="TokenAlreadyExistsException"):
        client.delete_stack(StackName="once", ClientRequestToken="t")
    assert stacks.end("seoul", first["StackId"]) == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        client.create_stack(**request | {"ClientRequestToken": "other"})


def test_iam_resources_need_a_capability(stacks: Stacks) -> None:
    """As AWS asks for it; nothing is begun without."""
    policy = {"Version": "2012-10-17", "Statement": []}
    body = template(Role=resource("AWS::IAM::Role", AssumeRolePolicyDocument=policy))
    with pytest.raises(ClientError, match="InsufficientCapabilities"):
        created(stacks, "iam", body)
    assert created(stacks, "iam", body, Capabilities=["CAPABILITY_IAM"]) == "CREATE_COMPLETE"


def test_events_are_paged_from_the_newest_back(stacks: Stacks) -> None:
    """A hundred a page, none twice; a token of somebody else is refused."""
    many = {f"P{number}": parameter("1", Name=f"p{number}") for number in range(40)}
    created(stacks, "many", {"Resources": many})
    client = stacks.client("seoul")
    first = client.describe_stack_events(StackName="many")
    rest = client.describe_stack_events(StackName="many", NextToken=first["NextToken"])
    assert len(first["StackEvents"]) == 100
    assert "NextToken" not in rest
    ids = [one["EventId"] for page in (first, rest) for one in page["StackEvents"]]
    assert len(ids) == len(set(ids)) == 122
    assert first["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="NextToken"):
        client.describe_stack_events(StackName="many", NextToken="bogus")


def test_operations_have_events_of_their_own(stacks: Stacks) -> None:
    """DescribeEvents tells one operation from the next, and failures from progress."""
    created(stacks, "story", template(A=parameter("1", Name="a")))
    updated(stacks, "story", template(A=parameter("2", Name="a"), B=broken() | {"DependsOn": "A"}))
    client = stacks.client("seoul")
    events = client.describe_events(StackName="story")["OperationEvents"]
    assert events[0]["OperationType"] == "UPDATE_STACK"
    failed = client.describe_events(StackName="story", Filters={"FailedEvents": True})
    assert [one["LogicalResourceId"] for one in failed["OperationEvents"]] == ["B"]
    assert failed["OperationEvents"][0]["EventType"] == "PROVISIONING_ERROR"
    same = client.describe_events(OperationId=events[0]["OperationId"])["OperationEvents"]
    assert {one["OperationId"] for one in same} == {events[0]["OperationId"]}
    assert same[-1]["ResourceStatus"] == "UPDATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="must be specified"):
        client.describe_events(ChangeSetName="a-name-without-a-stack")


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("create_stack", {"TemplateBody": "{}", "NotificationARNs": ["arn:aws:sns:r:1:t"]}),
        ("update_stack", {"TemplateBody": "{}", "StackPolicyURL": "https://s3/policy"}),
        ("create_stack", {"TemplateBody": "{}", "TimeoutInMinutes": 5}),
    ],
)
def test_what_is_not_there_says_so(stacks: Stacks, call: str, params: dict[str, Any]) -> None:
    """A parameter that would have no effect is refused, at once and clearly."""
    with pytest.raises(ClientError, match="not implemented by the local Regions"):
        getattr(stacks.client("seoul"), call)(StackName="any", **params)
