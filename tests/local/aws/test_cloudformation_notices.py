"""Topics, alarms and dashboards of stacks, as SNS and CloudWatch have them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stacks import Stacks, in_still_world, resource, template

WIDGET = {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6}
BODY = json.dumps(
    {"widgets": [WIDGET | {"properties": {"region": "ap-northeast-2", "metrics": []}}]}
)
ALARM = {
    "Namespace": "AWS/EFS",
    "MetricName": "TimeSinceLastSync",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    still = in_still_world(world)
    cloudwatch = still.world.aws("cloudwatch")
    for one in cloudwatch.list_dashboards()["DashboardEntries"]:
        cloudwatch.delete_dashboards(DashboardNames=[one["DashboardName"]])
    return still


def notices(threshold: float, name: str = "") -> dict[str, Any]:
    """A topic that alarms may write to, with a subscriber, an alarm, and one over that."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"Ref": "Topic"},
    }
    return template(
        Topic=resource("AWS::SNS::Topic", DisplayName=name or "alerts"),
        Policy=resource(
            "AWS::SNS::TopicPolicy",
            Topics=[{"Ref": "Topic"}],
            PolicyDocument={"Version": "2012-10-17", "Statement": [statement]},
        ),
        Mail=resource(
            "AWS::SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="email",
            Endpoint="ops@example.com",
        ),
        Lag=resource(
            "AWS::CloudWatch::Alarm",
            Threshold=threshold,
            AlarmActions=[{"Ref": "Topic"}],
            **ALARM,
        ),
        Any=resource("AWS::CloudWatch::CompositeAlarm", AlarmRule={"Fn::Sub": "ALARM(${Lag})"}),
    )


def board(name: str, body: str = BODY) -> dict[str, Any]:
    """A stack of one dashboard."""
    return template(
        Board=resource("AWS::CloudWatch::Dashboard", DashboardName=name, DashboardBody=body)
    )


def test_a_topic_tells_its_subscribers_and_lets_alarms_in(stacks: Stacks) -> None:
    """The policy is the topic's; the subscription waits for a person."""
    assert stacks.apply("seoul", "notices", notices(60)) == "CREATE_COMPLETE"
    sns = stacks.world.aws("sns")
    (topic,) = sns.list_topics()["Topics"]
    attributes = sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
    assert attributes["DisplayName"] == "alerts"
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    (sub,) = sns.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"]
    assert (sub["Endpoint"], sub["SubscriptionArn"]) == ("ops@example.com", "PendingConfirmation")
    assert stacks.delete("seoul", "notices") == "DELETE_COMPLETE"
    assert sns.list_topics()["Topics"] == []


def test_an_alarm_changes_in_place_and_keeps_its_state(stacks: Stacks) -> None:
    """Its action is the topic; a composite alarm follows it."""
    assert stacks.apply("seoul", "notices", notices(60)) == "CREATE_COMPLETE"
    cloudwatch = stacks.world.aws("cloudwatch")
    (before,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert before["AlarmActions"][0].startswith("arn:aws:sns:")
    stacks.wait(120)
    assert stacks.apply("seoul", "notices", notices(90, "other")) == "UPDATE_COMPLETE"
    (after,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (after["AlarmArn"], after["Threshold"]) == (before["AlarmArn"], 90)
    assert after["StateValue"] == "OK"
    (rule,) = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert rule["AlarmRule"] == f"ALARM({after['AlarmName']})"


def test_what_somebody_changes_by_hand_has_drifted(stacks: Stacks) -> None:
    """A topic's policy, an alarm's threshold, a dashboard's body; the numbers' form is no drift."""
    body = notices(60.0)
    body["Resources"] |= board("drifts")["Resources"]
    assert stacks.apply("seoul", "notices", body) == "CREATE_COMPLETE"
    client = stacks.client("seoul")

    def statuses() -> dict[str, str]:
        client.detect_stack_drift(StackName="notices")
        stacks.wait(30)
        found = client.describe_stack_resource_drifts(StackName="notices")["StackResourceDrifts"]
        return {one["LogicalResourceId"]: one["StackResourceDriftStatus"] for one in found}

    names = ("Any", "Board", "Lag", "Mail", "Policy", "Topic")
    assert statuses() == dict.fromkeys(names, "IN_SYNC")
    cloudwatch, sns = stacks.world.aws("cloudwatch"), stacks.world.aws("sns")
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    cloudwatch.put_metric_alarm(AlarmName=alarm["AlarmName"], Threshold=61.0, **ALARM)
    cloudwatch.put_dashboard(DashboardName="drifts", DashboardBody='{"widgets": []}')
    arn = sns.list_topics()["Topics"][0]["TopicArn"]
    policy = '{"Version": "2012-10-17", "Statement": []}'
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    changed = {name for name, status in statuses().items() if status == "MODIFIED"}
    assert changed == {"Board", "Lag", "Policy"}


def test_a_dashboard_belongs_to_no_region(stacks: Stacks) -> None:
    """Tokyo sees Seoul's, and cannot have one of the same name."""
    assert stacks.apply("seoul", "board", board("peccy")) == "CREATE_COMPLETE"
    tokyo = stacks.world.aws("cloudwatch", "tokyo")
    (entry,) = tokyo.list_dashboards()["DashboardEntries"]
    assert entry["DashboardArn"] == "arn:aws:cloudwatch::111122223333:dashboard/peccy"
    assert stacks.plan("tokyo", "board", board("peccy"))["Status"] == "FAILED"
    assert stacks.delete("seoul", "board") == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="Dashboard peccy does not exist"):
        tokyo.get_dashboard(DashboardName="peccy")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "must be a valid JSON object"),
        ("{}", "widgets is required"),
        (json.dumps({"widgets": [WIDGET]}), "required property 'properties'"),
        (json.dumps({"widgets": [{**WIDGET, "properties": {}}]}), "required property 'region'"),
        (json.dumps({"widgets": [{"type": "map", "properties": {}}]}), "Should be one of"),
        (json.dumps({"widgets": [{"type": "text", "width": 25, "properties": {}}]}), "<= 24"),
    ],
)
def test_what_is_no_dashboard_is_refused(stacks: Stacks, body: str, words: str) -> None:
    """With what is wrong in it; none is made."""
    cloudwatch = stacks.world.aws("cloudwatch")
    with pytest.raises(ClientError, match=words):
        cloudwatch.put_dashboard(DashboardName="wrong", DashboardBody=body)
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_tags_of_dashboards_are_kept(stacks: Stacks) -> None:
    """By the stack, and by hand."""
    tags = [{"Key": "team", "Value": "ops"}]
    assert stacks.apply("seoul", "board", board("tagged"), Tags=tags) == "CREATE_COMPLETE"
    cloudwatch = stacks.world.aws("cloudwatch")
    arn = "arn:aws:cloudwatch::111122223333:dashboard/tagged"
    assert tags[0] in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert tags[0] not in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    with pytest.raises(ClientError, match="not found"):
        cloudwatch.tag_resource(ResourceARN=f"{arn}-2", Tags=tags)
