"""The resource types of who hears of the pipelines, and of where their code is: CodeConnections'
connections, notification rules, and Chatbot's Slack channels."""

from typing import Any

from platform_pipelines.local.aws.answers import tag_map
from platform_pipelines.local.aws.cloudformation_mirror import mirrored
from platform_pipelines.local.aws.cloudformation_retag import retag, tags_for
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    parameters,
)
from platform_pipelines.local.aws.service import Fault, Params


class Connection(ResourceType):
    """AWS::CodeConnections::Connection: Ref is the ARN. It is made although it is PENDING."""

    name = "AWS::CodeConnections::Connection"
    create_only = ("ConnectionName", "ProviderType", "HostArn")
    reads = frozenset({"ConnectionName", "ProviderType"})

    def create(self, props: Properties) -> Made:
        params = parameters("codeconnections", "CreateConnection", props)
        arn = self.call("codeconnections", "CreateConnection", params)["ConnectionArn"]
        return _made_connection(self._found(arn))

    def update(self, one: Existing, new: Properties) -> Made:
        before, after = one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "codeconnections", {"ResourceArn": one.id}, before, after)
        return _made_connection(self._found(one.id))

    def delete(self, one: Existing) -> None:
        self.call("codeconnections", "DeleteConnection", {"ConnectionArn": one.id})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        actual = {name: found[name] for name in self.reads}
        return Look(condition=Condition.READY, made=_made_connection(found), actual=actual)

    def _found(self, arn: str) -> dict[str, Any]:
        asked = {"ConnectionArn": arn}
        return dict(self.call("codeconnections", "GetConnection", asked)["Connection"])


def _made_connection(found: dict[str, Any]) -> Made:
    names = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")
    return Made(id=found["ConnectionArn"], attributes={name: found[name] for name in names})


class NotificationRule(ResourceType):
    """AWS::CodeStarNotifications::NotificationRule: Ref is the ARN."""

    name = "AWS::CodeStarNotifications::NotificationRule"
    create_only = ("Resource",)
    reads = frozenset({"DetailType", "EventTypeIds", "Name", "Resource", "Status", "Targets"})

    def create(self, props: Properties) -> Made:
        params = parameters("codestar-notifications", "CreateNotificationRule", props)
        return _by_arn(self._ask("CreateNotificationRule", params)["Arn"])

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new) - {"Tags"}
        if names:
            props = {name: new.get(name, "ENABLED") for name in names}  # only Status may go
            params = parameters("codestar-notifications", "UpdateNotificationRule", props)
            self._ask("UpdateNotificationRule", params | {"Arn": one.id})
        before, after = one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "codestar-notifications", {"Arn": one.id}, before, after)
        return _by_arn(one.id)

    def delete(self, one: Existing) -> None:
        self._ask("DeleteNotificationRule", {"Arn": one.id})

    def look(self, one: Existing) -> Look:
        found = self._ask("DescribeNotificationRule", {"Arn": one.id})
        found["EventTypeIds"] = [event["EventTypeId"] for event in found["EventTypes"]]
        wanted = {key: one.properties[key] for key in self.reads & one.properties.keys()}
        actual = mirrored(wanted, found)
        return Look(condition=Condition.READY, made=_by_arn(one.id), actual=actual)

    def _ask(self, operation: str, params: Params) -> dict[str, Any]:
        return dict(self.call("codestar-notifications", operation, params))


def _by_arn(arn: str) -> Made:
    return Made(id=arn, attributes={"Arn": arn})


_SLACK_NAMES = {
    "GuardrailPolicies": "GuardrailPolicyArns",
    "SlackWorkspaceId": "SlackTeamId",
    "UserRoleRequired": "UserAuthorizationRequired",
}
_SLACK_BY_DEFAULT: Properties = {
    "GuardrailPolicies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
    "LoggingLevel": "NONE",
    "SnsTopicArns": [],
    "UserRoleRequired": False,
}


class SlackChannelConfiguration(ResourceType):
    """AWS::Chatbot::SlackChannelConfiguration: Ref is the ARN, which names no Region."""

    name = "AWS::Chatbot::SlackChannelConfiguration"
    create_only = ("SlackWorkspaceId", "ConfigurationName")
    custom_name = "ConfigurationName"
    reads = frozenset(
        {
            *("ConfigurationName", "GuardrailPolicies", "IamRoleArn", "LoggingLevel"),
            *("SlackChannelId", "SlackWorkspaceId", "SnsTopicArns", "UserRoleRequired"),
        }
    )

    def create(self, props: Properties) -> Made:
        params = self._parameters("CreateSlackChannelConfiguration", props)
        operation, tags = "CreateSlackChannelConfiguration", tag_map(props.get("Tags", []))
        made = self.call("chatbot", operation, params | tags_for("chatbot", operation, tags))
        return _by_arn(made["ChannelConfiguration"]["ChatConfigurationArn"])

    def update(self, one: Existing, new: Properties) -> Made:
        told = {key: value for key, value in new.items() if key not in self.create_only}
        params = self._parameters("UpdateSlackChannelConfiguration", _SLACK_BY_DEFAULT | told)
        params["ChatConfigurationArn"] = one.id
        self.call("chatbot", "UpdateSlackChannelConfiguration", params)
        before, after = one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "chatbot", {"ResourceARN": one.id}, before, after)
        return _by_arn(one.id)

    def delete(self, one: Existing) -> None:
        asked = {"ChatConfigurationArn": one.id}
        self.call("chatbot", "DeleteSlackChannelConfiguration", asked)

    def look(self, one: Existing) -> Look:
        asked = {"ChatConfigurationArn": one.id}
        answer = self.call("chatbot", "DescribeSlackChannelConfigurations", asked)
        found = answer["SlackChannelConfigurations"]
        if not found:
            raise Fault("ResourceNotFoundException", f"{one.id} is gone")
        told = {key: found[0][_SLACK_NAMES.get(key, key)] for key in self.reads}
        wanted = {key: one.properties[key] for key in self.reads & one.properties.keys()}
        actual = mirrored(wanted, told)
        return Look(condition=Condition.READY, made=_by_arn(one.id), actual=actual)

    def _parameters(self, operation: str, props: Properties) -> Params:
        told = {_SLACK_NAMES.get(key, key): props[key] for key in props if key != "Tags"}
        return parameters("chatbot", operation, told)
