"""The server of the local Regions: puts the parts of one world together and serves them.

One process, one event loop, loopback only. `__main__` calls `run` with bound sockets, after
ministack is configured: its modules read the environment when they are imported.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_pipelines.clock import ScaledClock
from platform_pipelines.local import clusters, control, dns, kubeconfig, listen, ministack
from platform_pipelines.local.aws import cloudformation
from platform_pipelines.local.aws.apis import Apis
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws_port import AwsPort
from platform_pipelines.local.calls import CallLog
from platform_pipelines.local.checkers import Checkers
from platform_pipelines.local.cluster_port import ClusterPort
from platform_pipelines.local.control import Control
from platform_pipelines.local.network import ServicePort
from platform_pipelines.local.options import Options
from platform_pipelines.local.sockets import HOST, Sockets
from platform_pipelines.local.standin import StandIn
from platform_pipelines.local.tls import ensure_ca
from platform_pipelines.local.world import World

if TYPE_CHECKING:
    from platform_pipelines.local.http import App


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is served, and where."""

    aws: "App"
    kube: "dict[str, App]"  # by the Region's alias
    service: "App"
    resolve: dns.Resolve


def run(options: Options, sockets: Sockets) -> None:
    """Serve until SIGTERM or SIGINT."""
    world = World(
        platform=options.platform,
        state=options.state,
        ports=sockets.ports,
        clock=ScaledClock(options.speed, time.time()),
        durations=options.durations,
        checkout=options.checkout,
    )
    asyncio.run(_serve(world, sockets))


async def _serve(world: World, sockets: Sockets) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log = CallLog(world.state)
    try:
        authority = ensure_ca(world.state)
        world.ca_pem = authority.ca_pem
        token = kubeconfig.ensure_token(world.state)
        kubeconfig.write(world.state, urls(world), world.ca_pem, token)
        parts = _build(world, log, token)
        async with AsyncExitStack() as stack:
            for alias, app in parts.kube.items():
                tls = authority.server_context(
                    world.platform.cluster_name(world.platform.region(alias))
                )
                await stack.enter_async_context(listen.serving(app, sockets.kube[alias], tls))
            for app, sock in ((parts.aws, sockets.aws), (parts.service, sockets.service)):
                await stack.enter_async_context(listen.serving(app, sock))
            await stack.enter_async_context(
                dns.serving(sockets.dns_udp, sockets.dns_tcp, parts.resolve)
            )
            await stack.enter_async_context(_ticking(world, stop))
            _say_ready(world)
            await stop.wait()
    finally:
        log.close()


def _build(world: World, log: CallLog, token: str) -> Parts:
    registry = Registry(world)
    cloudformation.install(registry.answer)
    standin = StandIn(world, registry.ask)
    zones = registry.route53.zones
    registry.route53.checks.look_through(Checkers(world, zones, standin).fetch)
    apis = Apis(registry, world.platform.account, ministack.load())
    regions = world.platform.regions
    kube = clusters.start(world, token)
    return Parts(
        aws=AwsPort(world, log, Control(world, log), apis),
        kube={
            region.alias: ClusterPort(world, region, log, kube[region.alias]) for region in regions
        },
        service=ServicePort(world, log, zones, standin),
        resolve=zones.resolve,
    )


@asynccontextmanager
async def _ticking(world: World, stop: asyncio.Event) -> AsyncIterator[None]:
    """Run the timers; if one breaks, the world is broken: stop, and raise at the end."""
    task = asyncio.create_task(world.timers.run())
    task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        if not task.done():
            task.cancel()
        elif not task.cancelled():
            task.result()


def urls(world: World) -> dict[str, str]:
    """The clusters' endpoints, by the Region's alias."""
    return {alias: f"https://{HOST}:{port}" for alias, port in world.ports.kube.items()}


def _say_ready(world: World) -> None:
    line = {
        "ready": True,
        "aws": f"http://{HOST}:{world.ports.aws}",
        "clusters": urls(world),
        "dns": f"{HOST}:{world.ports.dns}",
        "services": f"http://{HOST}:{world.ports.service}",
        "kubeconfig": str((world.state / kubeconfig.FILE).absolute()),
        "clock": control.clock_variable(world),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
