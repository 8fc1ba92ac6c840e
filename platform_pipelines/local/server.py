"""The server of the local Regions: puts the parts of one world together and serves them.

One process, one event loop, loopback only. `__main__` calls `run` with bound sockets, after
ministack is configured: its modules read the environment when they are imported.
"""

import asyncio
import gc
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_pipelines.local import clusters, control_world, dns, kubeconfig, listen, ministack
from platform_pipelines.local.aws.apis import Apis
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws_port import AwsPort
from platform_pipelines.local.calls import CallLog
from platform_pipelines.local.checkers import Checkers
from platform_pipelines.local.cluster_port import ClusterPort
from platform_pipelines.local.control import Control
from platform_pipelines.local.controls import Controls
from platform_pipelines.local.gate import Gate
from platform_pipelines.local.network import ServicePort
from platform_pipelines.local.options import Options
from platform_pipelines.local.sockets import HOST, Sockets
from platform_pipelines.local.standin import StandIn
from platform_pipelines.local.tls import ensure_ca
from platform_pipelines.local.vault import Value
from platform_pipelines.local.world import World
from platform_pipelines.local.worldclock import Running, Standing

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
        clock=Standing() if options.virtual else Running(options.speed),
        durations=options.durations,
        checkout=options.checkout,
        strict=options.strict,
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
        resumed = world.vault.open()
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
            _settle_memory()
            _say_ready(world, resumed=resumed)
            await stop.wait()
    finally:
        world.vault.close()
        log.close()


def _build(world: World, log: CallLog, token: str) -> Parts:
    registry = Registry(world)
    standin = StandIn(world, registry.ask)
    world.vault.add("standin", Value(standin.dump, standin.load))
    zones = registry.route53.zones
    registry.route53.checks.look_through(Checkers(world, zones, standin).fetch)
    apis = Apis(registry, world.platform.account, ministack.load())
    regions = world.platform.regions
    kube = clusters.start(world, token)
    gate = Gate(world)
    controls = Controls(
        world=world,
        log=log,
        gate=gate,
        ask=registry.ask,
        resolve=zones.resolve,
        healthy=registry.route53.checks.healthy,
    )
    return Parts(
        aws=AwsPort(world, log, Control(controls), apis, gate),
        kube={
            region.alias: ClusterPort(world, region, log, kube[region.alias], gate)
            for region in regions
        },
        service=ServicePort(world, log, zones, standin, gate),
        resolve=zones.resolve,
    )


def _settle_memory() -> None:
    """What is here now stays: without it the collector looks often and soon at what comes later,
    closed TLS connections above all, which hold 128 KiB each until it does.
    https://docs.python.org/3/library/gc.html#gc.freeze"""
    gc.collect()
    gc.freeze()


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


def _say_ready(world: World, *, resumed: bool) -> None:
    line = {
        "ready": True,
        "resumed": resumed,
        "aws": control_world.url(world),
        "clusters": urls(world),
        "dns": f"{HOST}:{world.ports.dns}",
        "services": f"http://{HOST}:{world.ports.service}",
        "kubeconfig": str((world.state / kubeconfig.FILE).absolute()),
        "clock": world.clock.variable(control_world.url(world)),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
