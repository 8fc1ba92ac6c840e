"""Route 53 of the local Regions: what its checkers see, and what its servers would answer.

Zones, records and health checks are ministack's; it has no checkers and no servers. Ours are
`health_checks` and `zones`.
"""

from collections.abc import Mapping

from platform_pipelines.local.aws.health_checks import HealthChecks, Observation
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation
from platform_pipelines.local.aws.zones import Zones, delete_record, upsert_record

__all__ = ["Route53", "delete_record", "upsert_record"]

# `aws route53 get-checker-ip-ranges`, November 2026.
CHECKERS = (
    "15.177.0.0/18",
    "54.248.220.0/26",
    "54.250.253.192/26",
    "54.251.31.128/26",
    "54.255.254.192/26",
    "107.23.255.0/26",
    "54.243.31.192/26",
    "54.183.255.128/26",
    "54.241.32.64/26",
    "54.244.52.192/26",
    "54.245.168.0/26",
    "54.228.16.0/26",
    "176.34.159.192/26",
    "54.252.79.128/26",
    "54.252.254.192/26",
    "54.232.40.64/26",
    "177.71.207.128/26",
)
# One checker of each of three of AWS's checker Regions tells enough.
CHECKER_SITES = (
    ("ap-northeast-1", "54.248.220.10"),
    ("ap-southeast-1", "54.251.31.140"),
    ("us-west-2", "54.244.52.200"),
)


class Route53(Service):
    """Health checks that look, and answers of the zones."""

    name = "route53"
    passes = frozenset(
        {
            "ChangeResourceRecordSets",
            "ChangeTagsForResource",
            "CreateHealthCheck",
            "CreateHostedZone",
            "DeleteHealthCheck",
            "DeleteHostedZone",
            "GetChange",
            "GetHealthCheck",
            "GetHostedZone",
            "ListHealthChecks",
            "ListHostedZones",
            "ListHostedZonesByName",
            "ListResourceRecordSets",
            "ListTagsForResource",
            "UpdateHealthCheck",
            "UpdateHostedZoneComment",
        }
    )
    checks: HealthChecks
    zones: Zones

    def start(self) -> None:
        self.checks = HealthChecks(self.world)
        self.zones = Zones(self.world, self.checks.healthy)

    @operation
    def GetHealthCheckStatus(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What each checker saw last; not inverted, as with AWS."""
        seen = self._seen(call.params)
        report = {"Status": seen.report, "CheckedTime": seen.at}
        return {"HealthCheckObservations": _observations(report)}

    @operation
    def GetHealthCheckLastFailureReason(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """The last failure that each checker saw, if any."""
        seen = self._seen(call.params)
        if seen.failure is None:
            return {"HealthCheckObservations": []}
        report = {"Status": seen.failure, "CheckedTime": seen.failed_at}
        return {"HealthCheckObservations": _observations(report)}

    @operation
    def GetCheckerIpRanges(self, call: Call) -> Result:  # noqa: N802, ARG002  # AWS's name
        """From where the checkers look."""
        return {"CheckerIpRanges": list(CHECKERS)}

    @operation
    def TestDNSAnswer(self, call: Call) -> Result:  # noqa: N802  # AWS's name
        """What the zone's servers answer now."""
        name, kind = call.params["RecordName"], call.params["RecordType"]
        answer = self.zones.resolve(name, kind)
        return {
            "Nameserver": "ns-1.awsdns-1.com",
            "RecordName": name,
            "RecordType": kind,
            "RecordData": [row.value for row in answer.rows if row.type == kind],
            "ResponseCode": answer.code.value,
            "Protocol": "UDP",
        }

    def _seen(self, params: Params) -> Observation:
        id_ = params["HealthCheckId"]
        seen = self.checks.seen(id_)
        if seen is None:
            raise Fault("NoSuchHealthCheck", f"A health check with id {id_} does not exist.")
        return seen


def _observations(report: Mapping[str, object]) -> list[dict[str, object]]:
    return [
        {"Region": region, "IPAddress": address, "StatusReport": report}
        for region, address in CHECKER_SITES
    ]
