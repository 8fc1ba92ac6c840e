"""SNS: subscriptions that must be confirmed, and messages that are really delivered.

Topics, filters and FIFO order are ministack's; its fan-out is replaced by `sns_delivery`, which
sends nothing beyond this machine. A subscription of another machine's address waits for its token,
which `/_local/notifications` shows in place of the mailbox.
https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
"""

import json
import re
import uuid
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation
from platform_pipelines.local.aws.sns_delivery import Couriers

Topic = dict[str, Any]
Subscription = dict[str, Any]

PAGE = 100
PENDING = "PendingConfirmation"
TO_CONFIRM = frozenset({"http", "https", "email", "email-json"})
AT_ONCE = frozenset({"sqs", "sms", "application", "lambda", "firehose"})
ATTRIBUTES = frozenset(
    {
        *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"),
        *("RedrivePolicy", "SubscriptionRoleArn"),
    }
)
TOPIC_ATTRIBUTES = frozenset(
    {
        *("DeliveryPolicy", "DisplayName", "Policy", "TracingConfig", "KmsMasterKeyId"),
        *("SignatureVersion", "ContentBasedDeduplication", "ArchivePolicy", "FifoThroughputScope"),
        *(
            f"{protocol}{what}"
            for protocol in ("HTTP", "Firehose", "Lambda", "Application", "SQS")
            for what in (
                "SuccessFeedbackRoleArn",
                "SuccessFeedbackSampleRate",
                "FailureFeedbackRoleArn",
            )
        ),
    }
)
DOCUMENTS = ("DeliveryPolicy", "Policy", "ArchivePolicy")
_NAME = re.compile(r"[\w-]{1,256}", re.ASCII)
_INVALID, _MISSING = "InvalidParameter", "NotFound"


class Sns(Service):
    """Subscriptions, and the delivery of what ministack's topics take."""

    name = "sns"
    passes = frozenset(
        {
            *("DeleteTopic", "ListTopics", "GetTopicAttributes"),
            *("AddPermission", "RemovePermission"),
            *("GetSubscriptionAttributes", "SetSubscriptionAttributes"),
            *("Publish", "PublishBatch"),
            *("TagResource", "UntagResource", "ListTagsForResource"),
        }
    )

    def start(self) -> None:
        self.couriers = Couriers(self.world)
        self.couriers.install()

    @operation(raises=(_INVALID,))
    def CreateTopic(self, call: Call) -> Result:  # noqa: N802
        """The topic of this name, whether it is new or not."""
        name, attributes = call.params["Name"], call.params.get("Attributes", {})
        if attributes.get("FifoTopic", "false") == "true":
            name = name.removesuffix(".fifo") if name.endswith(".fifo") else ""
        if not _NAME.fullmatch(name):
            raise Fault(_INVALID, "Invalid parameter: Topic Name")
        return stores.ask(call)

    @operation(raises=(_INVALID, _MISSING))
    def SetTopicAttributes(self, call: Call) -> Result:  # noqa: N802
        """Only what SNS knows; a policy must be one."""
        self._topic(call)
        name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
        if name not in TOPIC_ATTRIBUTES:
            raise Fault(_INVALID, "Invalid parameter: AttributeName")
        if name in DOCUMENTS and value and not _is_object(value):
            raise Fault(_INVALID, f"Invalid parameter: {name} Error: failed to parse JSON.")
        stores.ask(call)
        return {}

    @operation(raises=(_INVALID, _MISSING), states="PendingConfirmation → confirmed")
    def Subscribe(self, call: Call) -> Result:  # noqa: N802
        topic, params = self._topic(call), call.params
        protocol, endpoint = params["Protocol"], params.get("Endpoint", "")
        _check(protocol, endpoint, params)
        for known in topic["subscriptions"]:
            if (known["protocol"], known["endpoint"]) == (protocol, endpoint):
                return {"SubscriptionArn": _told(known, params)}
        made = self._subscription(call, topic, protocol, endpoint)
        topic["subscriptions"].append(made)
        module = ministack.service("sns")
        module._sub_arn_to_topic[made["arn"]] = topic["arn"]
        module._refresh_subscription_counts(topic)
        if made["token"]:
            self.couriers.ask_to_confirm(call.account, call.region, topic["arn"], made)
        return {"SubscriptionArn": _told(made, params)}

    @operation(raises=(_INVALID, _MISSING))
    def ConfirmSubscription(self, call: Call) -> Result:  # noqa: N802
        topic, token = self._topic(call), call.params["Token"]
        found = next((one for one in topic["subscriptions"] if one.get("token") == token), None)
        if found is None:
            raise Fault(_INVALID, "Invalid parameter: Token")
        found["confirmed"] = True
        signed = call.params.get("AuthenticateOnUnsubscribe", "false").lower()
        found["attributes"] |= {PENDING: "false", "ConfirmationWasAuthenticated": signed}
        ministack.service("sns")._refresh_subscription_counts(topic)
        return {"SubscriptionArn": found["arn"]}

    @operation(raises=(_INVALID, _MISSING))
    def Unsubscribe(self, call: Call) -> Result:  # noqa: N802
        arn = call.params["SubscriptionArn"]
        module = ministack.service("sns")
        topic = module._topics.get(module._sub_arn_to_topic.get(arn))
        if arn.count(":") < 6:
            raise Fault(_INVALID, f"Invalid parameter: SubscriptionArn Reason: {arn}")
        if topic is None:
            raise Fault(_MISSING, "Subscription does not exist", 404)
        topic["subscriptions"] = [one for one in topic["subscriptions"] if one["arn"] != arn]
        del module._sub_arn_to_topic[arn]
        module._refresh_subscription_counts(topic)
        return {}

    @operation(raises=(_INVALID,))
    def ListSubscriptions(self, call: Call) -> Result:  # noqa: N802
        topics = ministack.service("sns")._topics.values()
        return _page([one for topic in topics for one in topic["subscriptions"]], call)

    @operation(raises=(_INVALID, _MISSING))
    def ListSubscriptionsByTopic(self, call: Call) -> Result:  # noqa: N802
        return _page(self._topic(call)["subscriptions"], call)

    def _topic(self, call: Call) -> Topic:
        found: Topic | None = ministack.service("sns")._topics.get(call.params["TopicArn"])
        if found is None:
            raise Fault(_MISSING, "Topic does not exist", 404)
        return found

    def _subscription(self, call: Call, topic: Topic, protocol: str, endpoint: str) -> Subscription:
        arn = f"{topic['arn']}:{uuid.uuid4()}"
        pending = protocol in TO_CONFIRM
        attributes = {
            "SubscriptionArn": arn,
            "TopicArn": topic["arn"],
            "Protocol": protocol,
            "Endpoint": endpoint,
            "Owner": call.account,
            "ConfirmationWasAuthenticated": str(not pending).lower(),
            PENDING: str(pending).lower(),
            "RawMessageDelivery": "false",
        }
        return {
            "arn": arn,
            "protocol": protocol,
            "endpoint": endpoint,
            "confirmed": not pending,
            "topic_arn": topic["arn"],
            "owner": call.account,
            "token": uuid.uuid4().hex * 4 if pending else None,
            "attributes": attributes | call.params.get("Attributes", {}),
        }


