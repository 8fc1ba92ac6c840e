"""The resource type of SNS's subscriptions, through its API."""

from platform_pipelines.local.aws.cloudformation_iam import document
from platform_pipelines.local.aws.cloudformation_sns import SnsType, word
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    changed,
)

# Attributes that a template may set, and what a subscription has without them.
_SUBSCRIPTION = {
    "DeliveryPolicy": "",
    "FilterPolicy": "",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
    "RedrivePolicy": "",
    "SubscriptionRoleArn": "",
}
_DOCUMENTS = ("DeliveryPolicy", "FilterPolicy", "RedrivePolicy")


class Subscription(SnsType):
    """AWS::SNS::Subscription: Ref is its ARN, also while nobody has confirmed it."""

    name = "AWS::SNS::Subscription"
    create_only = ("Endpoint", "Protocol", "TopicArn")
    reads = frozenset({*_SUBSCRIPTION, "Endpoint", "Protocol", "TopicArn"})

    def create(self, props: Properties) -> Made:
        self.refuse(props, {*_SUBSCRIPTION, "Endpoint", "Protocol", "TopicArn"})
        made = self.ask(
            "Subscribe",
            TopicArn=props["TopicArn"],
            Protocol=props["Protocol"],
            Endpoint=str(props.get("Endpoint", "")),
            Attributes={name: word(props[name]) for name in _SUBSCRIPTION if name in props},
            ReturnSubscriptionArn=True,
        )
        return self._made(made["SubscriptionArn"])

    def update(self, one: Existing, new: Properties) -> Made:
        for name in sorted(changed(one.properties, new) & _SUBSCRIPTION.keys()):
            value = word(new.get(name, _SUBSCRIPTION[name]))
            put = {"AttributeName": name, "AttributeValue": value}
            self.ask("SetSubscriptionAttributes", SubscriptionArn=one.id, **put)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.ask("Unsubscribe", SubscriptionArn=one.id)

    def look(self, one: Existing) -> Look:
        asked = self.ask("GetSubscriptionAttributes", SubscriptionArn=one.id)
        found: dict[str, str] = asked["Attributes"]
        actual: Properties = {name: found[name] for name in self.reads if found.get(name)}
        for name in [name for name in _DOCUMENTS if actual.get(name)]:
            actual[name] = document(actual[name])
        return Look(condition=Condition.READY, made=self._made(one.id), actual=actual)

    @staticmethod
    def _made(arn: str) -> Made:
        return Made(id=arn, attributes={"Arn": arn})
