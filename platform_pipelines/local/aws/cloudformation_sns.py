"""The resource types of SNS, through its API: topics and their policies."""

import json
from typing import Any

from platform_pipelines.local.aws.cloudformation_iam import document, made_up_id, text
from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    is_missing,
)
from platform_pipelines.local.aws.service import Fault, Result, not_implemented

# Attributes that a template may set, and what a topic has without them.
_TOPIC = {
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
    "ContentBasedDeduplication": "false",
    "FifoThroughputScope": "Topic",
}
_DEFAULT = "__default_policy_ID"


class SnsType(ResourceType):
    """A type of SNS."""

    def ask(self, operation: str, **params: Any) -> Result:
        """Ask SNS. Raises: Fault."""
        return self.call("sns", operation, params)

    def attributes_of(self, arn: str) -> dict[str, str]:
        """Of a topic. Raises: Fault."""
        found: dict[str, str] = self.ask("GetTopicAttributes", TopicArn=arn)["Attributes"]
        return found

    def refuse(self, props: Properties, known: set[str]) -> None:
        """Refuse properties that nothing here would follow. Raises: Fault."""
        if unknown := sorted(props.keys() - known):
            raise not_implemented(f"{self.name} with {unknown}")


class Topic(SnsType):
    """AWS::SNS::Topic: Ref is its ARN."""

    name = "AWS::SNS::Topic"
    create_only = ("TopicName", "FifoTopic")
    custom_name = "TopicName"
    lowercase = False
    longest_name = 256
    reads = frozenset({*_TOPIC, "Subscription", "Tags", "TopicName"})

    def create(self, props: Properties) -> Made:
        self.refuse(props, {*_TOPIC, "FifoTopic", "Subscription", "Tags", "TopicName"})
        arn, name = self.identify(props), props["TopicName"]
        if self._exists(arn):
            message = f"Resource of type '{self.name}' with identifier '{arn}' already exists."
            raise Fault("AlreadyExistsException", message)
        wanted = {key: word(props[key]) for key in (*_TOPIC, "FifoTopic") if key in props}
        tags = {"Tags": props["Tags"]} if props.get("Tags") else {}
        made = self.ask("CreateTopic", Name=name, Attributes=wanted, **tags)
        return self._made(made["TopicArn"])

    def settle(self, one: Existing) -> bool:
        self._subscribe(one.id, _pairs(one.properties))
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        self.refuse(new, {*_TOPIC, "FifoTopic", "Subscription", "Tags", "TopicName"})
        for name in sorted(changed(one.properties, new) & _TOPIC.keys()):
            value = word(new.get(name, _TOPIC[name]))
            self.ask(
                "SetTopicAttributes", TopicArn=one.id, AttributeName=name, AttributeValue=value
            )
        self._unsubscribe(one.id, _pairs(one.properties) - _pairs(new))
        self._subscribe(one.id, _pairs(new) - _pairs(one.properties))
        before, after = one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "sns", {"ResourceArn": one.id}, before, after)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.attributes_of(one.id)  # DeleteTopic says nothing of one that is not there
        self.ask("DeleteTopic", TopicArn=one.id)

    def look(self, one: Existing) -> Look:
        found = self.attributes_of(one.id)
        actual: Properties = {name: found.get(name, _TOPIC[name]) for name in _TOPIC}
        actual |= {
            "TopicName": one.id.rpartition(":")[2],
            "Tags": self.ask("ListTagsForResource", ResourceArn=one.id)["Tags"],
            "Subscription": [
                {"Protocol": sub["Protocol"], "Endpoint": sub["Endpoint"]}
                for sub in self._subscriptions(one.id)
                if (sub["Protocol"], sub["Endpoint"]) in _pairs(one.properties)
            ],
        }
        return Look(condition=Condition.READY, made=self._made(one.id), actual=actual)

    def identify(self, props: Properties) -> str | None:
        name = props.get("TopicName")
        return f"arn:aws:sns:{self.call.region}:{self.call.account}:{name}" if name else None

    def _exists(self, arn: str | None) -> bool:
        try:
            self.attributes_of(str(arn))
        except Fault as fault:
            if is_missing(fault):
                return False
            raise
        return True

    def _subscriptions(self, arn: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("ListSubscriptionsByTopic", TopicArn=arn)[
            "Subscriptions"
        ]
        return found

    def _subscribe(self, arn: str, pairs: set[tuple[str, str]]) -> None:
        for protocol, endpoint in sorted(pairs):
            self.ask("Subscribe", TopicArn=arn, Protocol=protocol, Endpoint=endpoint)

    def _unsubscribe(self, arn: str, pairs: set[tuple[str, str]]) -> None:
        """One that nobody has confirmed cannot be ended, and expires by itself."""
        for one in self._subscriptions(arn):
            confirmed = one["SubscriptionArn"].startswith("arn:")
            if confirmed and (one["Protocol"], one["Endpoint"]) in pairs:
                self.ask("Unsubscribe", SubscriptionArn=one["SubscriptionArn"])

    @staticmethod
    def _made(arn: str) -> Made:
        return Made(id=arn, attributes={"TopicArn": arn, "TopicName": arn.rpartition(":")[2]})


class TopicPolicy(SnsType):
    """AWS::SNS::TopicPolicy: Ref is an id that says nothing."""

    name = "AWS::SNS::TopicPolicy"
    create_only = ()
    reads = frozenset({"PolicyDocument"})

    def create(self, props: Properties) -> Made:
        id_ = made_up_id("TopicPolicy")
        self._put(props["Topics"], text(props["PolicyDocument"]))
        return Made(id=id_, attributes={"Id": id_})

    def update(self, one: Existing, new: Properties) -> Made:
        self._reset([topic for topic in one.properties["Topics"] if topic not in new["Topics"]])
        self._put(new["Topics"], text(new["PolicyDocument"]))
        return Made(id=one.id, attributes={"Id": one.id})

    def delete(self, one: Existing) -> None:
        self._reset(one.properties["Topics"])

    def look(self, one: Existing) -> Look:
        policies = [self.attributes_of(topic)["Policy"] for topic in one.properties["Topics"]]
        wanted = one.properties["PolicyDocument"]
        found = [document(policy) for policy in policies]
        if all(policy.get("Id") == _DEFAULT for policy in found):
            raise Fault("NotFound", f"{one.id} is not there any longer", 404)
        other = next((policy for policy in found if policy != wanted), wanted)
        made = Made(id=one.id, attributes={"Id": one.id})
        return Look(condition=Condition.READY, made=made, actual={"PolicyDocument": other})

    def _put(self, topics: list[str], policy: str) -> None:
        for arn in topics:
            self.ask(
                "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy
            )

    def _reset(self, topics: list[str]) -> None:
        """The policy that a topic has at first; a topic that is gone needs none."""
        for arn in topics:
            try:
                self._put([arn], json.dumps(_default_policy(arn, self.call.account)))
            except Fault as fault:
                if not is_missing(fault):
                    raise


def word(value: Any) -> str:
    """An attribute's value: everything is text to SNS."""
    return str(value).lower() if isinstance(value, bool) else text(value)


def _pairs(props: Properties) -> set[tuple[str, str]]:
    return {(str(one["Protocol"]), str(one["Endpoint"])) for one in props.get("Subscription", [])}


def _default_policy(arn: str, account: str) -> dict[str, Any]:
    return {
        "Version": "2008-10-17",
        "Id": _DEFAULT,
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:Receive"],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
            }
        ],
    }
