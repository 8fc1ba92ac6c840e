"""Route 53's control plane: changes that spread, batches that are refused, checks that are changed."""

from typing import Any

import pytest

from platform_pipelines.local.aws.route53 import Route53, upsert_record
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import Outage
from tests.local.aws.regions import Regions

HOST = "www.peccy.example.com"
CHECK = {"Type": "HTTP", "FullyQualifiedDomainName": HOST, "RequestInterval": 10}


class Control:
    """Route 53 as boto3 calls it, with one zone."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        made = self("CreateHostedZone", Name="peccy.example.com", CallerReference="zone")
        self.created = made["ChangeInfo"]
        self.zone = made["HostedZone"]["Id"].rpartition("/")[2]

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.regions("seoul", "route53", operation, **params)

    def change(self, action: str = "CREATE", **record: Any) -> dict[str, Any]:
        """Change one record, and say how far that is."""
        wanted = {"Name": HOST, "Type": "A", **record}
        if "AliasTarget" not in wanted:
            wanted = {"TTL": 30, "ResourceRecords": [{"Value": "192.0.2.1"}]} | wanted
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": wanted}]}
        answer = self("ChangeResourceRecordSets", HostedZoneId=self.zone, ChangeBatch=batch)
        info: dict[str, Any] = answer["ChangeInfo"]
        return info

    def answers(self, name: str = HOST) -> list[str]:
        """What the zone's servers say."""
        asked = {"HostedZoneId": self.zone, "RecordName": name, "RecordType": "A"}
        data: list[str] = self("TestDNSAnswer", **asked)["RecordData"]
        return data

    def status(self, change: str) -> str:
        """Of a change."""
        return str(self("GetChange", Id=change)["ChangeInfo"]["Status"])

    def check(self, reference: str = "check", **config: Any) -> dict[str, Any]:
        """Make a health check."""
        asked = {"CallerReference": reference, "HealthCheckConfig": CHECK | config}
        made: dict[str, Any] = self("CreateHealthCheck", **asked)["HealthCheck"]
        return made


@pytest.fixture
def control(regions: Regions) -> Control:
    """A zone for peccy.example.com."""
    return Control(regions)


def test_a_change_is_answered_when_it_has_spread(control: Control) -> None:
    """The API knows it at once, the servers half a minute later."""
    info = control.change()
    assert info["Status"] == "PENDING"
    listed = control("ListResourceRecordSets", HostedZoneId=control.zone)["ResourceRecordSets"]
    assert f"{HOST}." in [one["Name"] for one in listed]
    assert control.answers() == []
    control.regions.advance(29)
    assert control.status(info["Id"]) == "PENDING"
    control.regions.advance(1)
    assert control.status(info["Id"]) == "INSYNC"
    assert control.answers() == ["192.0.2.1"]


def test_changes_spread_in_their_order(control: Control) -> None:
    """A second one does not take the first with it."""
    control.change()
    control.regions.advance(20)
    control.change("UPSERT", ResourceRecords=[{"Value": "192.0.2.2"}])
    control.regions.advance(10)
    assert control.answers() == ["192.0.2.1"]
    control.regions.advance(20)
    assert control.answers() == ["192.0.2.2"]


def test_what_controllers_publish_is_there_meanwhile(control: Control) -> None:
    """A pending change of another name does not hide it, or bring it back."""
    other = f"seoul.{HOST}"
    control.change()
    upsert_record(control.regions.world, other, "A", ["192.0.2.9"])
    assert control.answers(other) == ["192.0.2.9"]
    control.regions.advance(30)
    assert control.answers(other) == ["192.0.2.9"]


def test_without_us_east_1_nothing_spreads_but_all_is_answered(control: Control) -> None:
    """The control plane is there, the servers are not."""
    control.change()
    control.regions.advance(30)
    info = control.change("UPSERT", ResourceRecords=[{"Value": "192.0.2.2"}])
    control.regions.world.outages["us-east-1"] = Outage.HANG
    control.regions.advance(600)
    assert control.answers() == ["192.0.2.1"]
    control.regions.world.outages.clear()
    control.regions.advance(5)
    assert control.status(info["Id"]) == "INSYNC"
    assert control.answers() == ["192.0.2.2"]


