"""SNS: who must confirm, what is delivered, what is kept, and what is tried again."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.aws.sns import Sns
from platform_pipelines.local.aws.sns_http import is_here, post
from platform_pipelines.local.notifications import Delivery, Fate, Notifications
from platform_pipelines.local.world import Outage
from tests.local.aws.regions import Regions

HERE = "http://127.0.0.1:8000/hook"


class Subscriber:
    """An HTTP endpoint, as a test sets it."""

    def __init__(self) -> None:
        self.reason = ""
        self.got: list[tuple[str, str, Mapping[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        self.got.append((url, body.decode(), headers))
        return self.reason


@pytest.fixture
def subscriber(regions: Regions) -> Subscriber:
    """Who gets what SNS posts."""
    service = regions.services["sns"]
    assert isinstance(service, Sns)
    made = Subscriber()
    service.couriers.post = made
    return made


@pytest.fixture
def topic(regions: Regions) -> str:
    """A topic in Seoul."""
    return str(regions("seoul", "sns", "CreateTopic", Name="alarms")["TopicArn"])


def subscribe(regions: Regions, topic: str, protocol: str, endpoint: str, **more: Any) -> str:
    """Subscribe, and say what the caller learned."""
    asked = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint}
    return str(regions("seoul", "sns", "Subscribe", **asked, **more)["SubscriptionArn"])


def confirmed(regions: Regions, topic: str, endpoint: str = HERE, **more: Any) -> str:
    """Subscribe an endpoint by HTTP, and confirm it with what was posted."""
    subscribe(regions, topic, "http", endpoint, **more)
    token = json.loads([*regions.world.notifications][-1].deliveries[0].body)["Token"]
    answer = regions("seoul", "sns", "ConfirmSubscription", TopicArn=topic, Token=token)
    regions.advance(1)
    return str(answer["SubscriptionArn"])


def publish(regions: Regions, topic: str, **more: Any) -> None:
    """Send one message, and let it arrive."""
    regions("seoul", "sns", "Publish", TopicArn=topic, Message="the lag is 700 s", **more)
    regions.advance(1)


def last(regions: Regions) -> Delivery:
    """The only delivery of the newest message."""
    one: Delivery
    (one,) = [*regions.world.notifications][-1].deliveries
    return one


def test_an_endpoint_gets_nothing_before_it_confirms(
    regions: Regions, topic: str, subscriber: Subscriber
) -> None:
    """It is asked to, and listed as pending until then."""
    assert subscribe(regions, topic, "http", HERE) == "pending confirmation"
    publish(regions, topic)
    (asked,) = subscriber.got
    assert asked[2]["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert "SubscribeURL" in json.loads(asked[1])
    (listed,) = regions("seoul", "sns", "ListSubscriptions")["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    token = json.loads(asked[1])["Token"]
    arn = regions("seoul", "sns", "ConfirmSubscription", TopicArn=topic, Token=token)
    listed = regions("seoul", "sns", "ListSubscriptionsByTopic", TopicArn=topic)["Subscriptions"]
    assert [one["SubscriptionArn"] for one in listed] == [arn["SubscriptionArn"]]


def test_a_message_is_posted_in_its_envelope(
    regions: Regions, topic: str, subscriber: Subscriber
) -> None:
    """With the headers and fields that SNS gives it, at the world's time."""
    arn = confirmed(regions, topic)
    publish(regions, topic, Subject="ALARM")
    url, body, headers = subscriber.got[-1]
    message = json.loads(body)
    assert url == HERE
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert (message["Type"], message["Subject"]) == ("Notification", "ALARM")
    assert message["Message"] == "the lag is 700 s"
    assert message["Timestamp"].startswith("2027-01-15T08:00:0")
    assert last(regions).fate is Fate.DELIVERED


def test_a_raw_subscriber_gets_the_bare_message(
    regions: Regions, topic: str, subscriber: Subscriber
) -> None:
    """And a header that says so."""
    confirmed(regions, topic, Attributes={"RawMessageDelivery": "true"})
    publish(regions, topic)
    _, body, headers = subscriber.got[-1]
    assert body == "the lag is 700 s"
    assert headers["x-amz-sns-rawdelivery"] == "true"


def test_a_filter_keeps_messages_away(regions: Regions, topic: str, subscriber: Subscriber) -> None:
    """By their attributes."""
    policy = json.dumps({"severity": ["high"]})
    confirmed(regions, topic, Attributes={"FilterPolicy": policy})
    before = len(subscriber.got)
    publish(regions, topic)
    assert len(subscriber.got) == before
    severity = {"DataType": "String", "StringValue": "high"}
    publish(regions, topic, MessageAttributes={"severity": severity})
    assert len(subscriber.got) == before + 1


def test_a_failing_endpoint_is_tried_again_then_given_up(
    regions: Regions, topic: str, subscriber: Subscriber
) -> None:
    """Three more times."""
    confirmed(regions, topic)
    before = len(subscriber.got)
    subscriber.reason = "HTTP 500"
    publish(regions, topic)
    assert (last(regions).fate, last(regions).tries) == (Fate.WAITING, 1)
    regions.advance(600)
    assert len(subscriber.got) == before + 4
    assert (last(regions).fate, last(regions).reason) == (Fate.FAILED, "HTTP 500")


def test_a_dark_region_delivers_later(regions: Regions, topic: str, subscriber: Subscriber) -> None:
    """What it had taken before."""
    confirmed(regions, topic)
    before = len(subscriber.got)
    regions("seoul", "sns", "Publish", TopicArn=topic, Message="one")
    regions.world.outages["seoul"] = Outage.HANG
    regions.advance(300)
    assert len(subscriber.got) == before
    regions.world.outages.clear()
    regions.advance(20)
    assert len(subscriber.got) == before + 1


