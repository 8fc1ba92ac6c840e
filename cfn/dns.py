"""Stack `dns` (once): the hosted zone, and the records by which traffic and signals move.

Traffic moves only when the controller writes or deletes one object in the non-home Region's bucket.
Two checks read it: plain on the non-home record (SECONDARY), inverted on the home record (PRIMARY).
No endpoint check steers traffic, so it cannot move, or fail back, by itself.
The signal records carry what Route 53's checkers see of each Region over the DNS data plane.
"""

from troposphere import GetAtt, Join, Output, Ref, Template
from troposphere.route53 import HealthCheck, HealthCheckConfig, HostedZone, RecordSetType

from cfn.names import KEPT, logical, named
from cfn.traffic import OBJECT
from platform_pipelines.model import Platform, Region, Service

SERVICE_TTL = "30"  # seconds; part of every failover's time
SIGNAL_TTL = "10"
INTERVAL = 10  # seconds between two looks of a checker: Route 53's fast one
OBJECT_LOOKS = 2
ENDPOINT_LOOKS = 3


def build(platform: Platform, region: Region) -> Template:
    """The zone, its health checks and its records. Outputs: Zone, NameServers."""
    template = Template(Description=f"{platform.platform}: the zone {platform.domain}")
    zone = template.add_resource(HostedZone("Zone", Name=platform.domain, **KEPT))
    for place in (region, platform.other(region.alias)):
        template.add_resource(_traffic_check(platform, place))
        template.add_resource(_signal_check(platform, place))
        for record in _signal_records(platform, place):
            template.add_resource(record)
        for service in platform.services:
            template.add_resource(_service_record(platform, place, service))
    template.add_output(Output("Zone", Value=Ref(zone)))
    template.add_output(Output("NameServers", Value=Join(",", GetAtt(zone, "NameServers"))))
    return template


def _traffic_check(platform: Platform, region: Region) -> HealthCheck:
    """Healthy when the traffic object says that this Region serves. Out of reach, home serves."""
    reader = platform.other(platform.home)
    return HealthCheck(
        logical("TrafficCheck", region.alias),
        HealthCheckConfig=HealthCheckConfig(
            Type="HTTPS",
            FullyQualifiedDomainName=(
                f"{platform.traffic_bucket(reader)}.s3.{reader.name}.amazonaws.com"
            ),
            ResourcePath=f"/{OBJECT}",
            Port=443,
            EnableSNI=True,
            Inverted=region == platform.home_region,
            RequestInterval=INTERVAL,
            FailureThreshold=OBJECT_LOOKS,
        ),
        HealthCheckTags=named(f"{platform.platform}-traffic-{region.alias}"),
    )


def _service_record(platform: Platform, region: Region, service: Service) -> RecordSetType:
    return RecordSetType(
        logical("Record", service.name, region.alias),
        HostedZoneId=Ref("Zone"),
        Name=f"{service.host}.",
        Type="CNAME",
        TTL=SERVICE_TTL,
        SetIdentifier=region.alias,
        Failover="PRIMARY" if region == platform.home_region else "SECONDARY",
        HealthCheckId=Ref(logical("TrafficCheck", region.alias)),
        ResourceRecords=[service.regional_host(region)],
    )


def _signal_check(platform: Platform, region: Region) -> HealthCheck:
    """What the checkers see of a Region: a service answers there by its Regional name."""
    service = _probed(platform)
    return HealthCheck(
        logical("SignalCheck", region.alias),
        HealthCheckConfig=HealthCheckConfig(
            Type="HTTP",
            FullyQualifiedDomainName=service.regional_host(region),
            ResourcePath=service.health_path,
            Port=80,
            Inverted=False,
            RequestInterval=INTERVAL,
            FailureThreshold=ENDPOINT_LOOKS,
        ),
        HealthCheckTags=named(f"{platform.platform}-signal-{region.alias}"),
    )


def _probed(platform: Platform) -> Service:
    """The service that the checkers look at: one that takes writes, if any is declared to."""
    return next((service for service in platform.services if service.verify), platform.services[0])


def _signal_records(platform: Platform, region: Region) -> tuple[RecordSetType, RecordSetType]:
    """`up` while the check is healthy, else `down`, which needs no check."""
    up = _signal_record(platform, region, "up", "PRIMARY")
    up.HealthCheckId = Ref(logical("SignalCheck", region.alias))
    return up, _signal_record(platform, region, "down", "SECONDARY")


def _signal_record(
    platform: Platform, region: Region, verdict: str, failover: str
) -> RecordSetType:
    return RecordSetType(
        logical("Signal", verdict, region.alias),
        HostedZoneId=Ref("Zone"),
        Name=f"{platform.signal_host(region)}.",
        Type="TXT",
        TTL=SIGNAL_TTL,
        SetIdentifier=verdict,
        Failover=failover,
        ResourceRecords=[f'"{verdict}"'],
    )
