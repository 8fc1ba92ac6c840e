"""Stack `alerts`: keyed by Region as if it had either role; whoever is told can do something."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from platform_pipelines.model import Alerts, Platform
from tests.cfn import platforms
from tests.cfn.templates import PLATFORM, UNITS, in_stack, properties, resources, template

REGIONS = ("seoul", "tokyo")
each_region = pytest.mark.parametrize("alias", REGIONS)


def _alarms(alias: str, platform: Platform = PLATFORM) -> dict[str, Any]:
    return {
        one["Properties"]["AlarmName"]: one["Properties"]
        for one in resources(alias, "alerts", platform).values()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }


def _dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in alarm["Dimensions"]}


@each_region
def test_a_secondarys_lag_is_watched_in_both_regions(alias: str) -> None:
    """Each by its own cluster's metric, which is there only while the cluster is a secondary."""
    lag, rpo = (_alarms(alias)[f"peccy-{kind}-database-peccy"] for kind in ("lag", "rpo"))
    assert lag["MetricName"] == "AuroraGlobalDBReplicationLag"
    assert rpo["MetricName"] == "AuroraGlobalDBRPOLag"
    for alarm in (lag, rpo):
        assert _dimensions(alarm) == {"DBClusterIdentifier": f"peccy-peccy-{alias}"}
        assert alarm["TreatMissingData"] == "notBreaching"


@each_region
def test_a_sources_lag_is_watched_in_both_regions(alias: str) -> None:
    """From this Region's file system to the other's, whichever way the replication runs now."""
    for kind in ("lag", "rpo"):
        alarm = _alarms(alias)[f"peccy-{kind}-files-pictures"]
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/EFS", "TimeSinceLastSync")
        assert _dimensions(alarm) == {
            "FileSystemId": {"Fn::Select": [0, {"Ref": "FileSystems"}]},
            "DestinationFileSystemId": {"Fn::Select": [0, {"Ref": "PeerFileSystems"}]},
        }
        assert alarm["TreatMissingData"] == "notBreaching"


def test_thresholds_are_the_policys() -> None:
    """What a failover would ask a person about, and what the objective allows: in the metric's unit."""
    policy = {
        "failover": {"approval_lag": {"efs": "25m", "aurora": "90s"}},
        "objectives": {
            "zone_down": {"rpo": "0s", "rto": "10m"},
            "region_down": {"rpo": "5m", "rto": "30m"},
        },
    }
    alarms = _alarms("seoul", platforms.changed(**policy))
    assert alarms["peccy-lag-database-peccy"]["Threshold"] == 90_000
    assert alarms["peccy-rpo-database-peccy"]["Threshold"] == 300_000
    assert alarms["peccy-lag-files-pictures"]["Threshold"] == 25 * 60
    assert alarms["peccy-rpo-files-pictures"]["Threshold"] == 5 * 60


def test_several_file_systems_are_told_apart_by_their_order() -> None:
    """The same order in which stack `files` gives their ids."""
    platform = platforms.changed(file_systems=[{"name": "cache"}, {"name": "pictures"}])
    alarm = _alarms("tokyo", platform)["peccy-lag-files-pictures"]
    assert _dimensions(alarm)["FileSystemId"] == {"Fn::Select": [1, {"Ref": "FileSystems"}]}
    unit = next(unit for unit in UNITS if unit.key == ("tokyo", "files"))
    ids = template(unit, platform)["Outputs"]["FileSystems"]["Value"]
    assert ids == {"Fn::Join": [",", [{"Ref": "FileSystemCache"}, {"Ref": "FileSystemPictures"}]]}


@each_region
def test_every_alarm_tells_its_beginning_and_its_end_and_what_to_do(alias: str) -> None:
    """An alarm that nobody can act on would be switched off."""
    for name, alarm in _alarms(alias).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "TopicAlarms"}], name
        assert alarm["AlarmDescription"].endswith(".")
        assert len(alarm["AlarmDescription"]) <= 1024


