"""The control API's part that looks and keeps: health, time, calls, snapshots, seeds and the page."""

from dataclasses import asdict
from typing import Any

from platform_pipelines.local import calls as log
from platform_pipelines.local import page as pages
from platform_pipelines.local import seed as seeds
from platform_pipelines.local.controls import BadRequest, Controls, Names, Query, fields, number
from platform_pipelines.local.http import Response
from platform_pipelines.local.sockets import HOST
from platform_pipelines.local.vault import NoSnapshot
from platform_pipelines.local.world import World
from platform_pipelines.local.worldclock import Running, Standing

LIMIT = 1000  # calls in one answer; ask again after the last one
DIGITS = 18  # of the number of a call
FARTHEST = 366 * 86400.0  # seconds that one request may move time


async def page(_controls: Controls, _names: Names, _body: Any, _query: Query) -> Response:
    """GET /_local/: both Regions side by side, for people."""
    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    return Response(status=200, headers=headers, body=pages.HTML.encode())


async def state(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """GET state: what the page shows."""
    return pages.state(controls)


async def health(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """GET health."""
    world = controls.world
    return {
        "ready": True,
        "outages": {alias: outage.value for alias, outage in world.outages.items()},
        "zones": [{"region": alias, "zone": zone} for alias, zone in sorted(world.zones)],
        "partitions": sorted(sorted(pair) for pair in world.partitions),
    }


async def clock(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """GET clock."""
    return _clock(controls.world)


async def advance(controls: Controls, _names: Names, body: Any, _query: Query) -> object:
    """POST clock/advance {"seconds": s} or {"to": Unix time}; virtual time only."""
    time = controls.world.clock
    if not isinstance(time, Standing):
        raise BadRequest("this world's time runs by itself; start it with --clock virtual")
    if isinstance(body, dict) and "to" in body:
        to = number(fields(body, "to")["to"], "to", 0, time.now() + FARTHEST)
        await controls.world.timers.advance(time, lambda _: to)
    else:
        seconds = number(fields(body, "seconds")["seconds"], "seconds", 0, FARTHEST)
        await controls.world.timers.advance(time, lambda now: now + seconds)
    return _clock(controls.world)


async def calls(controls: Controls, _names: Names, _body: Any, query: Query) -> object:
    """GET calls?after=<n>: the calls since the n-th, at most 1000."""
    records = []
    for record in controls.log.after(_after(query)):
        records.append(asdict(record))
        if len(records) == LIMIT:
            break
    return {"calls": records}


async def notifications(controls: Controls, _names: Names, _body: Any, query: Query) -> object:
    """GET notifications?after=<n>: what SNS has published since the n-th message."""
    return {"notifications": controls.world.notifications.after(_after(query))}


async def snapshots(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """GET snapshots."""
    return {"snapshots": list(controls.world.vault.snapshots())}


async def snapshot(controls: Controls, _names: Names, body: Any, _query: Query) -> object:
    """POST snapshot {"name": …}: the world as it is now."""
    name = _name(body)
    controls.world.vault.snapshot(name)
    return {"snapshot": name}


async def restore(controls: Controls, _names: Names, body: Any, _query: Query) -> object:
    """POST restore {"name": …}: back to that world; virtual time goes back, real time does not."""
    name = _name(body)
    if name not in controls.world.vault.snapshots():
        raise NoSnapshot(name, controls.world.vault.snapshots())
    async with controls.world.timers.moving:  # not in the middle of a move, which would go on
        controls.world.vault.restore(name)
    controls.world.changed()
    return {"snapshot": name, **_clock(controls.world)}


async def seed(controls: Controls, _names: Names, body: Any, _query: Query) -> object:
    """POST seed {…}: many repositories, images, pods, Applications at once, for benchmarks."""
    return seeds.seed(controls.world, body)


def _after(query: Query) -> int:
    text = query.get("after", "0")
    if not text.isdecimal() or len(text) > DIGITS:
        raise BadRequest(f"after: {text[: DIGITS + 1]!r}; allowed: a number of the list")
    return int(text)


def _name(body: Any) -> str:
    name = fields(body, "name")["name"]
    if not isinstance(name, str):
        raise BadRequest(f"name: {name!r}; allowed: a text")
    return name


def _clock(world: World) -> dict[str, Any]:
    time = world.clock
    return {
        "now": log.iso(world.datetime()),
        "unix": world.now(),
        "speed": time.speed,
        "origin": time.origin if isinstance(time, Running) else None,
        "virtual": time.virtual,
        "platform_clock": time.variable(url(world)),
    }


def url(world: World) -> str:
    """The AWS port's address."""
    return f"http://{HOST}:{world.ports.aws}"
