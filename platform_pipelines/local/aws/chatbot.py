"""Chatbot (Amazon Q Developer in chat applications): which topics speak in which Slack channels.

One set of configurations for the account: the service belongs to no Region, and a channel has one
configuration at most, whichever Region's stack asks. A person lets AWS into a workspace once, in the
console; here the workspace of platform.yaml counts as let in, and no other.
https://docs.aws.amazon.com/chatbot/latest/adminguide/slack-setup.html
"""

from copy import deepcopy

from platform_pipelines.local.aws.answers import Record, taken
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

PAGE = 100
MOST_TAGS = 200
_REQUEST, _PARAMETER = "InvalidRequestException", "InvalidParameterException"
_MISSING, _CONFLICT, _TAGS = (
    *("ResourceNotFoundException", "ConflictException"),
    "TooManyTagsException",
)
_CHANGEABLE = (
    *("SlackChannelId", "SlackChannelName", "SnsTopicArns", "IamRoleArn", "LoggingLevel"),
    *("GuardrailPolicyArns", "UserAuthorizationRequired"),
)
_BY_DEFAULT: Record = {
    "GuardrailPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"],
    "LoggingLevel": "NONE",
    "SnsTopicArns": [],
    "State": "ENABLED",
    "UserAuthorizationRequired": False,
}


class Chatbot(Keeping):
    """The Slack channel configurations of an account."""

    name = "chatbot"

    def records(self, call: Call) -> dict[str, Record]:
        return self.records_in(call.account)

    @operation(raises=(_REQUEST, _CONFLICT))
    def CreateSlackChannelConfiguration(self, call: Call) -> Result:  # noqa: N802
        name, team = call.params["ConfigurationName"], call.params["SlackTeamId"]
        arn = f"arn:aws:chatbot::{call.account}:chat-configuration/slack-channel/{name}"
        if arn in self.records(call):
            raise Fault(_CONFLICT, f"A configuration with the name {name} already exists.")
        if team not in self._workspaces():
            message = f"Slack team {team} has not been authorized for AWS account {call.account}."
            raise Fault(_REQUEST, f"Invalid request provided: {message}")
        self._check_channel(call, team, call.params["SlackChannelId"], arn)
        made = {
            **deepcopy(_BY_DEFAULT),
            "ChatConfigurationArn": arn,
            "ConfigurationName": name,
            "SlackTeamId": team,
            "SlackTeamName": team,
            "SlackChannelName": call.params["SlackChannelId"],
            "Tags": call.params.get("Tags", []),
            **taken(call.params, *_CHANGEABLE),
        }
        self.records(call)[arn] = made
        return {"ChannelConfiguration": deepcopy(made)}

    @operation(raises=(_PARAMETER,))
    def DescribeSlackChannelConfigurations(self, call: Call) -> Result:  # noqa: N802
        wanted = call.params.get("ChatConfigurationArn")
        rows = [
            deepcopy(one)
            for arn, one in sorted(self.records(call).items())
            if wanted in (None, arn)
        ]
        return _paged("SlackChannelConfigurations", rows, call)

    @operation(raises=(_REQUEST, _MISSING))
    def UpdateSlackChannelConfiguration(self, call: Call) -> Result:  # noqa: N802
        found = self._configuration(call, "ChatConfigurationArn")
        arn, channel = found["ChatConfigurationArn"], call.params["SlackChannelId"]
        self._check_channel(call, found["SlackTeamId"], channel, arn)
        found |= {"SlackChannelName": channel} | taken(call.params, *_CHANGEABLE)
        return {"ChannelConfiguration": deepcopy(found)}

    @operation(raises=(_MISSING,))
    def DeleteSlackChannelConfiguration(self, call: Call) -> Result:  # noqa: N802
        found = self._configuration(call, "ChatConfigurationArn")
        del self.records(call)[found["ChatConfigurationArn"]]
        return {}

    @operation(raises=(_PARAMETER,))
    def DescribeSlackWorkspaces(self, call: Call) -> Result:  # noqa: N802
        rows = [
            {"SlackTeamId": one, "SlackTeamName": one, "State": "ENABLED"}
            for one in self._workspaces()
        ]
        return _paged("SlackWorkspaces", rows, call)

    @operation(raises=(_MISSING, _TAGS))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        found = self._configuration(call, "ResourceARN")
        tags = {tag["TagKey"]: tag for tag in [*found["Tags"], *call.params["Tags"]]}
        if len(tags) > MOST_TAGS:
            raise Fault(_TAGS, f"A resource can have at most {MOST_TAGS} tags.")
        found["Tags"] = list(tags.values())
        return {}

    @operation(raises=(_MISSING,))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        found, gone = self._configuration(call, "ResourceARN"), call.params["TagKeys"]
        found["Tags"] = [tag for tag in found["Tags"] if tag["TagKey"] not in gone]
        return {}

    @operation(raises=(_MISSING,))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"Tags": self._configuration(call, "ResourceARN")["Tags"]}

    def _workspaces(self) -> list[str]:
        slack = self.world.platform.alerts.slack
        return [slack.workspace] if slack else []

    def _configuration(self, call: Call, parameter: str) -> Record:
        found = self.records(call).get(call.params[parameter])
        if found is None:
            raise Fault(_MISSING, f"{call.params[parameter]} was not found.")
        return found

    def _check_channel(self, call: Call, team: str, channel: str, arn: str) -> None:
        for other, one in self.records(call).items():
            if other != arn and (one["SlackTeamId"], one["SlackChannelId"]) == (team, channel):
                raise Fault(
                    _REQUEST,
                    f"Invalid request provided: Slack channel with ID {channel} in Slack team "
                    f"{team} has already been configured for AWS account {call.account}.",
                )


def _paged(key: str, rows: list[Record], call: Call) -> Result:
    wrong = Fault(_PARAMETER, "The NextToken is not valid.")
    return paged(key, rows, call.params, wrong=wrong, limit=PAGE)