@each_region
def test_health_and_capacity_are_watched(alias: str) -> None:
    """Nodes, instances, their room, and the quota that a takeover needs."""
    assert _alarms(alias).keys() >= {
        *("peccy-nodes-failed", "peccy-restarted-peccy", "peccy-drill-stop"),
        *("peccy-nodes-cpu", "peccy-nodes-memory", "peccy-nodes-filesystem"),
        *("peccy-cpu-peccy", "peccy-storage-peccy", "peccy-storage-control", "peccy-quota-vcpu"),
    }


def test_silence_is_trouble_where_both_roles_have_the_metric() -> None:
    """Nodes and DB instances are in both Regions: without data, something is broken."""
    silent = {
        name for name, one in _alarms("tokyo").items() if one["TreatMissingData"] == "breaching"
    }
    assert silent == {"peccy-nodes-failed", "peccy-restarted-peccy"}


def test_a_quota_is_judged_by_how_much_of_it_is_used() -> None:
    """CloudWatch knows the quota; the alarm's metrics are inputs of one expression."""
    alarm = _alarms("tokyo")["peccy-quota-vcpu"]
    shown, usage = alarm["Metrics"]
    assert shown["Expression"] == "100 * m0 / SERVICE_QUOTA(m0)"
    assert (shown["ReturnData"], usage["ReturnData"]) == (True, False)
    assert usage["Id"] == "m0"


