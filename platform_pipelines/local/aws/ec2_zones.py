"""EC2: the Availability Zones of a Region. Those of the platform's Regions are what platform.yaml says,
since accounts do not all see the same ones: an account of today has no ap-northeast-1b.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.ec2_filters import passes
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.world import World

_FILTERS = {
    "group-name": "GroupName",
    "opt-in-status": "OptInStatus",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}


def zone_names(world: World, region: str) -> tuple[str, ...]:
    """The zones of a Region (an AWS name)."""
    known = world.region_of(region)
    return known.zones if known else tuple(f"{region}{letter}" for letter in "abc")


class AvailabilityZones(Service):
    """Where subnets can be."""

    name = "ec2"

    @operation(raises=("InvalidParameterValue",))
    def DescribeAvailabilityZones(self, call: Call) -> Result:  # noqa: N802
        zones = [_zone(call.region, name) for name in zone_names(self.world, call.region)]
        for parameter, key in (("ZoneNames", "ZoneName"), ("ZoneIds", "ZoneId")):
            if wanted := call.params.get(parameter):
                zones = _named(zones, key, wanted)
        filters = call.params.get("Filters", [])
        return {"AvailabilityZones": [one for one in zones if passes(filters, _values(one), ())]}


def _zone(region: str, name: str) -> dict[str, Any]:
    return {
        "OptInStatus": "opt-in-not-required",
        "RegionName": region,
        "ZoneName": name,
        "ZoneId": ministack.service("ec2")._az_id_for_zone_name(name),
        "GroupName": f"{region}-zg-1",
        "NetworkBorderGroup": region,
        "ZoneType": "availability-zone",
        "State": "available",
    }


def _named(zones: list[dict[str, Any]], key: str, wanted: list[str]) -> list[dict[str, Any]]:
    missing = set(wanted) - {one[key] for one in zones}
    if missing:
        told = ", ".join(sorted(missing))
        raise Fault("InvalidParameterValue", f"Invalid availability zone: [{told}]")
    return [one for one in zones if one[key] in wanted]


def _values(zone: dict[str, Any]) -> dict[str, str | None]:
    return {name: zone[key] for name, key in _FILTERS.items()}
