"""Whether the active Region serves, by its own name: asked before the other side loses its nodes."""

import dns.resolver

from platform_pipelines.aws.dns import NameNotResolved, Resolver
from platform_pipelines.aws.http import NotServed, ServiceClient
from platform_pipelines.aws.settings import Settings
from platform_pipelines.model import Platform, Service

# The name does not exist: nothing has been published there yet, so nobody can be cut off.
UNPUBLISHED = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


def why_not(platform: Platform, settings: Settings, alias: str) -> str | None:
    """Why the services of a Region are not verified; None when all are, or none is published."""
    region = platform.region(alias)
    client = ServiceClient(settings, Resolver(settings, platform.domain))
    for service in platform.services:
        if reason := _why_not(client, service, service.regional_host(region)):
            return reason
    return None


def _why_not(client: ServiceClient, service: Service, host: str) -> str | None:
    try:
        if service.verify:
            client.verify(host, service.verify)
            return None
        status = client.request(host, "GET", service.health_path).status
    except NameNotResolved as error:
        return None if isinstance(error.__cause__, UNPUBLISHED) else str(error)
    except NotServed as error:
        return str(error)
    return None if status < 400 else f"GET {service.health_path} at {host} answers {status}"