@each_region
def test_topics_are_encrypted_and_their_senders_may_use_the_key(alias: str) -> None:
    """Without a word in the key's policy an alarm would be dropped in silence."""
    for title in ("TopicAlarms", "TopicDeliveries"):
        assert properties(alias, "alerts", title)["KmsMasterKeyId"] == {"Ref": "Key"}
    senders = {
        statement["Principal"]["Service"]
        for title in ("TopicAlarmsPolicy", "TopicDeliveriesPolicy")
        for statement in properties(alias, "alerts", title)["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }
    assert senders == {"cloudwatch.amazonaws.com", "codestar-notifications.amazonaws.com"}
    key = properties(alias, "keys", "Key")["KeyPolicy"]["Statement"]
    allowed = {one["Principal"].get("Service") for one in key if one["Effect"] == "Allow"}
    assert senders <= allowed


@each_region
def test_nobody_else_publishes(alias: str) -> None:
    """One service for each topic, over TLS; alarms of this account only. Notification rules are held
    to nothing that AWS does not document: they would fall silent."""
    own = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    for title, condition in (("TopicAlarmsPolicy", own), ("TopicDeliveriesPolicy", None)):
        may, denied = properties(alias, "alerts", title)["PolicyDocument"]["Statement"]
        assert may.get("Condition") == condition
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@each_region
def test_every_pipeline_says_how_it_ended(alias: str) -> None:
    """Its rule names the pipeline of the same Region, which the delivery stack makes."""
    made = {
        one["Properties"]["Name"]
        for one in resources(alias, "delivery").values()
        if one["Type"] == "AWS::CodePipeline::Pipeline"
    }
    rules = [
        one["Properties"]
        for one in resources(alias, "alerts").values()
        if one["Type"] == "AWS::CodeStarNotifications::NotificationRule"
    ]
    prefix = f"arn:aws:codepipeline:{PLATFORM.region(alias).name}:111122223333:"
    assert {rule["Resource"] for rule in rules} == {prefix + name for name in made}
    for rule in rules:
        assert {one.rpartition("-")[2] for one in rule["EventTypeIds"]} == {
            *("failed", "canceled", "succeeded")
        }
        assert rule["Targets"] == [
            {"TargetType": "SNS", "TargetAddress": {"Ref": "TopicDeliveries"}}
        ]


def test_one_slack_channel_hears_both_regions() -> None:
    """AWS takes one configuration of a channel; it has all four topics."""
    (chat,) = in_stack("AWS::Chatbot::SlackChannelConfiguration", "alerts")
    home = "arn:aws:sns:ap-northeast-2:111122223333:peccy"
    assert chat["SnsTopicArns"] == [
        {"Ref": "TopicAlarms"},
        {"Ref": "TopicDeliveries"},
        f"{home}-alarms",
        f"{home}-deliveries",
    ]
    assert {
        properties("seoul", "alerts", f"Topic{name}")["TopicName"]
        for name in ("Alarms", "Deliveries")
    } == {"peccy-alarms", "peccy-deliveries"}
    assert (chat["SlackWorkspaceId"], chat["SlackChannelId"]) == ("T0123ABCDE", "C0123ABCDE")


def test_chat_may_look_and_no_more() -> None:
    """Without a guardrail AWS would take AdministratorAccess as the limit."""
    (chat,) = in_stack("AWS::Chatbot::SlackChannelConfiguration", "alerts")
    assert chat["GuardrailPolicies"] == ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"]
    (policy,) = properties("tokyo", "alerts", "ChatRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert all(one.startswith("cloudwatch:") for one in statement["Action"])


def test_without_slack_there_are_topics_only() -> None:
    """Whoever wants to hear subscribes to them."""
    quiet = PLATFORM.model_copy(update={"alerts": Alerts()})
    assert "Chat" not in resources("tokyo", "alerts", quiet)
    assert "TopicAlarms" in resources("tokyo", "alerts", quiet)


def _body(alias: str, platform: Platform = PLATFORM) -> Any:
    """The dashboard's body, with a word for each value that CloudFormation fills in."""
    found = properties(alias, "alerts", "Dashboard", platform)["DashboardBody"]
    if isinstance(found, dict):
        _, parts = found["Fn::Join"]
        found = "".join(part if isinstance(part, str) else _filled(part) for part in parts)
    return json.loads(found)


def _filled(value: dict[str, Any]) -> str:
    number, source = value["Fn::Select"]
    return f"fs-{source['Ref']}-{number}"


@each_region
def test_the_dashboard_shows_every_alarm_and_its_metric(alias: str) -> None:
    """Its name says which Region it is: dashboards belong to the account."""
    assert properties(alias, "alerts", "Dashboard")["DashboardName"] == f"peccy-{alias}"
    widgets = _body(alias)["widgets"]
    (states,) = (one for one in widgets if one["type"] == "alarm")
    shown = {arn.rpartition(":")[2] for arn in states["properties"]["alarms"]}
    assert shown == _alarms(alias).keys()
    graphs = [one["properties"] for one in widgets if one["type"] == "metric"]
    thresholds = sorted(one["annotations"]["horizontal"][0]["value"] for one in graphs)
    assert thresholds == sorted(one["Threshold"] for one in _alarms(alias).values())
    assert {one["region"] for one in graphs} == {PLATFORM.region(alias).name}


def test_the_dashboards_file_systems_are_the_alarms() -> None:
    """The pair of each Region, filled in by CloudFormation."""
    rows = [
        row
        for one in _body("tokyo")["widgets"]
        if one["type"] == "metric"
        for row in one["properties"]["metrics"]
        if row[0] == "AWS/EFS"
    ]
    assert {tuple(row[2:6]) for row in rows} == {
        (
            *("FileSystemId", "fs-FileSystems-0"),
            *("DestinationFileSystemId", "fs-PeerFileSystems-0"),
        )
    }


def test_a_platform_without_file_systems_has_a_dashboard_too() -> None:
    """Then nothing has to be filled in."""
    bare = PLATFORM.model_copy(update={"file_systems": ()})
    assert isinstance(properties("seoul", "alerts", "Dashboard", bare)["DashboardBody"], str)
    assert _body("seoul", bare)["widgets"]


def _cells(widget: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for x in range(widget["x"], widget["x"] + widget["width"]):
        for y in range(widget["y"], widget["y"] + widget["height"]):
            yield x, y


@each_region
def test_no_widget_covers_another(alias: str) -> None:
    """The dashboard's grid is 24 wide."""
    cells = [cell for widget in _body(alias)["widgets"] for cell in _cells(widget)]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
