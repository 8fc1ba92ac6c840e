"""The resource types of Route 53 through its API: hosted zones and health checks."""

from typing import Any
from uuid import uuid4

from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    parameters,
)
from platform_pipelines.local.aws.service import not_implemented


class Route53Type(ResourceType):
    """A type whose tags change by its id."""

    kind: str  # as Route 53 calls it when it tags it

    def retag(self, id_: str, old: list[dict[str, str]], new: list[dict[str, str]]) -> None:
        """Set tags that differ. Raises: Fault."""
        if old == new:
            return
        removed = {tag["Key"] for tag in old} - {tag["Key"] for tag in new}
        self.call(
            "route53",
            "ChangeTagsForResource",
            {
                "ResourceType": self.kind,
                "ResourceId": id_,
                **({"AddTags": new} if new else {}),
                **({"RemoveTagKeys": sorted(removed)} if removed else {}),
            },
        )

    def tags(self, id_: str) -> list[dict[str, str]]:
        """What it is tagged with. Raises: Fault."""
        asked = {"ResourceType": self.kind, "ResourceId": id_}
        found: list[dict[str, str]] = self.call("route53", "ListTagsForResource", asked)[
            "ResourceTagSet"
        ].get("Tags", [])
        return found


class HostedZone(Route53Type):
    """AWS::Route53::HostedZone: Ref is its id. A public one; its name is for life."""

    name = "AWS::Route53::HostedZone"
    kind = "hostedzone"
    create_only = ("Name",)
    reads = frozenset({"HostedZoneConfig", "HostedZoneTags", "Name"})

    def create(self, props: Properties) -> Made:
        if unknown := props.keys() - {"HostedZoneConfig", "HostedZoneTags", "Name"}:
            raise not_implemented(f"{self.name} with {sorted(unknown)}")
        config = {"Comment": props.get("HostedZoneConfig", {}).get("Comment", "")}
        reference = str(uuid4())
        asked = {"Name": props["Name"], "CallerReference": reference, "HostedZoneConfig": config}
        made = self.call("route53", "CreateHostedZone", asked)
        return self._made(made["HostedZone"], made["DelegationSet"])

    def settle(self, one: Existing) -> bool:
        self.retag(one.id, [], one.properties.get("HostedZoneTags", []))
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        if "HostedZoneConfig" in changed(one.properties, new):
            comment = {"Comment": new.get("HostedZoneConfig", {}).get("Comment", "")}
            self.call("route53", "UpdateHostedZoneComment", {"Id": one.id} | comment)
        before, after = (props.get("HostedZoneTags", []) for props in (one.properties, new))
        self.retag(one.id, before, after)
        found = self.call("route53", "GetHostedZone", {"Id": one.id})
        return self._made(found["HostedZone"], found["DelegationSet"])

    def delete(self, one: Existing) -> None:
        self.call("route53", "DeleteHostedZone", {"Id": one.id})

    def look(self, one: Existing) -> Look:
        found = self.call("route53", "GetHostedZone", {"Id": one.id})
        zone = found["HostedZone"]
        actual = {
            "HostedZoneConfig": {"Comment": zone.get("Config", {}).get("Comment", "")},
            "HostedZoneTags": self.tags(one.id),
            "Name": _like(one.properties.get("Name", ""), zone["Name"]),
        }
        made = self._made(zone, found["DelegationSet"])
        return Look(condition=Condition.READY, made=made, actual=actual)

    @staticmethod
    def _made(zone: dict[str, Any], servers: dict[str, Any]) -> Made:
        id_ = zone["Id"].rpartition("/")[2]
        return Made(id=id_, attributes={"Id": id_, "NameServers": servers["NameServers"]})


def _like(wanted: str, found: str) -> str:
    """A name as the template writes it, with its last dot or without."""
    return wanted if wanted.rstrip(".") == found.rstrip(".") else found


class HealthCheck(Route53Type):
    """AWS::Route53::HealthCheck."""

    name = "AWS::Route53::HealthCheck"
    reads = frozenset({"HealthCheckConfig", "HealthCheckTags"})
    kind = "healthcheck"
    create_only = ()  # Type, MeasureLatency and RequestInterval are, inside of HealthCheckConfig

    def create(self, props: Properties) -> Made:
        config = {"HealthCheckConfig": props["HealthCheckConfig"]}
        params = parameters("route53", "CreateHealthCheck", config)
        params["CallerReference"] = str(uuid4())
        check = self.call("route53", "CreateHealthCheck", params)["HealthCheck"]
        return self._made(check["Id"])

    def settle(self, one: Existing) -> bool:
        self.retag(one.id, [], one.properties.get("HealthCheckTags", []))
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        before, after = one.properties["HealthCheckConfig"], new["HealthCheckConfig"]
        differing = changed(before, after)
        if differing & {"Type", "MeasureLatency", "RequestInterval"}:
            return self.create(new)
        if differing:
            config = {name: after[name] for name in differing if name in after}
            params = parameters("route53", "UpdateHealthCheck", config)
            self.call("route53", "UpdateHealthCheck", params | {"HealthCheckId": one.id})
        before, after = (props.get("HealthCheckTags", []) for props in (one.properties, new))
        self.retag(one.id, before, after)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        self.call("route53", "DeleteHealthCheck", {"HealthCheckId": one.id})

    def look(self, one: Existing) -> Look:
        found = self.call("route53", "GetHealthCheck", {"HealthCheckId": one.id})["HealthCheck"]
        wanted = one.properties.get("HealthCheckConfig", {})
        config = {key: found["HealthCheckConfig"].get(key) for key in wanted}
        actual = {"HealthCheckConfig": config, "HealthCheckTags": self.tags(one.id)}
        return Look(condition=Condition.READY, made=self._made(one.id), actual=actual)

    @staticmethod
    def _made(id_: str) -> Made:
        return Made(id=id_, attributes={"HealthCheckId": id_})
