"""The Argo CD stand-in of the local clusters.

Each cluster's Argo CD follows the Application objects of its own cluster, renders their paths from a
working folder with kustomize, applies the result server-side, and writes the status that a real one
writes. It runs on the event loop; kustomize and git are processes beside it.
"""

from pathlib import Path

from platform_pipelines.local.kube.argocd.checkout import Checkout
from platform_pipelines.local.kube.argocd.controller import ArgoCd
from platform_pipelines.local.world import World

__all__ = ["ArgoCd", "Checkout", "start"]


def start(world: World, root: Path) -> dict[str, ArgoCd]:
    """Begin the Argo CD of every cluster in `world.stores`, following the checkout at `root`.

    Returns them by the Region's alias. Called inside the running event loop.
    """
    checkout = Checkout(root)
    by_alias = {
        alias: ArgoCd(
            world=world, region=world.platform.region(alias), store=store, checkout=checkout
        )
        for alias, store in world.stores.items()
    }
    world.timers.on("argocd.poll", lambda alias: by_alias[alias].poll())
    world.timers.on("argocd.work", lambda alias: by_alias[alias].work())
    world.timers.on("argocd.look", lambda alias: by_alias[alias].look())
    world.timers.on("argocd.cascade", lambda alias: by_alias[alias].cascade())
    for alias, one in by_alias.items():
        one.start()
        world.vault.add(f"argocd.{alias}", one.memory)
    return by_alias
