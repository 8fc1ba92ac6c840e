"""How Route 53's checkers reach what they look at: a load balancer by its name, or an S3 object.

The checkers stand outside of all Regions, so a dark Region is silence to them. S3 lets them read an
object only if the bucket's policy says so, for one of their addresses.
"""

import ipaddress
import json
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.health_checks import Endpoint, Look
from platform_pipelines.local.aws.route53 import CHECKER_SITES
from platform_pipelines.local.aws.zones import Zones
from platform_pipelines.local.http import Request
from platform_pipelines.local.standin import StandIn
from platform_pipelines.local.world import World

_S3 = re.compile(r"(?P<bucket>.+)\.s3\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
TIMED_OUT = "the health checker could not establish a connection within the timeout limit"


class Checkers:
    """The way from the checkers to the embedded network."""

    def __init__(self, world: World, zones: Zones, standin: StandIn) -> None:
        self._world = world
        self._zones = zones
        self._standin = standin

    def fetch(self, endpoint: Endpoint) -> Look:
        """One anonymous GET."""
        bucket = _S3.fullmatch(endpoint.host)
        if bucket:
            return self._object(bucket["region"], bucket["bucket"], endpoint)
        return self._balancer(endpoint)

    def _balancer(self, endpoint: Endpoint) -> Look:
        rows = self._zones.resolve(endpoint.host, "A").rows
        address = next((row.value for row in rows if row.type == "A"), endpoint.host)
        balancer = self._world.balancers.by_address(address)
        if balancer is None:
            return Look(status=None, reason=f"DNS resolution of {endpoint.host} failed")
        if self._world.dark(self._world.platform.region(balancer.region)):
            return Look(status=None, reason=TIMED_OUT)
        request = Request(
            method="GET",
            path=endpoint.path,
            raw_path=endpoint.path,
            query="",
            headers={"host": endpoint.host},
        )
        response = self._standin.answer(balancer, request)
        return Look(status=response.status, body=response.body, reason="")

    def _object(self, region: str, bucket: str, endpoint: Endpoint) -> Look:
        known = self._world.region_of(region)
        if known and self._world.dark(known):
            return Look(status=None, reason=TIMED_OUT)
        key = endpoint.path.lstrip("/")
        with ministack.scope(self._world.platform.account, region):
            s3 = ministack.service("s3")
            if bucket not in s3._buckets:
                return Look(status=404, reason="")
            policy = json.loads(s3._bucket_policies.get(bucket) or "{}")
            if not checkers_may_read(policy, f"arn:aws:s3:::{bucket}/{key}", endpoint.secure):
                return Look(status=403, reason="")
            body = s3._get_object_data(bucket, key)
        # Who may not list a bucket gets 403 for an object that is not there.
        return Look(status=403 if body is None else 200, body=body or b"", reason="")


def checkers_may_read(policy: dict[str, Any], resource: str, secure: bool) -> bool:
    """Whether a bucket policy lets an anonymous checker read the object."""
    effects = [
        statement["Effect"]
        for statement in _many(policy.get("Statement"))
        if _fits(statement, resource, secure)
    ]
    return "Allow" in effects and "Deny" not in effects


def _fits(statement: dict[str, Any], resource: str, secure: bool) -> bool:
    actions = [str(action).lower() for action in _many(statement.get("Action"))]
    resources = [str(one) for one in _many(statement.get("Resource"))]
    return (
        statement.get("Principal") in ("*", {"AWS": "*"})
        and any(fnmatchcase("s3:getobject", action) for action in actions)
        and any(fnmatchcase(resource, pattern) for pattern in resources)
        and all(
            _holds(operator, key.lower(), [str(value).lower() for value in _many(values)], secure)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: list[str], secure: bool) -> bool:
    """One condition of a statement; one that we do not know does not hold."""
    if (operator, key) == ("Bool", "aws:securetransport"):
        return str(secure).lower() in values
    if (operator, key) == ("IpAddress", "aws:sourceip"):
        networks = [ipaddress.ip_network(value) for value in values]
        addresses = [ipaddress.ip_address(address) for _, address in CHECKER_SITES]
        return all(any(address in network for network in networks) for address in addresses)
    return False


def _many(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
