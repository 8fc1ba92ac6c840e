"""EC2: the Availability Zones of a Region. Those of the platform's Regions are what platform.yaml says,
since accounts do not all see the same ones: an account of today has no ap-northeast-1b.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
"""

import functools
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


def zone_of_subnet(world: World, region: str, asked: dict[str, Any]) -> str:
    """The zone of a new subnet, by name or id; the first if none is asked for. Raises: Fault."""
    zones = zone_names(world, region)
    given = asked.get("AvailabilityZone")
    by_id = {_id(zone): zone for zone in zones}
    if given is None and (id_ := asked.get("AvailabilityZoneId")) is not None:
        if id_ not in by_id:
            raise _refused(id_, "availabilityZoneId", tuple(by_id))
        return by_id[id_]
    if given is not None and given not in zones:
        raise _refused(given, "availabilityZone", zones)
    return str(given or zones[0])


def _refused(asked: str, parameter: str, known: tuple[str, ...]) -> Fault:
    return Fault(
        "InvalidParameterValue",
        f"Value ({asked}) for parameter {parameter} is invalid. Subnets can currently only "
        f"be created in the following availability zones: {', '.join(known)}.",
    )


class AvailabilityZones(Service):
    """Where subnets can be."""

    name = "ec2"

    def start(self) -> None:
        """ministack gives every account a default VPC, in zones of its own choice."""
        super().start()
        module = ministack.service("ec2")
        original = getattr(module._init_defaults, "__wrapped__", module._init_defaults)

        @functools.wraps(original)
        def in_our_zones() -> None:
            original()
            _move_default_subnets(self.world)

        module.__dict__["_init_defaults"] = in_our_zones

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
        "ZoneId": _id(name),
        "GroupName": f"{region}-zg-1",
        "NetworkBorderGroup": region,
        "ZoneType": "availability-zone",
        "State": "available",
    }


def _id(zone: str) -> str:
    return str(ministack.service("ec2")._az_id_for_zone_name(zone))


def _move_default_subnets(world: World) -> None:
    module = ministack.service("ec2")
    subnets = [one for _, one in sorted(module._subnets.items()) if one["DefaultForAz"]]
    zones = zone_names(world, module.get_region())
    for subnet, zone in zip(subnets, zones, strict=False):
        subnet |= {"AvailabilityZone": zone, "AvailabilityZoneId": _id(zone)}
    for subnet in subnets[len(zones) :]:
        del module._subnets[subnet["SubnetId"]]


def _named(zones: list[dict[str, Any]], key: str, wanted: list[str]) -> list[dict[str, Any]]:
    missing = set(wanted) - {one[key] for one in zones}
    if missing:
        told = ", ".join(sorted(missing))
        raise Fault("InvalidParameterValue", f"Invalid availability zone: [{told}]")
    return [one for one in zones if one[key] in wanted]


def _values(zone: dict[str, Any]) -> dict[str, str | None]:
    return {name: zone[key] for name, key in _FILTERS.items()}
