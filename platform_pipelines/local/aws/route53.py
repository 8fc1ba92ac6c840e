"""Route 53 of the local Regions: zones whose changes take a while, and checks that really look.

Zones, records and health checks are in ministack's stores; it has no checkers and no servers. Ours
are `health_checks` and `zones`. The control plane is in us-east-1; what answers and looks is not.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import route53_records, stores
from platform_pipelines.local.aws.health_checks import HealthChecks
from platform_pipelines.local.aws.route53_checks import (
    CHECKER_SITES,
    CHECKERS,
    HealthCheckOperations,
    expect_own_account,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, operation
from platform_pipelines.local.aws.zones import PENDING, Zones, delete_record, upsert_record
from platform_pipelines.local.world import GLOBAL_REGION, PARKED

__all__ = ["CHECKERS", "CHECKER_SITES", "Route53", "delete_record", "upsert_record"]

SPREAD = "route53.spread"
_OPEN, _DONE = "PENDING", "INSYNC"
_NO_ZONE = "NoSuchHostedZone"
_URL = "https://route53.amazonaws.com/2013-04-01/"


class Route53(HealthCheckOperations):
    """Health checks that look, changes that spread, and answers of the zones."""

    name = "route53"
    passes = frozenset(
        {
            "ChangeTagsForResource",
            "DeleteHostedZone",
            "GetHostedZone",
            "ListTagsForResource",
            "UpdateHostedZoneComment",
        }
    )
    zones: Zones

    def start(self) -> None:
        self.checks = HealthChecks(self.world)
        self.zones = Zones(self.world, self.checks.healthy)
        self.world.timers.on(SPREAD, self._spread)

    def dump(self) -> Any:
        return self.checks.dump()

    def load(self, state: Any) -> None:
        self.checks.load(state)

    @operation(
        raises=(
            "ConflictingDomainExists",
            "HostedZoneAlreadyExists",
            "InvalidInput",
            "InvalidVPCId",
            "NotImplemented",
        )
    )
    def CreateHostedZone(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        expect_own_account(self.world, call)
        reference = call.params["CallerReference"]
        if reference in ministack.service("route53")._caller_refs:
            message = f"A hosted zone has already been created with the reference {reference}."
            raise Fault("HostedZoneAlreadyExists", message, 409)
        result = stores.ask(call)
        change = ministack.service("route53")._changes[_bare(result["ChangeInfo"]["Id"])]
        change["submitted_at"] = self.world.now()
        location = _URL + result["HostedZone"]["Id"].strip("/")
        return result | {"ChangeInfo": _info(change), "Location": location}

    @operation(
        raises=(
            *("InvalidChangeBatch", _NO_ZONE, "NoSuchHealthCheck", "NotImplemented"),
            "PriorRequestNotComplete",
        ),
        states="PENDING → INSYNC",
    )
    def ChangeResourceRecordSets(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """The API knows the new records at once, the servers when the change is INSYNC."""
        module, batch = ministack.service("route53"), call.params["ChangeBatch"]
        zone = _zone(call.params["HostedZoneId"])
        before = module._records[zone["id"]]
        module._records[zone["id"]] = route53_records.apply(zone, before, batch["Changes"])
        change = {
            "id": f"C{uuid.uuid4().hex[:20].upper()}",
            "status": _OPEN,
            "submitted_at": self.world.now(),
            "comment": batch.get("Comment", ""),
            "spreads": True,
        }
        module._changes[change["id"]] = change
        zone.setdefault(PENDING, []).append({"change": change["id"], "before": before})
        self.world.transition(
            "route53_change",
            SPREAD,
            region=GLOBAL_REGION,
            resource=zone["id"],
            account=call.account,
            zone=zone["id"],
            change=change["id"],
        )
        return {"ChangeInfo": _info(change)}

    @operation(raises=("NoSuchChange",))
    def GetChange(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """Whether the servers have a change."""
        id_ = _bare(call.params["Id"])
        change = ministack.service("route53")._changes.get(id_)
        if change is None:
            raise Fault("NoSuchChange", f"A change with the ID {id_} does not exist.", 404)
        if not change.get("spreads"):  # a zone's: no timer ends it
            since = self.world.now() - _submitted(change).timestamp()
            change["status"] = _DONE if since >= self.world.durations.route53_change else _OPEN
        return {"ChangeInfo": _info(change)}

    @operation(raises=("InvalidInput",))
    def ListHostedZones(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        return _listed(call)

    @operation(raises=("InvalidInput",))
    def ListHostedZonesByName(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        return _listed(call)

    @operation(raises=("InvalidInput", _NO_ZONE))
    def ListResourceRecordSets(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        return _listed(call)

    @operation
    def GetHostedZoneCount(self, call: Call) -> Result:  # noqa: N802, ARG002  # AWS's name
        return {"HostedZoneCount": len(ministack.service("route53")._zones)}

    @operation(raises=(_NO_ZONE, "InvalidInput"))
    def TestDNSAnswer(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What the zone's servers answer now."""
        zone = _zone(call.params["HostedZoneId"])
        name, kind = call.params["RecordName"], call.params["RecordType"]
        if not f".{name.rstrip('.').lower()}.".endswith(f".{zone['name'].lower()}"):
            raise Fault("InvalidInput", f"{name} is not in the hosted zone {zone['name']}")
        answer = self.zones.resolve(name, kind)
        return {
            "Nameserver": "ns-1.awsdns-1.com",
            "RecordName": name,
            "RecordType": kind,
            "RecordData": [row.value for row in answer.rows if row.type == kind],
            "ResponseCode": answer.code.value,
            "Protocol": "UDP",
        }

    def _spread(self, account: str, zone: str, change: str, failed: bool = False) -> None:  # noqa: ARG002  # Route 53 knows no change that fails
        """The servers have a change now, unless the control plane is gone."""
        if GLOBAL_REGION in self.world.outages:
            self.world.timers.after(PARKED, SPREAD, account=account, zone=zone, change=change)
            return
        with ministack.scope(account, GLOBAL_REGION):
            module = ministack.service("route53")
            known, made = module._zones.get(zone), module._changes.get(change)
        if made is not None:
            made["status"] = _DONE
        if known is not None:
            known[PENDING] = [one for one in known.get(PENDING, ()) if one["change"] != change]


def _zone(id_: str) -> dict[str, Any]:
    found: dict[str, Any] | None = ministack.service("route53")._zones.get(_bare(id_))
    if found is None:
        raise Fault(_NO_ZONE, f"No hosted zone found with ID: {id_}", 404)
    return found


def _listed(call: Call) -> Result:
    """What ministack lists, if it is asked for a number of things."""
    size = call.params.get("MaxItems", "100")
    if not size.isdecimal() or not int(size):
        raise Fault("InvalidInput", f"MaxItems: {size} is not a valid value.")
    return stores.ask(call)


def _bare(id_: str) -> str:
    """An id without what stands before it: /hostedzone/Z1."""
    return id_.rpartition("/")[2]


def _submitted(change: dict[str, Any]) -> datetime:
    """When a change was made; ministack has it as a text."""
    at = change["submitted_at"]
    return datetime.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at, UTC)


def _info(change: dict[str, Any]) -> dict[str, Any]:
    info = {
        "Id": f"/change/{change['id']}",
        "Status": change["status"],
        "SubmittedAt": _submitted(change),
    }
    return info | ({"Comment": change["comment"]} if change.get("comment") else {})
