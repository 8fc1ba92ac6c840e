"""Notification rules: which events of a pipeline or project go to which topics and chat channels.

Nothing happens to pipelines here, so nothing is sent. Whether a target can be reached is looked up
when somebody asks: its topic must be there and let the service in, its channel be configured.
https://docs.aws.amazon.com/dtconsole/latest/userguide/set-up-sns.html
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

from platform_pipelines.local.aws.answers import Record, moment, taken
from platform_pipelines.local.aws.codestar_notifications_events import EVENT_TYPES, EventType
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.policy_documents import allows, statements
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

PAGE = 100
MOST_TAGS = 50
_EXISTS, _MISSING = "ResourceAlreadyExistsException", "ResourceNotFoundException"
_TOKEN, _INVALID = "InvalidNextTokenException", "ValidationException"
_LIMIT, _CONFIGURATION = "LimitExceededException", "ConfigurationException"
_PRINCIPAL = "codestar-notifications.amazonaws.com"
_SNS, _SLACK = "SNS", "AWSChatbotSlack"
_TYPES = frozenset({_SNS, _SLACK, "AWSChatbotMicrosoftTeams"})
_CHANGEABLE = ("Name", "Status", "EventTypeIds", "Targets", "DetailType")


class CodeStarNotifications(Keeping):
    """The notification rules of a Region."""

    name = "codestar-notifications"
    _ask: Callable[[Call], Result]

    def bind(self, answer: Callable[[Call], Result]) -> None:
        self._ask = answer

    @operation(raises=(_EXISTS, _INVALID, _CONFIGURATION))
    def CreateNotificationRule(self, call: Call) -> Result:  # noqa: N802
        params, token = call.params, call.params.get("ClientRequestToken")
        for arn, one in self.records(call).items():
            if token and one["_token"] == token:
                return {"Arn": arn}
        self._check(call, params, params["Resource"])
        head = f"arn:aws:codestar-notifications:{call.region}:{call.account}:notificationrule"
        arn, now = f"{head}/{uuid.uuid4().hex}{uuid.uuid4().hex[:8]}", self.world.now()
        self.records(call)[arn] = {
            "Arn": arn,
            "Resource": params["Resource"],
            "Status": "ENABLED",
            "CreatedBy": f"arn:aws:iam::{call.account}:root",
            "CreatedTimestamp": now,
            "LastModifiedTimestamp": now,
            "Tags": params.get("Tags", {}),
            "_token": token,
            **taken(params, *_CHANGEABLE),
        }
        return {"Arn": arn}

    @operation(raises=(_MISSING,))
    def DescribeNotificationRule(self, call: Call) -> Result:  # noqa: N802
        found = self._rule(call)
        times = {key: moment(found[key]) for key in ("CreatedTimestamp", "LastModifiedTimestamp")}
        names = ("Arn", "Name", "Resource", "DetailType", "CreatedBy", "Status", "Tags")
        events = [_event(EVENT_TYPES[one]) for one in found["EventTypeIds"]]
        targets = [self._target(call, one) for one in found["Targets"]]
        return taken(found, *names) | times | {"EventTypes": events, "Targets": targets}

    @operation(raises=(_EXISTS, _INVALID, _MISSING, _CONFIGURATION))
    def UpdateNotificationRule(self, call: Call) -> Result:  # noqa: N802
        found = self._rule(call)
        asked = taken(call.params, *_CHANGEABLE)
        self._check(call, found | asked, found["Resource"])
        found |= asked | {"LastModifiedTimestamp": self.world.now()}
        return {}

    @operation
    def DeleteNotificationRule(self, call: Call) -> Result:  # noqa: N802
        self.records(call).pop(call.params["Arn"], None)
        return {"Arn": call.params["Arn"]}

    @operation(raises=(_TOKEN,))
    def ListNotificationRules(self, call: Call) -> Result:  # noqa: N802
        wanted = [(one["Name"], one["Value"]) for one in call.params.get("Filters", [])]
        rows = [
            {"Id": arn.rpartition("/")[2], "Arn": arn}
            for arn, one in self.records(call).items()
            if all(value in _values(one, name) for name, value in wanted)
        ]
        return _paged("NotificationRules", rows, call)

    @operation(raises=(_TOKEN,))
    def ListTargets(self, call: Call) -> Result:  # noqa: N802
        addressed = {one["TargetAddress"]: one for one in self._targets(call)}
        wanted = [(one["Name"], one["Value"]) for one in call.params.get("Filters", [])]
        told = [self._target(call, one) for one in addressed.values()]
        rows = [one for one in told if all(one[_member(name)] == value for name, value in wanted)]
        return _paged("Targets", rows, call)

    @operation(raises=(_TOKEN,))
    def ListEventTypes(self, call: Call) -> Result:  # noqa: N802
        wanted = [(one["Name"], one["Value"]) for one in call.params.get("Filters", [])]
        told = [_event(one) for one in EVENT_TYPES.values()]
        members = {"RESOURCE_TYPE": "ResourceType", "SERVICE_NAME": "ServiceName"}
        rows = [one for one in told if all(one[members[name]] == value for name, value in wanted)]
        return _paged("EventTypes", rows, call)

    @operation(raises=(_MISSING, _LIMIT))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        found = self._rule(call)
        tags = found["Tags"] | call.params["Tags"]
        if len(tags) > MOST_TAGS:
            raise Fault(_LIMIT, f"A resource can have at most {MOST_TAGS} tags.")
        found["Tags"] = tags
        return {"Tags": tags}

    @operation(raises=(_MISSING,))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        found, gone = self._rule(call), call.params["TagKeys"]
        found["Tags"] = {key: value for key, value in found["Tags"].items() if key not in gone}
        return {}

    @operation(raises=(_MISSING,))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"Tags": self._rule(call)["Tags"]}

    def _rule(self, call: Call) -> Record:
        found = self.records(call).get(call.params["Arn"])
        if found is None:
            raise Fault(_MISSING, f"Notification rule {call.params['Arn']} does not exist.")
        return found

    def _check(self, call: Call, params: Params, resource: str) -> None:
        """Whether there could be such a rule. Raises: Fault."""
        for arn, one in self.records(call).items():
            if one["Name"] == params["Name"] and arn != params.get("Arn"):
                message = f"A notification rule with the name {one['Name']} already exists."
                raise Fault(_EXISTS, message)
        _, _, service, region, *_ = resource.split(":")
        if region != call.region:
            raise Fault(_INVALID, f"The resource {resource} is not in the Region {call.region}.")
        for id_ in params["EventTypeIds"]:
            if id_ not in EVENT_TYPES or EVENT_TYPES[id_].arn != service:
                raise Fault(_INVALID, f"The event type {id_} is not valid for {resource}.")
        for target in params["Targets"]:
            if target.get("TargetType") not in _TYPES or "TargetAddress" not in target:
                raise Fault(_CONFIGURATION, f"The target {target} is incomplete or not valid.")

    def _targets(self, call: Call) -> Iterator[Record]:
        for one in self.records(call).values():
            yield from one["Targets"]

    def _target(self, call: Call, target: Record) -> Record:
        reached = self._reaches(call, target["TargetType"], target["TargetAddress"])
        return target | {"TargetStatus": "ACTIVE" if reached else "UNREACHABLE"}

    def _reaches(self, call: Call, kind: str, address: str) -> bool:
        if kind == _SNS:
            region = address.split(":")[3] if address.count(":") == 5 else call.region
            asked = replace(
                call,
                service="sns",
                operation="GetTopicAttributes",
                params={"TopicArn": address},
                region=region,
            )
            topic = self._found(asked)
            return topic is not None and _lets_in(topic["Attributes"].get("Policy", "{}"))
        asked = replace(
            call,
            service="chatbot",
            operation="DescribeSlackChannelConfigurations",
            params={"ChatConfigurationArn": address},
        )
        found = self._found(asked) if kind == _SLACK else None
        return bool(found and found["SlackChannelConfigurations"])

    def _found(self, asked: Call) -> Result | None:
        try:
            return self._ask(asked)
        except Fault:
            return None


def _event(one: EventType) -> Record:
    return {
        "EventTypeId": one.id,
        "ServiceName": one.service,
        "EventTypeName": one.name,
        "ResourceType": one.resource,
    }


def _values(rule: Record, name: str) -> list[str]:
    """What a filter of rules compares."""
    found: dict[str, list[str]] = {
        "EVENT_TYPE_ID": rule["EventTypeIds"],
        "CREATED_BY": [rule["CreatedBy"]],
        "RESOURCE": [rule["Resource"]],
        "TARGET_ADDRESS": [one["TargetAddress"] for one in rule["Targets"]],
    }
    return found[name]


def _member(name: str) -> str:
    """TARGET_STATUS: TargetStatus."""
    return "".join(word.capitalize() for word in name.split("_"))


def _lets_in(policy: str) -> bool:
    """Whether a topic's policy lets notifications be published to it."""
    return any(allows(one, _PRINCIPAL) for one in statements(policy))


def _paged(key: str, rows: list[Record], call: Call) -> Result:
    wrong = Fault(_TOKEN, "The NextToken is not valid.")
    return paged(key, rows, call.params, wrong=wrong, limit=PAGE)
