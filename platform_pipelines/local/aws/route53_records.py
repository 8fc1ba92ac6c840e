"""A change batch of Route 53: all of it or nothing, checked as Route 53 does.

Simple, failover and multivalue records only; the other routing policies are not implemented here.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from collections.abc import Sequence
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault, Params, not_implemented

Record = dict[str, Any]

INVALID = "InvalidChangeBatch"
_ABSENT = ("Weight", "Region", "GeoLocation", "CidrRoutingConfig", "GeoProximityLocation")
_POLICIES = ("Failover", "MultiValueAnswer")


def apply(zone: Record, records: Sequence[Record], changes: Sequence[Params]) -> list[Record]:
    """The zone's records after a batch. Raises: Fault."""
    left = list(records)
    for change in changes:
        wanted = record(change["ResourceRecordSet"])
        _check_alone(zone, wanted)
        known = next((one for one in left if _key(one) == _key(wanted)), None)
        match change["Action"]:
            case "DELETE":
                _check_deletion(zone, known, wanted)
                left.remove(known)  # type: ignore[arg-type]  # `_check_deletion` refuses None
                continue
            case "CREATE" if known:
                raise _refused(f"Tried to create {_named(wanted)} but it already exists")
        left = [one for one in left if one is not known]
        _check_beside(left, wanted)
        left.append(wanted)
    return left


def record(asked: Params) -> Record:
    """A record set as ministack keeps it."""
    for name in _ABSENT:
        if name in asked:
            raise not_implemented(f"The routing policy of {name}")
    if "*" in asked["Name"]:
        raise not_implemented("A record of a wildcard")
    made = dict(asked) | {"Name": f"{asked['Name'].rstrip('.').lower()}."}
    if "TTL" in asked:
        made["TTL"] = str(asked["TTL"])
    if "ResourceRecords" in asked:
        made["ResourceRecords"] = [one["Value"] for one in asked["ResourceRecords"]]
    if alias := asked.get("AliasTarget"):
        made["AliasTarget"] = alias | {"DNSName": f"{alias['DNSName'].rstrip('.')}."}
    return made


def _check_alone(zone: Record, one: Record) -> None:
    refusal = None
    apex = zone["name"].rstrip(".").lower()
    name = one["Name"].rstrip(".")
    policies = [policy for policy in _POLICIES if policy in one]
    if not f".{name}".endswith(f".{apex}"):
        refusal = f"RRSet with DNS name {one['Name']} is not permitted in zone {zone['name']}"
    elif bool(policies) is not ("SetIdentifier" in one):
        refusal = f"{_named(one)} needs both a SetIdentifier and a routing policy, or neither"
    elif ("AliasTarget" in one) is ("TTL" in one and bool(one.get("ResourceRecords"))):
        refusal = f"{_named(one)} needs a TTL and records, or an alias target, not both"
    elif one["Type"] == "CNAME" and name == apex:
        refusal = f"{_named(one)} is not permitted at apex in zone {zone['name']}"
    if refusal:
        raise _refused(refusal)
    check = one.get("HealthCheckId")
    if check and check not in ministack.service("route53")._health_checks:
        message = f"No health check exists with the specified ID {check}."
        raise Fault("NoSuchHealthCheck", message, 404)


def _check_beside(others: Sequence[Record], one: Record) -> None:
    """Whether a record may stand beside the zone's others."""
    same_name = [other for other in others if other["Name"] == one["Name"]]
    same = [other for other in same_name if other["Type"] == one["Type"]]
    kinds = {other["Type"] for other in same_name} | {one["Type"]}
    if "CNAME" in kinds and len(kinds) > 1:
        raise _refused(f"{_named(one)} conflicts with other records: CNAME must be alone")
    if any(_policy(other) != _policy(one) for other in same):
        message = (
            f"{_named(one)} cannot be created as other RRSets exist with the same name and type"
        )
        raise _refused(message)
    role = one.get("Failover")
    if role and any(other.get("Failover") == role for other in same):
        raise _refused(f"{_named(one)}: there is a {role} record of this name and type")


def _check_deletion(zone: Record, known: Record | None, wanted: Record) -> None:
    module = ministack.service("route53")
    if known is None:
        raise _refused(f"Tried to delete {_named(wanted)} but it was not found")
    if module._rs_values(known) != module._rs_values(wanted):
        message = f"Tried to delete {_named(wanted)} but the values provided do not match the current values"
        raise _refused(message)
    if known["Name"] == zone["name"] and known["Type"] in ("NS", "SOA"):
        message = (
            f"A HostedZone must contain at least one {known['Type']} record for the zone itself."
        )
        raise _refused(message)


def _key(one: Record) -> tuple[str, str, str]:
    return one["Name"], one["Type"], one.get("SetIdentifier", "")


def _policy(one: Record) -> str:
    return next((policy for policy in _POLICIES if policy in one), "simple")


def _named(one: Record) -> str:
    own = f", set identifier='{one['SetIdentifier']}'" if "SetIdentifier" in one else ""
    return f"resource record set [name='{one['Name']}', type='{one['Type']}'{own}]"


def _refused(why: str) -> Fault:
    return Fault(INVALID, f"[{why}]")