def test_a_new_zone_is_in_sync_after_a_while(control: Control) -> None:
    """Its change has an id too."""
    assert control.status(control.created["Id"]) == "PENDING"
    control.regions.advance(31)
    assert control.status(control.created["Id"]) == "INSYNC"
    with pytest.raises(Fault, match="NoSuchChange"):
        control.status("/change/C0")


ALIAS = {"HostedZoneId": "Z1", "DNSName": "x.elb.amazonaws.com", "EvaluateTargetHealth": False}


@pytest.mark.parametrize(
    ("action", "record", "code", "words"),
    [
        ("CREATE", {"Name": "www.example.org"}, "InvalidChangeBatch", "not permitted in zone"),
        ("CREATE", {"Failover": "PRIMARY"}, "InvalidChangeBatch", "SetIdentifier"),
        ("CREATE", {"SetIdentifier": "one"}, "InvalidChangeBatch", "SetIdentifier"),
        ("CREATE", {"AliasTarget": ALIAS, "TTL": 5}, None, ""),
        ("CREATE", {"ResourceRecords": []}, "InvalidChangeBatch", "alias target"),
        ("CREATE", {"Name": "peccy.example.com", "Type": "CNAME"}, "InvalidChangeBatch", "apex"),
        ("DELETE", {}, "InvalidChangeBatch", "was not found"),
        ("CREATE", {"HealthCheckId": "gone"}, "NoSuchHealthCheck", "gone"),
        ("CREATE", {"Weight": 1, "SetIdentifier": "one"}, "NotImplemented", "Weight"),
        ("CREATE", {"Name": f"*.{HOST}"}, "NotImplemented", "wildcard"),
    ],
)
def test_a_record_that_cannot_be_is_refused(
    control: Control, action: str, record: dict[str, Any], code: str | None, words: str
) -> None:
    """With Route 53's code, and why."""
    if code is None:
        control.change(action, **record)
        return
    with pytest.raises(Fault, match=words) as caught:
        control.change(action, **record)
    assert caught.value.code == code


def test_records_must_fit_to_their_neighbours(control: Control) -> None:
    """A CNAME is alone, a name has one policy, and a pair has one of each role."""
    pair: dict[str, Any] = {"Type": "CNAME", "ResourceRecords": [{"Value": "x.example.org"}]}
    control.change(**pair, Failover="PRIMARY", SetIdentifier="one")
    with pytest.raises(Fault, match="there is a PRIMARY"):
        control.change(**pair, Failover="PRIMARY", SetIdentifier="two")
    with pytest.raises(Fault, match="other RRSets exist"):
        control.change(**pair)
    with pytest.raises(Fault, match="CNAME must be alone"):
        control.change()
    control.change(**pair, Failover="SECONDARY", SetIdentifier="two")
    with pytest.raises(Fault, match="already exists"):
        control.change(**pair, Failover="SECONDARY", SetIdentifier="two")


def test_a_batch_is_all_or_nothing(control: Control) -> None:
    """A record before the wrong one is not made either."""
    record = {"Name": HOST, "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    changes = [
        {"Action": "CREATE", "ResourceRecordSet": record},
        {"Action": "CREATE", "ResourceRecordSet": record},
    ]
    with pytest.raises(Fault, match="already exists"):
        control(
            "ChangeResourceRecordSets", HostedZoneId=control.zone, ChangeBatch={"Changes": changes}
        )
    listed = control("ListResourceRecordSets", HostedZoneId=control.zone)["ResourceRecordSets"]
    assert {one["Type"] for one in listed} == {"NS", "SOA"}
    (servers,) = [one for one in listed if one["Type"] == "NS"]
    with pytest.raises(Fault, match="at least one NS"):
        control.change("DELETE", **servers)


