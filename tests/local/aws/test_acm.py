"""ACM: certificates that DNS validates, renews, and times out."""

from typing import Any

import pytest

from platform_pipelines.local.world import Outage
from tests.local.aws.accounts import DAY, SEOUL, TOKYO, Account

HOST = "www.peccy.example.com"
ASKED = {"DomainName": HOST, "ValidationMethod": "DNS"}


def requested(account: Account, region: str = SEOUL, **more: Any) -> str:
    """A certificate that is asked for; its ARN."""
    return str(account("acm", "RequestCertificate", region, **{**ASKED, **more})["CertificateArn"])


def detail(account: Account, arn: str) -> dict[str, Any]:
    """A certificate as it is described."""
    region = arn.split(":")[3]
    found: dict[str, Any] = account("acm", "DescribeCertificate", region, CertificateArn=arn)
    return dict(found["Certificate"])


def proofs(account: Account, arn: str) -> list[dict[str, str]]:
    """The records that ACM wants to see."""
    return [one["ResourceRecord"] for one in detail(account, arn)["DomainValidationOptions"]]


def zone(account: Account) -> str:
    """The id of a hosted zone for the host."""
    asked = {"Name": "peccy.example.com", "CallerReference": "1"}
    made = account("route53", "CreateHostedZone", "us-east-1", **asked)
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


def publish(account: Account, zone_id: str, record: dict[str, str], action: str = "UPSERT") -> None:
    """Put a record into the zone, or take it away."""
    wanted = {"Name": record["Name"], "Type": "CNAME", "TTL": 300}
    wanted |= {"ResourceRecords": [{"Value": record["Value"]}]}
    change = {"Changes": [{"Action": action, "ResourceRecordSet": wanted}]}
    asked = {"HostedZoneId": zone_id, "ChangeBatch": change}
    account("route53", "ChangeResourceRecordSets", "us-east-1", **asked)


def test_a_certificate_is_issued_when_its_names_are_proved(account: Account) -> None:
    """All of them; what proves them is told a moment after the request."""
    hosts = [f"seoul.{HOST}"]
    arn = requested(account, SubjectAlternativeNames=hosts)
    assert "ResourceRecord" not in detail(account, arn)["DomainValidationOptions"][0]
    account.wait(10)
    first, second = proofs(account, arn)
    zone_id = zone(account)
    publish(account, zone_id, first)
    account.wait(120)
    found = detail(account, arn)
    assert found["Status"] == "PENDING_VALIDATION"
    statuses = [one["ValidationStatus"] for one in found["DomainValidationOptions"]]
    assert statuses == ["SUCCESS", "PENDING_VALIDATION"]
    publish(account, zone_id, second)
    account.wait(120)
    found = detail(account, arn)
    assert (found["Status"], found["SubjectAlternativeNames"]) == ("ISSUED", [HOST, *hosts])
    assert found["NotAfter"] > found["NotBefore"]


def test_one_record_proves_a_name_in_both_regions(account: Account) -> None:
    """And for a wildcard under it: it belongs to the account and the domain."""
    seoul, tokyo = requested(account), requested(account, TOKYO)
    wild = requested(account, TOKYO, DomainName=f"*.{HOST}")
    account.wait(10)
    assert proofs(account, seoul) == proofs(account, tokyo) == proofs(account, wild)
    publish(account, zone(account), proofs(account, seoul)[0])
    account.wait(120)
    assert {detail(account, one)["Status"] for one in (seoul, tokyo, wild)} == {"ISSUED"}


def test_a_certificate_that_nobody_proves_times_out(account: Account) -> None:
    """After three days; a wrong value proves nothing, and then it is too late."""
    arn = requested(account)
    account.wait(10)
    (record,) = proofs(account, arn)
    zone_id = zone(account)
    publish(account, zone_id, record | {"Value": "_wrong.acm-validations.aws."})
    account.wait(3 * DAY + 120)
    assert detail(account, arn)["Status"] == "VALIDATION_TIMED_OUT"
    publish(account, zone_id, record)
    account.wait(DAY)
    assert detail(account, arn)["Status"] == "VALIDATION_TIMED_OUT"


def test_a_certificate_is_renewed_while_its_records_are_there(account: Account) -> None:
    """Under the same ARN; without them it expires."""
    arn, zone_id = requested(account), zone(account)
    account.wait(10)
    (record,) = proofs(account, arn)
    publish(account, zone_id, record)
    account.wait(120)
    first = detail(account, arn)["NotAfter"]
    account.wait(160 * DAY)
    assert detail(account, arn)["NotAfter"] > first
    publish(account, zone_id, record, "DELETE")
    account.wait(250 * DAY)
    assert detail(account, arn)["Status"] == "EXPIRED"


def test_nothing_is_issued_in_a_region_that_stands_still(account: Account) -> None:
    """It goes on when the Region is back."""
    arn = requested(account)
    account.wait(10)
    publish(account, zone(account), proofs(account, arn)[0])
    account.world.outages["seoul"] = Outage.HANG
    account.wait(600)
    assert detail(account, arn)["Status"] == "PENDING_VALIDATION"
    account.world.outages.clear()
    account.wait(120)
    assert detail(account, arn)["Status"] == "ISSUED"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"DomainName": "localhost"}, "InvalidParameterException"),
        ({"SubjectAlternativeNames": ["a..b.com"]}, "InvalidParameterException"),
        ({"ValidationMethod": "EMAIL"}, "NotImplemented"),
    ],
)
def test_a_wrong_request_is_refused(account: Account, wrong: dict[str, Any], code: str) -> None:
    """Names that are none, and validation that nobody would answer."""
    assert account.refused("acm", "RequestCertificate", **{**ASKED, **wrong}) == code


def test_a_repeated_request_makes_no_second_certificate(account: Account) -> None:
    """Within an hour, by its token."""
    token = {"IdempotencyToken": "once"}
    first = requested(account, **token)
    assert requested(account, **token) == first
    account.wait(3601)
    assert requested(account, **token) != first


def test_certificates_are_listed_by_status_and_tagged(account: Account) -> None:
    """In their Region; a deleted one is gone."""
    arn = requested(account, Tags=[{"Key": "stack", "Value": "certificates"}])
    key = {"CertificateArn": arn}
    account("acm", "AddTagsToCertificate", **key, Tags=[{"Key": "a", "Value": "b"}])
    account("acm", "RemoveTagsFromCertificate", **key, Tags=[{"Key": "stack"}])
    assert account("acm", "ListTagsForCertificate", **key)["Tags"] == [{"Key": "a", "Value": "b"}]
    pending = account("acm", "ListCertificates", CertificateStatuses=["PENDING_VALIDATION"])
    assert [one["DomainName"] for one in pending["CertificateSummaryList"]] == [HOST]
    issued = account("acm", "ListCertificates", CertificateStatuses=["ISSUED"])
    assert issued["CertificateSummaryList"] == []
    account("acm", "DeleteCertificate", **key)
    assert account.refused("acm", "DescribeCertificate", **key) == "ResourceNotFoundException"
    assert account.refused("acm", "DescribeCertificate", TOKYO, **key) == "InvalidArnException"
