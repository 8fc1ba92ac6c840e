"""Where ACM looks for the records that prove a domain: in the hosted zones of the local Regions.

Validation goes over public DNS, so an outage of Route 53's control plane does not stop it.
"""

from collections.abc import Callable, Mapping

from platform_pipelines.local.aws.service import Call, Result
from platform_pipelines.local.world import GLOBAL_REGION

Answer = Callable[[Call], Result]


def is_published(answer: Answer, account: str, record: Mapping[str, str]) -> bool:
    """Whether the zone that a name belongs to has this record."""
    zone = _zone(answer, account, record["Name"])
    if zone is None:
        return False
    asked = {
        "HostedZoneId": zone,
        "StartRecordName": record["Name"],
        "StartRecordType": record["Type"],
        "MaxItems": "1",
    }
    found = _ask(answer, account, "ListResourceRecordSets", asked)["ResourceRecordSets"]
    return any(
        _name(one["Name"]) == _name(record["Name"])
        and one["Type"] == record["Type"]
        and _name(record["Value"]) in {_name(each["Value"]) for each in one["ResourceRecords"]}
        for one in found
    )


def _zone(answer: Answer, account: str, name: str) -> str | None:
    """The id of the public zone that answers for a name: the one of the longest name."""
    zones = _ask(answer, account, "ListHostedZones", {})["HostedZones"]
    fitting = [
        (len(one["Name"]), one["Id"])
        for one in zones
        if f".{_name(name)}".endswith(f".{_name(one['Name'])}")
        and not one.get("Config", {}).get("PrivateZone")
    ]
    return max(fitting)[1].rpartition("/")[2] if fitting else None


def _ask(answer: Answer, account: str, operation: str, params: dict[str, str]) -> Result:
    return answer(
        Call(
            service="route53",
            operation=operation,
            params=params,
            region=GLOBAL_REGION,
            account=account,
            request_id="acm",
        )
    )


def _name(text: str) -> str:
    return text.rstrip(".").lower()
