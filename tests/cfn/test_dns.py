"""How traffic and signals move: the records and the checks behind them."""

import json
from typing import Any

import cfn
from platform_pipelines.model import Platform
from tests.cfn import platforms


def _resources(platform: Platform) -> dict[str, Any]:
    resources: dict[str, Any] = json.loads(cfn.rendered(platform)[platform.home, "dns"])[
        "Resources"
    ]
    return resources


def _check(resources: dict[str, Any], record: str) -> Any:
    reference = resources[record]["Properties"]["HealthCheckId"]["Ref"]
    return resources[reference]["Properties"]["HealthCheckConfig"]


def test_both_records_of_a_service_read_the_one_object_in_the_non_home_region() -> None:
    """Object there: Tokyo's check is healthy and Seoul's is not; gone or out of reach: the reverse."""
    resources = _resources(platforms.of_the_repository())
    home = _check(resources, "RecordPeccyAppSeoul")
    other = _check(resources, "RecordPeccyAppTokyo")
    assert (home["Inverted"], other["Inverted"]) == (True, False)
    for check in (home, other):
        assert check["Type"] == "HTTPS"
        assert check["FullyQualifiedDomainName"] == (
            "peccy-traffic-111122223333-ap-northeast-1.s3.ap-northeast-1.amazonaws.com"
        )
        assert check["ResourcePath"] == "/serving"
        assert (check["RequestInterval"], check["FailureThreshold"]) == (10, 2)


def test_a_service_fails_over_between_its_regional_names() -> None:
    """CNAMEs with a TTL of 30 s; home is PRIMARY whoever is active."""
    resources = _resources(platforms.of_the_repository())
    for alias, failover in (("Seoul", "PRIMARY"), ("Tokyo", "SECONDARY")):
        record = resources[f"RecordPeccyWeb{alias}"]["Properties"]
        assert record["Name"] == "www.peccy.example.com."
        assert (record["Type"], record["TTL"]) == ("CNAME", "30")
        assert record["Failover"] == failover
        assert record["ResourceRecords"] == [f"{alias.lower()}.www.peccy.example.com"]


def test_with_tokyo_as_home_the_object_is_in_seoul() -> None:
    """The bucket that counts is always the one outside of home."""
    check = _check(_resources(platforms.changed(home="tokyo")), "RecordPeccyAppTokyo")
    assert "ap-northeast-2" in check["FullyQualifiedDomainName"]
    assert check["Inverted"] is True


def test_the_signal_of_a_region_is_what_checkers_see_of_its_writing_service() -> None:
    """`up` needs a healthy check of the service that takes writes; `down` needs nothing."""
    resources = _resources(platforms.of_the_repository())
    for alias in ("seoul", "tokyo"):
        up = resources[f"SignalUp{alias.capitalize()}"]["Properties"]
        down = resources[f"SignalDown{alias.capitalize()}"]["Properties"]
        assert up["Name"] == down["Name"] == f"signal-{alias}.peccy.example.com."
        assert (up["Failover"], up["ResourceRecords"]) == ("PRIMARY", ['"up"'])
        assert (down["Failover"], down["ResourceRecords"]) == ("SECONDARY", ['"down"'])
        assert "HealthCheckId" not in down
        check = _check(resources, f"SignalUp{alias.capitalize()}")
        assert check["FullyQualifiedDomainName"] == f"{alias}.api.peccy.example.com"
        assert check["ResourcePath"] == "/livez"
        assert check["Inverted"] is False


def test_no_endpoint_check_steers_traffic() -> None:
    """Else DNS would move, or fail back, by itself."""
    resources = _resources(platforms.of_the_repository())
    names = [name for name in resources if name.startswith("Record")]
    assert len(names) == 4
    assert all(_check(resources, name)["ResourcePath"] == "/serving" for name in names)
