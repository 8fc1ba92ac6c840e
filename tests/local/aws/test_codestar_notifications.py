"""Notification rules: what they may be about, and whether their targets can be reached."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.aws.stacks import StillWorld

PIPELINE = "arn:aws:codepipeline:ap-northeast-2:111122223333:app"
FAILED = "codepipeline-pipeline-pipeline-execution-failed"


@pytest.fixture
def client(still: StillWorld) -> Any:
    """Notifications in Seoul."""
    return still.aws("codestar-notifications")


@pytest.fixture
def topic(still: StillWorld) -> str:
    """A topic that lets notifications in."""
    sns = still.aws("sns")
    arn = str(sns.create_topic(Name="deliveries")["TopicArn"])
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "codestar-notifications.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return arn


def rule(topic: str, **more: Any) -> dict[str, Any]:
    """A rule about a pipeline that fails."""
    return {
        "Name": "app",
        "EventTypeIds": [FAILED],
        "Resource": PIPELINE,
        "Targets": [{"TargetType": "SNS", "TargetAddress": topic}],
        "DetailType": "FULL",
        **more,
    }


def test_a_rule_is_made_changed_and_gone(client: Any, topic: str) -> None:
    """It is described with the names of its events."""
    arn = client.create_notification_rule(**rule(topic))["Arn"]
    found = client.describe_notification_rule(Arn=arn)
    assert found["EventTypes"] == [
        {
            "EventTypeId": FAILED,
            "ServiceName": "CodePipeline",
            "EventTypeName": "Pipeline execution: Failed",
            "ResourceType": "Pipeline",
        }
    ]
    assert (found["Status"], found["DetailType"]) == ("ENABLED", "FULL")
    client.update_notification_rule(Arn=arn, Status="DISABLED")
    assert client.describe_notification_rule(Arn=arn)["Status"] == "DISABLED"
    about = [{"Name": "RESOURCE", "Value": PIPELINE}]
    assert [
        one["Arn"] for one in client.list_notification_rules(Filters=about)["NotificationRules"]
    ] == [arn]
    other = [{"Name": "RESOURCE", "Value": PIPELINE + "x"}]
    assert client.list_notification_rules(Filters=other)["NotificationRules"] == []
    assert client.delete_notification_rule(Arn=arn) == {"Arn": arn}
    assert client.delete_notification_rule(Arn=arn) == {"Arn": arn}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.describe_notification_rule(Arn=arn)


def test_a_request_that_is_repeated_makes_one_rule(client: Any, topic: str) -> None:
    """By its token; the same name otherwise is refused."""
    first = client.create_notification_rule(**rule(topic), ClientRequestToken="t")
    assert client.create_notification_rule(**rule(topic), ClientRequestToken="t") == first
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        client.create_notification_rule(**rule(topic))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"EventTypeIds": ["codepipeline-pipeline-nothing"]}, "ValidationException"),
        ({"EventTypeIds": ["codebuild-project-build-state-failed"]}, "ValidationException"),
        ({"Resource": PIPELINE.replace("-2:", "-1:")}, "ValidationException"),
        ({"Targets": [{"TargetType": "Pigeon", "TargetAddress": "x"}]}, "ConfigurationException"),
    ],
)
def test_a_rule_that_could_never_fire_is_refused(
    client: Any, topic: str, changed: dict[str, Any], code: str
) -> None:
    """An event of another kind of resource, a resource of another Region, an unknown target."""
    with pytest.raises(ClientError, match=code):
        client.create_notification_rule(**rule(topic, **changed))


def test_a_target_is_reached_only_if_it_lets_the_service_in(
    still: StillWorld, client: Any, topic: str
) -> None:
    """A closed topic, one that is not there, and a channel that nobody configured are not."""
    closed = str(still.aws("sns").create_topic(Name="closed")["TopicArn"])
    slack = "arn:aws:chatbot::111122223333:chat-configuration/slack-channel/none"
    targets = [
        {"TargetType": "SNS", "TargetAddress": topic},
        {"TargetType": "SNS", "TargetAddress": closed},
        {"TargetType": "SNS", "TargetAddress": closed + "x"},
        {"TargetType": "AWSChatbotSlack", "TargetAddress": slack},
    ]
    client.create_notification_rule(**rule(topic, Targets=targets))
    found = client.list_targets()["Targets"]
    assert [one["TargetStatus"] for one in found] == ["ACTIVE", *["UNREACHABLE"] * 3]
    active = [{"Name": "TARGET_STATUS", "Value": "ACTIVE"}]
    assert len(client.list_targets(Filters=active)["Targets"]) == 1


def test_events_are_listed_by_kind(client: Any) -> None:
    """Those of pipelines and of builds."""
    of = [{"Name": "RESOURCE_TYPE", "Value": "Project"}]
    found = client.list_event_types(Filters=of)["EventTypes"]
    assert {one["ServiceName"] for one in found} == {"CodeBuild"}
    page = client.list_event_types(MaxResults=5)
    rest = client.list_event_types(MaxResults=100, NextToken=page["NextToken"])
    ids = [one["EventTypeId"] for one in page["EventTypes"] + rest["EventTypes"]]
    assert FAILED in ids
    assert len(ids) == len(set(ids))


def test_tags_come_and_go(client: Any, topic: str) -> None:
    """As a map."""
    arn = client.create_notification_rule(**rule(topic, Tags={"a": "1"}))["Arn"]
    client.tag_resource(Arn=arn, Tags={"b": "2"})
    client.untag_resource(Arn=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(Arn=arn)["Tags"] == {"b": "2"}
