"""A cluster that lives: nodes, controllers, Argo CD and events, on a clock that runs fast."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client

from platform_pipelines.local.kube import argocd, controllers, events
from platform_pipelines.local.kube.controllers.cluster import NodeGroup, Taint
from platform_pipelines.local.kube.kinds import NAMESPACE
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import Ports, World
from platform_pipelines.local.worldclock import Running
from tests.local.kube.api_server import Server, serving
from tests.local.kube.hand_world import PLATFORM, PlainAws

SPEED = 100.0  # a node needs a few seconds to join
PATIENCE = 20.0  # real seconds
NODES = 4


@contextmanager
def living(folder: Path) -> Iterator[Server]:
    """Seoul's API with nodes of the groups `manage` and `web`, until the end of the context."""
    world = World(
        platform=PLATFORM, state=folder, ports=Ports(kube={"seoul": 0}), clock=Running(SPEED)
    )
    world.stores = {"seoul": Store(world.datetime)}

    async def run() -> None:
        events.start(world)
        controllers.start(world, _aws(world).outside())
        argocd.start(world, folder)
        for name in ("argocd", "web"):
            world.stores["seoul"].create(NAMESPACE, {"metadata": {"name": name}})
        await world.timers.run()

    with serving(folder, world.stores["seoul"], run) as server:
        _await_nodes(server)
        yield server


def _await_nodes(server: Server) -> None:
    core: Any = client.CoreV1Api(server.client())
    deadline = time.monotonic() + PATIENCE
    while sum(map(_ready, core.list_node().items)) < NODES:
        assert time.monotonic() < deadline, "the nodes did not join"
        time.sleep(0.1)


def _ready(node: Any) -> bool:
    told = node.status.conditions or []
    return any(one.type == "Ready" and one.status == "True" for one in told)


def _aws(world: World) -> PlainAws:
    taint = Taint(key="role", value="web", effect="NoSchedule")
    groups = [
        NodeGroup(
            name=name,
            desired=NODES // 2,
            since=world.now(),
            instance_type="t3.medium",
            taints=(taint,) if name == "web" else (),
        )
        for name in ("manage", "web")
    ]
    return PlainAws(groups={"seoul": groups})
