"""The two local clusters: a store, the Kubernetes API over it, and the controllers that move it, Argo
CD among them. The server calls `start` before the world on disk is restored."""

from typing import cast

from platform_pipelines.local.http import App
from platform_pipelines.local.kube import argocd, controllers, events
from platform_pipelines.local.kube.api import asgi
from platform_pipelines.local.kube.auth import Authenticator
from platform_pipelines.local.kube.rows import Rows
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World
from platform_pipelines.model import Region


def start(world: World, token: str) -> dict[str, App]:
    """Make the stores, begin the controllers; each cluster's API, by the Region's alias."""
    for region in world.platform.regions:
        store = world.stores[region.alias] = Store(world.datetime)
        world.vault.add(f"kube.{region.alias}", Rows(store))
    events.start(world)
    controllers.start(world)
    argocd.start(world, world.checkout)
    return {region.alias: _api(world, region, token) for region in world.platform.regions}


def _api(world: World, region: Region, token: str) -> App:
    # An EKS token names the STS endpoint that it was made for: ours, or the Region's own.
    hosts = frozenset(f"{name}:{world.ports.aws}" for name in ("127.0.0.1", "localhost"))
    authenticator = Authenticator(
        token=token,
        cluster=world.platform.cluster_name(region),
        region=region.name,
        hosts=hosts,
    )
    version = world.platform.kubernetes_version
    return cast(App, asgi(world.stores[region.alias], authenticator, kubernetes=version))