def test_a_health_check_is_read_back_as_it_is(control: Control) -> None:
    """With its defaults, and after each change."""
    made = control.check(Disabled=True)
    config = control("GetHealthCheck", HealthCheckId=made["Id"])["HealthCheck"]["HealthCheckConfig"]
    assert config["Disabled"] is True
    assert config["Inverted"] is False
    assert (config["Port"], config["FailureThreshold"]) == (80, 3)
    changed = control(
        "UpdateHealthCheck", HealthCheckId=made["Id"], HealthCheckVersion=1, Disabled=False
    )["HealthCheck"]
    assert changed["HealthCheckVersion"] == 2
    assert changed["HealthCheckConfig"]["Disabled"] is False
    with pytest.raises(Fault, match="HealthCheckVersionMismatch"):
        control("UpdateHealthCheck", HealthCheckId=made["Id"], HealthCheckVersion=1, Inverted=True)


def test_the_same_reference_makes_one_check(control: Control) -> None:
    """Unless its settings differ."""
    made = control.check()
    assert control.check()["Id"] == made["Id"]
    with pytest.raises(Fault, match="HealthCheckAlreadyExists"):
        control.check(Inverted=True)
    assert control("GetHealthCheckCount")["HealthCheckCount"] == 1
    control("DeleteHealthCheck", HealthCheckId=made["Id"])
    with pytest.raises(Fault, match="NoSuchHealthCheck"):
        control("GetHealthCheck", HealthCheckId=made["Id"])


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"Type": "HTTP_STR_MATCH"}, "InvalidInput"),
        ({"RequestInterval": 20}, "InvalidInput"),
        ({"Type": "CALCULATED", "ChildHealthChecks": ["gone"]}, "InvalidInput"),
        ({"Type": "CLOUDWATCH_METRIC"}, "InvalidInput"),
        ({"Type": "RECOVERY_CONTROL"}, "NotImplemented"),
    ],
)
def test_a_check_that_cannot_look_is_refused(
    control: Control, config: dict[str, Any], code: str
) -> None:
    """As Route 53 does."""
    with pytest.raises(Fault) as caught:
        control.check(**config)
    assert caught.value.code == code


def test_checks_are_listed_in_pages(control: Control) -> None:
    """The marker is the next page's first."""
    made = sorted(control.check(str(number))["Id"] for number in range(3))
    first = control("ListHealthChecks", MaxItems="2")
    assert [one["Id"] for one in first["HealthChecks"]] == made[:2]
    rest = control("ListHealthChecks", Marker=first["NextMarker"])
    assert [one["Id"] for one in rest["HealthChecks"]] == made[2:]
    assert (first["IsTruncated"], rest["IsTruncated"]) == (True, False)


def test_a_check_may_follow_an_alarm(control: Control) -> None:
    """In whichever Region it is; without data it says what it was told to say."""
    named = {"Region": "ap-northeast-1", "Name": "lag"}
    own = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": named}
    sick = control.check("sick", **own, InsufficientDataHealthStatus="Unhealthy")["Id"]
    last = control.check("last", **own, InsufficientDataHealthStatus="LastKnownStatus")["Id"]
    service = control.regions.services["route53"]
    assert isinstance(service, Route53)
    control.regions.advance(10)
    assert (service.checks.healthy(sick), service.checks.healthy(last)) == (False, True)
    control.regions(
        "tokyo",
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName="lag",
        Namespace="Peccy",
        MetricName="Lag",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )
    control.regions.advance(80)
    assert (service.checks.healthy(sick), service.checks.healthy(last)) == (False, False)


def test_what_the_checkers_saw_is_kept_over_a_restart(control: Control) -> None:
    """As JSON values, and back."""
    made = control.check()["Id"]
    control.regions.advance(30)
    service = control.regions.services["route53"]
    assert isinstance(service, Route53)
    assert not service.checks.healthy(made)
    kept = service.dump()
    service.load({"round": 0, "seen": {}})
    assert service.checks.healthy(made)
    service.load(kept)
    assert not service.checks.healthy(made)
    assert service.dump() == kept
