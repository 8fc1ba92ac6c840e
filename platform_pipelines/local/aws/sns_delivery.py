"""How SNS's messages get to their subscribers: HTTP on this machine, SQS, or kept to be read.

A delivery is a timer, so one that was on its way when the server was killed is tried again. HTTP is
spoken on a thread of its own, because the subscriber may take its time, or be this server.
https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

import asyncio
import functools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.sns_http import Post, is_here, post
from platform_pipelines.local.notifications import Delivery, Fate, Notification
from platform_pipelines.local.world import World

DELIVER = "sns_deliver"
TRIES = 4  # the first one, and three more after `sns_retry` seconds each
UNSIGNED = "the-local-Regions-do-not-sign"
_KEPT = "the local Regions deliver to HTTP endpoints of this machine and to SQS only"


class Couriers:
    """Delivers what topics take. Used on the event loop's thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.post: Post = functools.partial(post, world.ca_pem)
        world.timers.on(DELIVER, self._deliver)

    def install(self) -> None:
        """Take the place of ministack's fan-out."""

        def fanout(
            topic: str,
            id_: str,
            message: str,
            subject: str,
            structure: str = "",
            *rest: Any,
            **_: Any,
        ) -> None:
            attributes = rest[0] if rest else None
            self._fan_out(topic, id_, message, subject, structure, attributes or {})

        vars(ministack.service("sns"))["_fanout"] = fanout

    def ask_to_confirm(
        self, account: str, region: str, topic: str, subscription: dict[str, Any]
    ) -> None:
        """Send the message by which a subscriber confirms."""
        id_, token = str(uuid.uuid4()), subscription["token"]
        text = (
            f"You have chosen to subscribe to the topic {topic}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        )
        url = f"http://127.0.0.1:{self._world.ports.aws}/?Action=ConfirmSubscription"
        body = self._envelope("SubscriptionConfirmation", id_, topic, text) | {
            "Token": token,
            "SubscribeURL": f"{url}&TopicArn={quote(topic)}&Token={token}",
        }
        delivery = _delivery(subscription, json.dumps(body))
        self._send(account, region, topic, body, [delivery])

    def _fan_out(
        self,
        topic: str,
        id_: str,
        message: str,
        subject: str,
        structure: str,
        attributes: dict[str, Any],
    ) -> None:
        module = ministack.service("sns")
        _, _, _, region, account, _ = topic.split(":", 5)
        known = module._topic_by_arn_any_scope(topic)
        body = self._envelope("Notification", id_, topic, message)
        body |= {"Subject": subject} if subject else {}
        deliveries = []
        for one in known["subscriptions"] if known else ():
            text = module._resolve_message_for_protocol(message, structure, one["protocol"])
            if one["confirmed"] and module._matches_filter_policy(one, attributes, text):
                raw = one["attributes"].get("RawMessageDelivery") == "true"
                own = body | {"Message": text} | _attributes(attributes)
                deliveries.append(_delivery(one, text if raw else json.dumps(own), raw))
        self._send(account, region, topic, body, deliveries)

    def _envelope(self, kind: str, id_: str, topic: str, message: str) -> dict[str, str]:
        region = topic.split(":")[3]
        return {
            "Type": kind,
            "MessageId": id_,
            "TopicArn": topic,
            "Message": message,
            "Timestamp": _iso(self._world.now()),
            "SignatureVersion": "1",
            "Signature": UNSIGNED,
            "SigningCertURL": f"https://sns.{region}.amazonaws.com/{UNSIGNED}.pem",
        }

    def _send(
        self,
        account: str,
        region: str,
        topic: str,
        body: dict[str, str],
        deliveries: list[Delivery],
    ) -> None:
        made = self._world.notifications.add(
            time=body["Timestamp"],
            region=region,
            topic=topic,
            type=body["Type"],
            message_id=body["MessageId"],
            subject=body.get("Subject", ""),
            message=body["Message"],
            deliveries=tuple(deliveries),
        )
        for one in deliveries:
            if one.fate is Fate.WAITING:
                args = {"number": made.n, "subscription": one.subscription, "account": account}
                self._world.timers.after(0, DELIVER, **args)

    def _deliver(self, number: int, subscription: str, account: str) -> None:
        made = self._world.notifications.get(number)
        one = next((one for one in _of(made) if one.subscription == subscription), None)
        if made is None or one is None or one.fate is not Fate.WAITING:
            return
        if stores.dark(self._world, made.region):
            self._again(number, subscription, account)
        elif one.protocol == "sqs":
            with ministack.scope(account, made.region):
                self._told(number, one, account, _to_queue(one, made.topic))
        else:
            self._speak(made, one, account)

    def _speak(self, made: Notification, one: Delivery, account: str) -> None:
        """Post it, on a thread if there is an event loop to come back to."""
        call = functools.partial(self.post, one.endpoint, one.body.encode(), _headers(made, one))
        told = functools.partial(self._told, made.n, one, account)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            told(call())
            return
        loop.run_in_executor(None, call).add_done_callback(lambda done: told(done.result()))

    def _told(self, number: int, one: Delivery, account: str, reason: str) -> None:
        tries = one.tries + 1
        last = tries >= TRIES
        fate = Fate.DELIVERED if not reason else Fate.FAILED if last else Fate.WAITING
        changes = {"fate": fate, "tries": tries, "reason": reason}
        self._world.notifications.tell(number, one.subscription, **changes)
        if fate is Fate.WAITING:
            self._again(number, one.subscription, account)
        self._world.vault.soon()

    def _again(self, number: int, subscription: str, account: str) -> None:
        args = {"number": number, "subscription": subscription, "account": account}
        self._world.timers.after(self._world.durations.sns_retry, DELIVER, **args)


def _delivery(subscription: dict[str, Any], body: str, raw: bool = False) -> Delivery:
    protocol, endpoint = subscription["protocol"], subscription["endpoint"]
    reachable = protocol == "sqs" or (protocol in ("http", "https") and is_here(endpoint))
    return Delivery(
        subscription=subscription["arn"],
        protocol=protocol,
        endpoint=endpoint,
        body=body,
        raw=raw,
        fate=Fate.WAITING if reachable else Fate.KEPT,
        reason="" if reachable else _KEPT,
    )


def _to_queue(one: Delivery, topic: str) -> str:
    """Put a message into a queue of ministack's; why that failed, or nothing."""
    queue = ministack.service("sqs")._queue_by_arn(one.endpoint)
    if queue is None:
        return "the queue does not exist"
    args = {"message_attributes": {}, "topic_arn": topic}
    ministack.service("sns")._deliver_to_sqs(one.endpoint, one.body, one.raw, one.body, **args)
    return ""


def _headers(made: Notification, one: Delivery) -> dict[str, str]:
    headers = {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-id": made.message_id,
        "x-amz-sns-message-type": made.type,
        "x-amz-sns-topic-arn": made.topic,
    }
    if made.type == "Notification":
        headers["x-amz-sns-subscription-arn"] = one.subscription
    return headers | ({"x-amz-sns-rawdelivery": "true"} if one.raw else {})


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    shown = {
        name: {"Type": one.get("DataType"), "Value": one.get("StringValue", "")}
        for name, one in attributes.items()
    }
    return {"MessageAttributes": shown} if shown else {}


def _of(made: Notification | None) -> Iterator[Delivery]:
    return iter(made.deliveries if made else ())


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
