"""The stand-in for the platform's services: what answers behind a load balancer.

It answers like the sample service, but its truth is that of the embedded Regions: no ready pods,
no answer; a write needs this Region's Aurora to be the writer and up, and its file systems to be
writable and served in a zone that is not lost.
What is written lives with the global database, so it is there after a failover.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

from platform_pipelines.local.aws.efs_mount_targets import serving
from platform_pipelines.local.aws.service import Fault, Result
from platform_pipelines.local.balancer import Balancer
from platform_pipelines.local.http import Request, Response, json_response
from platform_pipelines.local.world import World
from platform_pipelines.model import Region, Service, Verification

# What AWS answers: service, operation, AWS name of the Region; parameters.
Ask = Callable[..., Result]
# The zones in which a file system answers: account, AWS name of the Region, id.
Serving = Callable[[World, str, str, str], list[str]]
AVAILABLE = "available"
WRITABLE = "ENABLED"  # EFS's overwrite protection of a file system that is nobody's destination


class StandIn:
    """The services of both Regions over one global database. Used on the event loop's thread."""

    def __init__(self, world: World, ask: Ask, serving: Serving = serving) -> None:
        self._world = world
        self._ask = ask
        self._serving = serving
        self._rows: dict[str, dict[str, Any]] = {}

    def dump(self) -> dict[str, Any]:
        """What was written, as JSON values."""
        return {"rows": dict(self._rows)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on with what `dump` gave."""
        self._rows = dict(state["rows"])

    def answer(self, balancer: Balancer, request: Request) -> Response:
        """What a client gets from a load balancer of a Region that is not dark."""
        service = self._service(balancer, request.headers.get("host", ""))
        if service is None:
            return json_response(404, {"error": "no rule of this load balancer knows the host"})
        if not balancer.ready():
            return json_response(503, {"error": f"{service.name} has no healthy target"})
        if request.path == service.health_path:
            return json_response(200, {"status": "ok"})
        region = self._world.platform.region(balancer.region)
        if service.verify and f"{request.path}/".startswith(f"{service.verify.path}/"):
            return self._business(region, service.verify, request)
        if request.path == "/":
            return json_response(200, {"service": service.name, "region": region.alias})
        return json_response(404, {"error": f"{service.name} has no {request.path}"})

    def _service(self, balancer: Balancer, host: str) -> Service | None:
        name = host.partition(":")[0].rstrip(".").lower()
        if name not in balancer.hosts:
            return None
        region = self._world.platform.region(balancer.region)
        services = self._world.platform.services
        return next(
            (one for one in services if name in (one.host, one.regional_host(region))), None
        )

    def _business(self, region: Region, verify: Verification, request: Request) -> Response:
        identifier = request.path.removeprefix(verify.path).strip("/")
        if request.method in ("POST", "DELETE"):
            reason = self.why_not_writable(region)
            if reason:
                return json_response(503, {"error": reason})
        match request.method, bool(identifier):
            case "POST", False:
                return self._create(request.body)
            case "GET", False:
                return json_response(200, list(self._rows.values()))
            case "GET", True:
                row = self._rows.get(identifier)
                return json_response(200, row) if row else _missing(identifier)
            case "DELETE", True:
                row = self._rows.pop(identifier, None)
                return Response(status=204) if row else _missing(identifier)
        return json_response(405, {"error": f"{request.method} is not allowed here"})

    def _create(self, body: bytes) -> Response:
        try:
            fields = json.loads(body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            return json_response(400, {"error": "the body must be a JSON object"})
        identifier = uuid.uuid4().hex
        self._rows[identifier] = {**fields, "id": identifier}
        return json_response(201, self._rows[identifier])

    def why_not_writable(self, region: Region) -> str | None:
        """Why a write in this Region fails; None if it works."""
        try:
            return self._database_reason(region) or self._files_reason(region)
        except Fault as fault:
            return str(fault)

    def _database_reason(self, region: Region) -> str | None:
        found = self._ask("rds", "DescribeGlobalClusters", region.name)["GlobalClusters"]
        clusters = {cluster["GlobalClusterIdentifier"]: cluster for cluster in found}
        for database in self._world.platform.databases:
            cluster = clusters.get(self._world.platform.global_cluster_id(database))
            members = cluster["GlobalClusterMembers"] if cluster else []
            writers = [one["DBClusterArn"] for one in members if one.get("IsWriter")]
            here = [arn for arn in writers if f":{region.name}:" in arn]
            if not here:
                return f"{database.name}: this Region's cluster is not the writer"
            if cluster and cluster["Status"] != "available":
                return f"{database.name}: the global cluster is {cluster['Status']}"
            reason = self._cluster_reason(region, here[0].rpartition(":")[2])
            if reason:
                return f"{database.name}: {reason}"
        return None

    def _cluster_reason(self, region: Region, name: str) -> str | None:
        """Why this Region's cluster takes no write: it, or the instance that writes, is not up."""
        asked = {"DBClusterIdentifier": name}
        cluster = self._ask("rds", "DescribeDBClusters", region.name, **asked)["DBClusters"][0]
        if cluster["Status"] != AVAILABLE:
            return f"the cluster is {cluster['Status']}"
        members = cluster["DBClusterMembers"]
        writer = next((one for one in members if one["IsClusterWriter"]), None)
        if writer is None:
            return "the cluster has no instance that writes"
        asked = {"DBInstanceIdentifier": writer["DBInstanceIdentifier"]}
        instance = self._ask("rds", "DescribeDBInstances", region.name, **asked)["DBInstances"][0]
        if instance["DBInstanceStatus"] != AVAILABLE:
            return f"the instance that writes is {instance['DBInstanceStatus']}"
        if self._world.zone_down(region, instance.get("AvailabilityZone", "")):
            return "the instance that writes does not answer"
        return None

    def _files_reason(self, region: Region) -> str | None:
        found = self._ask("efs", "DescribeFileSystems", region.name)["FileSystems"]
        by_name = {one.get("Name"): one for one in found}
        for declared in self._world.platform.file_systems:
            one = by_name.get(self._world.platform.file_system_name(declared))
            if one is None:
                return f"{declared.name}: there is no such file system"
            protection = one.get("FileSystemProtection", {}).get("ReplicationOverwriteProtection")
            if protection != WRITABLE:
                return f"{declared.name}: the file system is read-only ({protection})"
            account = self._world.platform.account
            if not self._serving(self._world, account, region.name, one["FileSystemId"]):
                return f"{declared.name}: no mount target of the file system answers"
        return None


def _missing(identifier: str) -> Response:
    return json_response(404, {"error": f"there is no {identifier}"})
