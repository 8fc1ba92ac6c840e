"""Chatbot: one configuration a channel for the whole account, in workspaces that let AWS in."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.aws.stacks import StillWorld

ROLE = "arn:aws:iam::111122223333:role/chat"


@pytest.fixture
def client(still: StillWorld) -> Any:
    """Chatbot."""
    return still.aws("chatbot")


def channel(still: StillWorld, **more: Any) -> dict[str, Any]:
    """The channel of platform.yaml."""
    slack = still.platform.alerts.slack
    assert slack is not None
    return {
        "ConfigurationName": "peccy",
        "SlackTeamId": slack.workspace,
        "SlackChannelId": slack.channel,
        "IamRoleArn": ROLE,
        **more,
    }


def test_a_channel_is_configured_changed_and_gone(still: StillWorld, client: Any) -> None:
    """Its ARN names no Region."""
    made = client.create_slack_channel_configuration(**channel(still))["ChannelConfiguration"]
    arn = made["ChatConfigurationArn"]
    assert arn == "arn:aws:chatbot::111122223333:chat-configuration/slack-channel/peccy"
    assert (made["LoggingLevel"], made["SnsTopicArns"]) == ("NONE", [])
    topics = ["arn:aws:sns:ap-northeast-1:111122223333:alarms"]
    client.update_slack_channel_configuration(
        ChatConfigurationArn=arn, SlackChannelId=made["SlackChannelId"], SnsTopicArns=topics
    )
    (found,) = still.aws("chatbot", "tokyo").describe_slack_channel_configurations()[
        "SlackChannelConfigurations"
    ]
    assert (found["SnsTopicArns"], found["IamRoleArn"]) == (topics, ROLE)
    client.delete_slack_channel_configuration(ChatConfigurationArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.delete_slack_channel_configuration(ChatConfigurationArn=arn)
    assert client.describe_slack_channel_configurations()["SlackChannelConfigurations"] == []


def test_a_channel_has_one_configuration_in_an_account(still: StillWorld, client: Any) -> None:
    """Whichever Region asks for the second one."""
    client.create_slack_channel_configuration(**channel(still))
    tokyo = still.aws("chatbot", "tokyo")
    with pytest.raises(ClientError, match="has already been configured for AWS account"):
        tokyo.create_slack_channel_configuration(**channel(still, ConfigurationName="other"))
    with pytest.raises(ClientError, match="ConflictException"):
        tokyo.create_slack_channel_configuration(**channel(still, SlackChannelId="C1"))


def test_a_channel_cannot_be_moved_onto_another_ones(still: StillWorld, client: Any) -> None:
    """The same refusal."""
    client.create_slack_channel_configuration(**channel(still))
    other = channel(still, ConfigurationName="other", SlackChannelId="C1")
    arn = client.create_slack_channel_configuration(**other)["ChannelConfiguration"][
        "ChatConfigurationArn"
    ]
    with pytest.raises(ClientError, match="has already been configured for AWS account"):
        client.update_slack_channel_configuration(
            ChatConfigurationArn=arn, SlackChannelId=channel(still)["SlackChannelId"]
        )


def test_a_workspace_must_have_let_aws_in(still: StillWorld, client: Any) -> None:
    """A person did so for the one of platform.yaml."""
    (known,) = client.describe_slack_workspaces()["SlackWorkspaces"]
    assert known["SlackTeamId"] == channel(still)["SlackTeamId"]
    with pytest.raises(ClientError, match="has not been authorized"):
        client.create_slack_channel_configuration(**channel(still, SlackTeamId="T9"))


def test_tags_come_and_go(still: StillWorld, client: Any) -> None:
    """Under the names that only this service has for them."""
    made = client.create_slack_channel_configuration(
        **channel(still, Tags=[{"TagKey": "a", "TagValue": "1"}])
    )
    of = {"ResourceARN": made["ChannelConfiguration"]["ChatConfigurationArn"]}
    client.tag_resource(**of, Tags=[{"TagKey": "b", "TagValue": "2"}])
    client.untag_resource(**of, TagKeys=["a"])
    assert client.list_tags_for_resource(**of)["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
