"""Records, health checks and values that must not move with a role: the DNS part of `dangers`.

Traffic moves by one object that the failover writes; the records themselves stay as they are, keyed
by Region, with home as Route 53's PRIMARY for ever. A value that another stack imports cannot change
after a failover without an update that ends in UPDATE_ROLLBACK_FAILED.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cfn import Scope, Unit
from platform_pipelines.model import Platform, Region, Service

RECORD, RECORDS = "AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup"
ADVICE = "Keep records as cfn/dns.py has them: traffic moves by the traffic object only"


def find(platform: Platform, unit: Unit, template: Mapping[str, Any]) -> Iterator[str]:
    """Why a template's records or exports would work against a failover."""
    yield from _exports(template)
    resources = template.get("Resources", {})
    services = {one.host: one for one in platform.services}
    signals = {platform.signal_host(one) for one in platform.regions}
    seen: dict[str, set[str]] = {}
    for name, record in _records(resources):
        host = str(record.get("Name", "")).rstrip(".")
        if "Failover" not in record and host not in services:
            continue
        if host in signals:
            continue  # they carry a verdict, and move nothing
        if unit.stack.scope is Scope.EACH:
            yield (
                f"{name} would belong to a stack of each Region: with one Region lost, its half "
                f"could not be changed. Keep it in a stack that exists once"
            )
        seen.setdefault(host, set()).add(str(record.get("SetIdentifier")))
        yield from _record(platform, resources, name, record, services.get(host))
    for host, sides in seen.items():
        for region in platform.regions:
            if region.alias not in sides:
                yield (
                    f"{host} has no record for {region.alias}: with that Region active, or the "
                    f"other one lost, nobody would find the service. {ADVICE}"
                )


def _exports(template: Mapping[str, Any]) -> Iterator[str]:
    for name, output in template.get("Outputs", {}).items():
        if "Export" in output:
            yield (
                f"output {name} is exported: CloudFormation refuses to change a value that another "
                f"stack imports, so an update after a failover would end in "
                f"UPDATE_ROLLBACK_FAILED. Pass it as a parameter (cfn.Output)"
            )
    for name in sorted(_importing(template.get("Resources", {}))):
        yield (
            f"{name} imports an exported value: an update after a failover would end in "
            f"UPDATE_ROLLBACK_FAILED. Take it as a parameter (cfn.Output)"
        )


def _importing(resources: Mapping[str, Any]) -> set[str]:
    return {name for name, resource in resources.items() if _imports(resource)}


def _imports(value: Any) -> bool:
    if isinstance(value, dict):
        return "Fn::ImportValue" in value or any(_imports(one) for one in value.values())
    return isinstance(value, list) and any(_imports(one) for one in value)


def _records(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == RECORD:
            yield name, properties
        elif resource["Type"] == RECORDS:
            yield from ((name, one) for one in properties.get("RecordSets", []))


def _record(
    platform: Platform,
    resources: Mapping[str, Any],
    name: str,
    record: Mapping[str, Any],
    service: Service | None,
) -> Iterator[str]:
    """Why one record of a service, or one that fails over, is not keyed by its Region."""
    identifier = record.get("SetIdentifier")
    region = next((one for one in platform.regions if one.alias == identifier), None)
    if region is None:
        aliases = " or ".join(one.alias for one in platform.regions)
        yield (
            f"{name} is keyed by {identifier!r} and not by its Region ({aliases}): after a "
            f"failover a record that is named after a role sends clients to the lost side. {ADVICE}"
        )
        return
    yield from _side(platform, region, name, record)
    if service and record.get("ResourceRecords") != [service.regional_host(region)]:
        yield (
            f"{name} does not answer {service.regional_host(region)}: a value that comes from "
            f"elsewhere changes in a failover, when Route 53's control plane may be out of reach. "
            f"{ADVICE}"
        )
    yield from _check(platform, resources, region, name, record)


def _side(
    platform: Platform, region: Region, name: str, record: Mapping[str, Any]
) -> Iterator[str]:
    home = region == platform.home_region
    right = "PRIMARY" if home else "SECONDARY"
    if record.get("Failover") != right:
        yield (
            f"{name} is {record.get('Failover', 'no failover record')} instead of {right}: PRIMARY "
            f"is home ({platform.home}) for ever, whoever is active; else the traffic object would "
            f"send clients to the wrong side. {ADVICE}"
        )


def _check(
    platform: Platform,
    resources: Mapping[str, Any],
    region: Region,
    name: str,
    record: Mapping[str, Any],
) -> Iterator[str]:
    """Both records follow the traffic object: plain on the one side, inverted on home's."""
    reference = record.get("HealthCheckId")
    target = str(reference.get("Ref")) if isinstance(reference, dict) else ""
    config = resources.get(target, {}).get("Properties", {}).get("HealthCheckConfig", {})
    reader = platform.other(platform.home)
    bucket = platform.traffic_bucket(reader)
    if not str(config.get("FullyQualifiedDomainName", "")).startswith(f"{bucket}."):
        yield (
            f"{name} does not follow the traffic object: traffic would move, and fail back, by "
            f"itself, to a side that cannot be written. {ADVICE}"
        )
    elif bool(config.get("Inverted")) != (region == platform.home_region):
        yield (
            f"{target} is {'' if config.get('Inverted') else 'not '}inverted: {region.alias} would "
            f"be answered exactly when the other Region serves. {ADVICE}"
        )
