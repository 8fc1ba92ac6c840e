"""Service quotas: AWS's defaults, what the account has, and asking for more."""

from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.quotas import EC2_VCPUS
from tests.local.aws.regions import Regions

VCPUS = {"ServiceCode": "ec2", "QuotaCode": EC2_VCPUS}


def quota(regions: Regions, operation: str = "GetServiceQuota", **asked: Any) -> dict[str, Any]:
    """One quota in Tokyo."""
    found: dict[str, Any] = regions("tokyo", "service-quotas", operation, **asked)["Quota"]
    return found


def ask(regions: Regions, value: float) -> dict[str, Any]:
    """Ask for more vCPUs in Tokyo."""
    answer = regions(
        "tokyo", "service-quotas", "RequestServiceQuotaIncrease", **VCPUS, DesiredValue=value
    )
    request: dict[str, Any] = answer["RequestedQuota"]
    return request


def test_the_account_has_more_than_a_new_one(regions: Regions) -> None:
    """The default does not reflect what was granted."""
    assert quota(regions, **VCPUS)["Value"] == 256
    assert quota(regions, "GetAWSDefaultServiceQuota", **VCPUS)["Value"] == 5


def test_an_increase_is_granted_after_a_while_in_one_region(regions: Regions) -> None:
    """PENDING, then APPROVED; the other Region stays as it is."""
    request = ask(regions, 512)
    assert request["Status"] == "PENDING"
    assert quota(regions, **VCPUS)["Value"] == 256
    regions.advance(1800)
    found = regions(
        "tokyo", "service-quotas", "GetRequestedServiceQuotaChange", RequestId=request["Id"]
    )["RequestedQuota"]
    assert found["Status"] == "APPROVED"
    assert quota(regions, **VCPUS)["Value"] == 512
    assert regions.world.quotas.value("ap-northeast-1", "ec2", EC2_VCPUS) == 512
    assert regions.world.quotas.value("ap-northeast-2", "ec2", EC2_VCPUS) == 256


def test_a_denied_increase_changes_nothing(regions: Regions) -> None:
    """A fault says so."""
    fault = {"kind": "transition", "transition": "quota_increase", "ending": "failed"}
    regions.world.faults.add(fault)
    ask(regions, 512)
    regions.advance(1800)
    found = regions(
        "tokyo", "service-quotas", "ListRequestedServiceQuotaChangeHistoryByQuota", **VCPUS
    )["RequestedQuotas"]
    assert [one["Status"] for one in found] == ["DENIED"]
    assert quota(regions, **VCPUS)["Value"] == 256


def test_one_request_at_a_time_and_only_for_more(regions: Regions) -> None:
    """With AWS's codes."""
    with pytest.raises(Fault, match="IllegalArgumentException"):
        ask(regions, 256)
    ask(regions, 300)
    with pytest.raises(Fault, match="ResourceAlreadyExistsException"):
        ask(regions, 400)


def test_quotas_are_listed_in_pages(regions: Regions) -> None:
    """By service; a global service's only in us-east-1."""
    services = regions("tokyo", "service-quotas", "ListServices")["Services"]
    assert "eks" in [one["ServiceCode"] for one in services]
    asked = {"ServiceCode": "eks", "MaxResults": 2}
    first = regions("tokyo", "service-quotas", "ListServiceQuotas", **asked)
    rest = regions(
        "tokyo", "service-quotas", "ListServiceQuotas", **asked, NextToken=first["NextToken"]
    )
    assert [len(first["Quotas"]), len(rest["Quotas"])] == [2, 1]
    defaults = regions("tokyo", "service-quotas", "ListAWSDefaultServiceQuotas", ServiceCode="eks")
    assert len(defaults["Quotas"]) == 3
    with pytest.raises(Fault, match="NoSuchResourceException"):
        regions("tokyo", "service-quotas", "ListServiceQuotas", ServiceCode="route53")
    with pytest.raises(Fault, match="InvalidPaginationTokenException"):
        regions("tokyo", "service-quotas", "ListServices", NextToken="x")


def test_unknown_quotas_and_requests_are_refused(regions: Regions) -> None:
    """As not there."""
    with pytest.raises(Fault, match="NoSuchResourceException"):
        quota(regions, ServiceCode="ec2", QuotaCode="L-0")
    with pytest.raises(Fault, match="NoSuchResourceException"):
        regions("tokyo", "service-quotas", "GetRequestedServiceQuotaChange", RequestId="x")
    with pytest.raises(KeyError):
        regions.world.quotas.value("ap-northeast-1", "ec2", "L-0")


def test_requests_and_grants_are_kept_over_a_restart(regions: Regions) -> None:
    """The quotas with the world, the requests with the service."""
    ask(regions, 512)
    service, quotas = regions.services["service-quotas"], regions.world.quotas
    kept = service.dump()
    service.load({})
    service.load(kept)
    regions.advance(1800)
    granted = quotas.dump()
    quotas.load({})
    assert quota(regions, **VCPUS)["Value"] == 256
    quotas.load(granted)
    assert quota(regions, **VCPUS)["Value"] == 512