def publish(account: str, region: str, topic: str, subject: str, message: str) -> bool:
    """Send a message as an AWS service does; False if there is no such topic there."""
    with ministack.scope(account, region):
        return ministack.service("sns").publish_internal(topic, message, subject) is not None


def _check(protocol: str, endpoint: str, params: Params) -> None:
    if protocol not in TO_CONFIRM | AT_ONCE:
        raise Fault(_INVALID, f"Invalid parameter: Amazon SNS does not support {protocol}")
    schemes = {"http": "http://", "https": "https://", "sqs": "arn:aws:sqs:"}
    if not endpoint.startswith(schemes.get(protocol, "")) or not endpoint:
        what = "SQS endpoint ARN" if protocol == "sqs" else "Endpoint must match the protocol"
        raise Fault(_INVALID, f"Invalid parameter: {what}")
    if protocol.startswith("email") and "@" not in endpoint:
        raise Fault(_INVALID, "Invalid parameter: Email address")
    if unknown := params.get("Attributes", {}).keys() - ATTRIBUTES:
        raise Fault(_INVALID, f"Invalid parameter: AttributeName {min(unknown)}")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _told(one: Subscription, params: Params) -> str:
    """Who subscribes learns the ARN when it is confirmed, or if they ask for it."""
    known = one["confirmed"] or params.get("ReturnSubscriptionArn")
    return str(one["arn"]) if known else "pending confirmation"


def _page(found: list[Subscription], call: Call) -> Result:
    rows = [
        {
            "SubscriptionArn": one["arn"] if one["confirmed"] else PENDING,
            "Owner": one["owner"],
            "Protocol": one["protocol"],
            "Endpoint": one["endpoint"],
            "TopicArn": one["topic_arn"],
        }
        for one in found
    ]
    wrong = Fault(_INVALID, "Invalid parameter: NextToken")
    return paged("Subscriptions", rows, call.params, wrong=wrong, limit=PAGE)
