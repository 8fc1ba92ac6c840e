"""From a metric to a subscriber, over the wire: CloudWatch, SNS and HTTP as boto3 and a hook see them."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import urllib3

from tests.local_world import LocalWorld

PATIENCE = 15.0  # real seconds


class Hook:
    """An HTTP endpoint that keeps what is posted to it."""

    def __init__(self) -> None:
        self.posts: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # http.server's name
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.posts.put((self.headers["x-amz-sns-message-type"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next message, when it is there."""
        return self.posts.get(timeout=PATIENCE)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A running endpoint."""
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_an_alarm_reaches_an_http_subscriber(local_regions: LocalWorld, hook: Hook) -> None:
    """It confirms with its token, then gets the alarm's message when the metric stays away."""
    sns, cloudwatch = local_regions.aws("sns"), local_regions.aws("cloudwatch")
    topic = sns.create_topic(Name="hooked")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
    kind, asked = hook.next()
    assert kind == "SubscriptionConfirmation"
    sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
    cloudwatch.put_metric_alarm(
        AlarmName="silence",
        Namespace="Peccy",
        MetricName="Beats",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
        AlarmActions=[topic],
    )
    kind, told = hook.next()
    assert kind == "Notification"
    message = json.loads(told["Message"])
    assert (message["AlarmName"], message["NewStateValue"]) == ("silence", "ALARM")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["silence"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    actions = cloudwatch.describe_alarm_history(AlarmName="silence", HistoryItemType="Action")
    summaries = [one["HistorySummary"] for one in actions["AlarmHistoryItems"]]
    assert summaries == [f"Successfully executed action {topic}"]
    cloudwatch.delete_alarms(AlarmNames=["silence"])
    sns.delete_topic(TopicArn=topic)


def test_quotas_are_asked_over_the_wire(local_regions: LocalWorld) -> None:
    """By the name that signs, which is not boto3's."""
    quotas = local_regions.aws("service-quotas", "tokyo")
    found = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]
    assert found["Value"] == 256
    pages = quotas.get_paginator("list_service_quotas").paginate(
        ServiceCode="eks", PaginationConfig={"PageSize": 1}
    )
    assert len([one for page in pages for one in page["Quotas"]]) == 3


@pytest.mark.parametrize("alias", ["seoul", "tokyo"])
def test_the_link_in_the_message_confirms_without_a_signature(
    local_regions: LocalWorld, hook: Hook, alias: str
) -> None:
    """It reaches the SNS of the Region in its ARN, and stands in the call log as a call there."""
    sns = local_regions.aws("sns", alias)
    topic = sns.create_topic(Name="linked")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
    link = hook.next()[1]["SubscribeURL"]
    seen = [one.n for one in local_regions.control.calls()]
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", link, retries=False)
        wrong = pool.request("GET", f"{link}0", retries=False)
    assert answer.status == 200
    assert b"<SubscriptionArn>arn:aws:sns:" in answer.data
    assert (wrong.status, b"InvalidParameter" in wrong.data) == (400, True)
    [told] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert told["SubscriptionArn"].startswith(topic)
    call = next(local_regions.control.calls(after=seen[-1]))
    assert (call.service, call.operation, call.region) == (
        *("sns", "ConfirmSubscription"),
        topic.split(":")[3],
    )


def test_any_other_call_of_sns_needs_a_signature(local_regions: LocalWorld) -> None:
    """A link to publish is nobody's."""
    topic = local_regions.aws("sns").create_topic(Name="closed")["TopicArn"]
    link = f"{local_regions.url}/?Action=Publish&TopicArn={topic}&Message=x"
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", link, retries=False)
    assert (answer.status, b"MissingAuthenticationToken" in answer.data) == (403, True)
