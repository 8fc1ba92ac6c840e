"""What the page `/_local/` shows: both Regions side by side, what lies between them, and what is
broken on purpose. The page itself is `page.html`; it asks for this state every second.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from typing import Any

from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.controls import Controls
from platform_pipelines.local.kube.kinds import APPLICATION, DEPLOYMENT, NODE, POD
from platform_pipelines.local.world import GLOBAL_REGION, Outage
from platform_pipelines.model import Region

HTML = files(__package__).joinpath("page.html").read_text()
CALLS = 60  # the newest ones
Rows = list[dict[str, Any]]


def state(controls: Controls) -> dict[str, Any]:
    """Everything that the page shows, as JSON values."""
    world = controls.world
    return {
        "platform": world.platform.platform,
        "now": world.now(),
        "speed": world.clock.speed,
        "virtual": world.clock.virtual,
        "modes": [mode.value for mode in Outage],
        "places": world.places,
        "global": {"name": GLOBAL_REGION, "outage": world.outages.get(GLOBAL_REGION)},
        "regions": [_region(controls, region) for region in world.platform.regions],
        "replications": [*_files_replications(controls), *_database_replications(controls)],
        "hosts": list(_hosts(controls)),
        "health_checks": list(_health_checks(controls)),
        "partitions": sorted(sorted(pair) for pair in world.partitions),
        "faults": world.faults.dump(),
        "breakpoints": [one.view() for one in controls.gate.breakpoints],
        "calls": _calls(controls),
    }


def _region(controls: Controls, region: Region) -> dict[str, Any]:
    world = controls.world
    outage = world.outage(region)
    return {
        "alias": region.alias,
        "name": region.name,
        "outage": outage.value if outage else None,
        "zones": [{"name": one, "lost": world.zone_down(region, one)} for one in region.zones],
        "stacks": list(_stacks(controls, region)),
        "file_systems": list(_file_systems(controls, region)),
        "databases": list(_databases(controls, region)),
        "cluster": _cluster(controls, region),
        "node_groups": list(_node_groups(controls, region)),
        "deployments": list(_deployments(controls, region)),
        "applications": list(_applications(controls, region)),
        "pods": _pods(controls, region),
        "repositories": len(world.repositories.names(world.platform.account, region.name)),
        "balancers": [
            {"name": ", ".join(one.hosts), "status": "ready" if one.ready() else "no target"}
            for one in world.balancers
            if one.region == region.alias
        ],
    }


def _stacks(controls: Controls, region: Region) -> Iterator[dict[str, str]]:
    for one in _ask(controls, region, "cloudformation", "DescribeStacks", "Stacks"):
        yield {"name": one["StackName"], "status": one["StackStatus"]}


def _file_systems(controls: Controls, region: Region) -> Iterator[dict[str, str]]:
    for one in _ask(controls, region, "efs", "DescribeFileSystems", "FileSystems"):
        protection = one.get("FileSystemProtection", {}).get("ReplicationOverwriteProtection", "")
        yield {
            "name": one.get("Name") or one["FileSystemId"],
            "id": one["FileSystemId"],
            "status": one["LifeCycleState"],
            "more": {"ENABLED": "writable", "DISABLED": "read-only"}.get(protection, protection),
        }


def _databases(controls: Controls, region: Region) -> Iterator[dict[str, Any]]:
    instances = _ask(controls, region, "rds", "DescribeDBInstances", "DBInstances")
    by_name = {one["DBInstanceIdentifier"]: one for one in instances}
    for one in _ask(controls, region, "rds", "DescribeDBClusters", "DBClusters"):
        members = [
            {
                "name": member["DBInstanceIdentifier"],
                "writer": member["IsClusterWriter"],
                "status": found["DBInstanceStatus"],
                "zone": found.get("AvailabilityZone", ""),
            }
            for member in one["DBClusterMembers"]
            if (found := by_name.get(member["DBInstanceIdentifier"]))
        ]
        role = "writer" if any(member["writer"] for member in members) else "reads only"
        yield {
            "name": one["DBClusterIdentifier"],
            "status": one["Status"],
            "more": role,
            "members": members,
        }


def _cluster(controls: Controls, region: Region) -> dict[str, str] | None:
    name = controls.world.platform.cluster_name(region)
    try:
        one = controls.ask("eks", "DescribeCluster", region.name, name=name)["cluster"]
    except Fault:
        return None
    return {"name": name, "status": one["status"], "more": str(one.get("version", ""))}


def _node_groups(controls: Controls, region: Region) -> Iterator[dict[str, Any]]:
    cluster = controls.world.platform.cluster_name(region)
    nodes = controls.world.stores[region.alias].peek_all(NODE)
    for name in _ask(controls, region, "eks", "ListNodegroups", "nodegroups", clusterName=cluster):
        found = controls.ask(
            "eks", "DescribeNodegroup", region.name, clusterName=cluster, nodegroupName=name
        )["nodegroup"]
        mine = [one for one in nodes if _label(one, "eks.amazonaws.com/nodegroup") == name]
        yield {
            "name": name,
            "status": found["status"],
            "desired": found.get("scalingConfig", {}).get("desiredSize", 0),
            "ready": sum(_is_true(one, "Ready") for one in mine),
            "issues": [one["code"] for one in found.get("health", {}).get("issues", [])],
            "nodes": [
                {
                    "name": one["metadata"]["name"],
                    "zone": _label(one, "topology.kubernetes.io/zone"),
                    "status": "Ready" if _is_true(one, "Ready") else "NotReady",
                }
                for one in mine
            ],
        }


def _deployments(controls: Controls, region: Region) -> Iterator[dict[str, Any]]:
    for one in controls.world.stores[region.alias].peek_all(DEPLOYMENT):
        yield {
            "name": one["metadata"]["name"],
            "ready": (one.get("status") or {}).get("readyReplicas", 0),
            "desired": one["spec"].get("replicas", 1),
        }


def _applications(controls: Controls, region: Region) -> Iterator[dict[str, str]]:
    for one in controls.world.stores[region.alias].peek_all(APPLICATION):
        status = one.get("status") or {}
        yield {
            "name": one["metadata"]["name"],
            "status": status.get("sync", {}).get("status", "Unknown"),
            "more": status.get("health", {}).get("status", "Unknown"),
        }


def _pods(controls: Controls, region: Region) -> dict[str, int]:
    pods = controls.world.stores[region.alias].peek_all(POD)
    ready = sum(_is_true(one, "Ready") for one in pods)
    pending = sum((one.get("status") or {}).get("phase") == "Pending" for one in pods)
    return {"ready": ready, "pending": pending, "other": len(pods) - ready - pending}


def _files_replications(controls: Controls) -> Iterator[dict[str, Any]]:
    """As the destination's Region tells it, which is what is left when the source's is lost."""
    now = controls.world.now()
    for region in controls.world.platform.regions:
        for one in _ask(
            controls, region, "efs", "DescribeReplicationConfigurations", "Replications"
        ):
            there = one["Destinations"][0]
            if there["Region"] != region.name:
                continue
            last = there.get("LastReplicatedTimestamp")
            yield {
                "what": "EFS",
                "name": one["SourceFileSystemId"],
                "from": controls.world.place(one["SourceFileSystemRegion"]),
                "to": region.alias,
                "status": there["Status"],
                "lag": None if last is None else max(0.0, now - _unix(last)),
            }


def _database_replications(controls: Controls) -> Iterator[dict[str, Any]]:
    region = controls.world.platform.home_region
    for one in _ask(controls, region, "rds", "DescribeGlobalClusters", "GlobalClusters"):
        members = one["GlobalClusterMembers"]
        writers = [member["DBClusterArn"] for member in members if member["IsWriter"]]
        for member in members:
            if not member["IsWriter"] and writers:
                target = member["DBClusterArn"].split(":")[3]
                yield {
                    "what": "Aurora",
                    "name": one["GlobalClusterIdentifier"],
                    "from": controls.world.place(writers[0].split(":")[3]),
                    "to": controls.world.place(target),
                    "status": (one.get("FailoverState") or {}).get("Status") or one["Status"],
                    "lag": _aurora_lag(controls, target, member["DBClusterArn"].split(":")[-1]),
                }


def _aurora_lag(controls: Controls, region: str, cluster: str) -> float | None:
    """Seconds, of the newest value that CloudWatch has; its age counts, too."""
    now = controls.world.datetime().timestamp()
    found = controls.ask(
        "cloudwatch",
        "GetMetricStatistics",
        region,
        Namespace="AWS/RDS",
        MetricName="AuroraGlobalDBReplicationLag",
        Dimensions=[{"Name": "DBClusterIdentifier", "Value": cluster}],
        StartTime=datetime.fromtimestamp(now - 3600, controls.world.datetime().tzinfo),
        EndTime=controls.world.datetime(),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    newest = max(found, key=lambda one: _unix(one["Timestamp"]), default=None)
    return None if newest is None else float(newest["Maximum"]) / 1000


def _hosts(controls: Controls) -> Iterator[dict[str, Any]]:
    balancers = controls.world.balancers
    for service in controls.world.platform.services:
        rows = controls.resolve(service.host, "A").rows
        address = next((row.value for row in rows if row.type == "A"), None)
        balancer = balancers.by_address(address) if address else None
        yield {
            "name": service.host,
            "address": address,
            "to": balancer.region if balancer else None,
        }


def _health_checks(controls: Controls) -> Iterator[dict[str, Any]]:
    for one in controls.ask("route53", "ListHealthChecks", GLOBAL_REGION)["HealthChecks"]:
        config = one["HealthCheckConfig"]
        name = config.get("FullyQualifiedDomainName", "") + config.get("ResourcePath", "")
        yield {
            "name": name,
            "healthy": controls.healthy(one["Id"]),
            "inverted": config.get("Inverted"),
        }


def _calls(controls: Controls) -> Rows:
    last = controls.log.last
    return [asdict(one) for one in controls.log.after(max(0, last - CALLS))]


def _ask(
    controls: Controls, region: Region, service: str, operation: str, key: str, **params: Any
) -> list[Any]:
    """A list that a describe operation answers; empty where there is nothing yet."""
    try:
        found: list[Any] = controls.ask(service, operation, region.name, **params)[key]
    except Fault:
        return []
    return found


def _is_true(obj: dict[str, Any], condition: str) -> bool:
    told: Iterable[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    return any(one["type"] == condition and one["status"] == "True" for one in told)


def _label(obj: dict[str, Any], name: str) -> str:
    return str((obj["metadata"].get("labels") or {}).get(name, ""))


def _unix(moment: Any) -> float:
    if isinstance(moment, datetime):
        return moment.timestamp()
    return float(moment)