def test_what_leads_elsewhere_is_kept_here(
    regions: Regions, topic: str, subscriber: Subscriber
) -> None:
    """No message leaves this machine; its token is in the box instead."""
    subscribe(regions, topic, "email", "on@call.example")
    assert last(regions).fate is Fate.KEPT
    confirmed(regions, topic, "http://hooks.example.com/x")
    regions.advance(60)
    assert subscriber.got == []
    publish(regions, topic)
    assert (last(regions).fate, subscriber.got) == (Fate.KEPT, [])


def test_a_queue_gets_its_message(regions: Regions, topic: str) -> None:
    """SQS needs no confirmation."""
    with ministack.scope("111122223333", "ap-northeast-2"):
        sqs = ministack.service("sqs")
        sqs._act_create_queue({"QueueName": "alarms"}, "")
    queue = "arn:aws:sqs:ap-northeast-2:111122223333:alarms"
    assert subscribe(regions, topic, "sqs", queue).startswith(topic)
    publish(regions, topic)
    assert last(regions).fate is Fate.DELIVERED
    with ministack.scope("111122223333", "ap-northeast-2"):
        (message,) = sqs._queue_by_arn(queue)["messages"]
    assert json.loads(message["body"])["Message"] == "the lag is 700 s"


def test_subscriptions_end(regions: Regions, topic: str, subscriber: Subscriber) -> None:
    """Nothing is sent any more."""
    arn = confirmed(regions, topic)
    before = len(subscriber.got)
    regions("seoul", "sns", "Unsubscribe", SubscriptionArn=arn)
    publish(regions, topic)
    assert len(subscriber.got) == before
    assert regions("seoul", "sns", "ListSubscriptions")["Subscriptions"] == []
    with pytest.raises(Fault, match="NotFound"):
        regions("seoul", "sns", "Unsubscribe", SubscriptionArn=arn)


@pytest.mark.parametrize(
    ("protocol", "endpoint", "more"),
    [
        ("pigeon", "home", {}),
        ("http", "https://127.0.0.1/", {}),
        ("sqs", "https://queue", {}),
        ("email", "nobody", {}),
        ("http", HERE, {"Attributes": {"Colour": "red"}}),
    ],
)
def test_a_wrong_subscription_is_refused(
    regions: Regions, topic: str, protocol: str, endpoint: str, more: dict[str, Any]
) -> None:
    """At once."""
    with pytest.raises(Fault, match="InvalidParameter"):
        subscribe(regions, topic, protocol, endpoint, **more)


@pytest.mark.parametrize("name", ["two words", "", "x" * 257, "queue.fifo", "größe"])
def test_a_topic_needs_a_plain_name(regions: Regions, name: str) -> None:
    """Letters, digits, dashes and underscores; only a FIFO topic's ends with .fifo."""
    with pytest.raises(Fault, match="InvalidParameter: Invalid parameter: Topic Name"):
        regions("seoul", "sns", "CreateTopic", Name=name)


@pytest.mark.parametrize(
    ("name", "attributes"), [("alarms_2-b", {}), ("alarms.fifo", {"FifoTopic": "true"})]
)
def test_a_topic_is_made_once(regions: Regions, name: str, attributes: dict[str, str]) -> None:
    """The same request answers the same topic."""
    made = regions("seoul", "sns", "CreateTopic", Name=name, Attributes=attributes)
    assert made["TopicArn"] == f"arn:aws:sns:ap-northeast-2:111122223333:{name}"
    assert regions("seoul", "sns", "CreateTopic", Name=name, Attributes=attributes) == made


def test_a_wrong_token_or_topic_is_refused(regions: Regions, topic: str) -> None:
    """With SNS's codes."""
    with pytest.raises(Fault, match="InvalidParameter: Invalid parameter: Token"):
        regions("seoul", "sns", "ConfirmSubscription", TopicArn=topic, Token="0")
    with pytest.raises(Fault, match="NotFound"):
        subscribe(regions, topic + "-gone", "http", HERE)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://localhost/", True),
        ("https://[::1]/", True),
        ("http://127.0.0.1.example.com/", False),
        ("http://10.0.0.1/", False),
        ("http:///x", False),
    ],
)
def test_only_this_machine_is_here(url: str, here: bool) -> None:
    """Whatever the name looks like."""
    assert is_here(url) is here


def test_an_endpoint_that_nobody_listens_at_is_a_failure() -> None:
    """With the reason in words."""
    assert "refused" in post(b"", "http://127.0.0.1:1/", b"{}", {}).lower()


def test_messages_are_kept_over_a_restart(
    regions: Regions, topic: str, subscriber: Subscriber
) -> None:
    """All that is known of them."""
    confirmed(regions, topic)
    publish(regions, topic)
    kept, again = json.loads(json.dumps(regions.world.notifications.dump())), Notifications()
    again.load(kept)
    assert [*again] == [*regions.world.notifications]
    assert again.after(1)[0]["subject"] == ""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Colour", "red", "AttributeName"),
        ("Policy", "{", "Policy Error"),
        ("DeliveryPolicy", "[]", "DeliveryPolicy Error"),
    ],
)
def test_an_attribute_that_a_topic_does_not_have_is_refused(
    regions: Regions, topic: str, name: str, value: str, words: str
) -> None:
    """And so is a policy that is none."""
    with pytest.raises(Fault, match=words):
        regions(
            "seoul",
            "sns",
            "SetTopicAttributes",
            TopicArn=topic,
            AttributeName=name,
            AttributeValue=value,
        )
