"""The control API's part that breaks things: outages, zones, partitions, faults and breakpoints."""

import asyncio
from contextlib import suppress
from typing import Any

from platform_pipelines.local.breakpoints import Breakpoint
from platform_pipelines.local.calls import GLOBAL
from platform_pipelines.local.controls import (
    BadRequest,
    Controls,
    Names,
    NotThere,
    Query,
    fields,
    number,
)
from platform_pipelines.local.world import GLOBAL_REGION, Outage
from platform_pipelines.model import Region

ANY = "*"  # Region
LONGEST_WAIT = 60.0  # real seconds


async def begin_outage(controls: Controls, names: Names, body: Any, _query: Query) -> object:
    """PUT regions/<alias>/outage {"mode": …}; the alias may be us-east-1."""
    alias, outage = _place(controls, names["alias"]), _mode(body)
    world = controls.world
    if alias == GLOBAL_REGION and outage is Outage.DATA_PLANE:
        raise BadRequest("us-east-1 has only control planes here; allowed: any other mode")
    world.outages[alias] = outage
    world.changed()
    return {"region": alias, "mode": outage.value, "after": controls.log.last}


async def end_outage(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """DELETE regions/<alias>/outage."""
    alias = _place(controls, names["alias"])
    controls.world.outages.pop(alias, None)
    controls.world.changed()
    return {"region": alias, "mode": None}


async def lose_zone(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """PUT zones/<alias>/<zone>/outage."""
    pair = _zone(controls, names)
    controls.world.zones.add(pair)
    controls.world.changed()
    return {"region": pair[0], "zone": pair[1], "lost": True, "after": controls.log.last}


async def return_zone(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """DELETE zones/<alias>/<zone>/outage."""
    pair = _zone(controls, names)
    controls.world.zones.discard(pair)
    controls.world.changed()
    return {"region": pair[0], "zone": pair[1], "lost": False}


async def cut(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """PUT partitions/<one>/<other>."""
    pair = _pair(controls, names)
    controls.world.partitions.add(frozenset(pair))
    controls.world.changed()
    return {"between": pair, "cut": True, "after": controls.log.last}


async def join(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """DELETE partitions/<one>/<other>."""
    pair = _pair(controls, names)
    controls.world.partitions.discard(frozenset(pair))
    controls.world.changed()
    return {"between": pair, "cut": False}


async def faults(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """GET faults."""
    return {"faults": controls.world.faults.dump()}


async def add_fault(controls: Controls, _names: Names, body: Any, _query: Query) -> object:
    """POST faults {"kind": …}."""
    _see_region(controls, body)
    entry = controls.world.faults.add(body)
    return {**entry.model_dump(mode="json"), "after": controls.log.last}


async def clear_faults(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """DELETE faults."""
    controls.world.faults.clear()
    return {"faults": []}


async def remove_fault(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """DELETE faults/<id>."""
    if not controls.world.faults.remove(names["id"]):
        raise NotThere(f"there is no fault {names['id']!r}")
    return {"id": names["id"], "removed": True}


async def breakpoints(controls: Controls, _names: Names, _body: Any, _query: Query) -> object:
    """GET breakpoints."""
    return {"breakpoints": [one.view() for one in controls.gate.breakpoints]}


async def add_breakpoint(controls: Controls, _names: Names, body: Any, _query: Query) -> object:
    """POST breakpoints {"n", "when", "service", "operation", "region"}."""
    region = _see_region(controls, body)
    wanted = body if region is None else {**body, "region": region.name}
    return controls.gate.breakpoints.add(wanted).view()


async def breakpoint_state(controls: Controls, names: Names, _body: Any, query: Query) -> object:
    """GET breakpoints/<id>?wait=<real seconds>: at once, or as soon as it holds a call."""
    found = _breakpoint(controls, names["id"])
    text = query.get("wait", "0")
    try:
        seconds = number(float(text), "wait", 0, LONGEST_WAIT)
    except ValueError as error:
        raise BadRequest(f"wait: {text!r}; allowed: 0 to {LONGEST_WAIT:g}") from error
    with suppress(TimeoutError):
        await asyncio.wait_for(found.hit.wait(), seconds)
    return found.view()


async def remove_breakpoint(controls: Controls, names: Names, _body: Any, _query: Query) -> object:
    """DELETE breakpoints/<id>: the call that it holds goes on."""
    _breakpoint(controls, names["id"])
    controls.gate.breakpoints.remove(names["id"])
    return {"id": names["id"], "removed": True}


def _place(controls: Controls, name: str) -> str:
    if name == GLOBAL_REGION:
        return name
    return controls.world.platform.region(name).alias


def _zone(controls: Controls, names: Names) -> tuple[str, str]:
    region = controls.world.platform.region(names["alias"])
    if names["zone"] not in region.zones:
        raise NotThere(f"{region.alias} has no zone {names['zone']!r}: {', '.join(region.zones)}")
    return region.alias, names["zone"]


def _pair(controls: Controls, names: Names) -> list[str]:
    places = controls.world.places
    pair = [controls.world.place(names["one"]), controls.world.place(names["other"])]
    if len(set(pair)) != 2 or not set(pair) <= set(places):
        raise NotThere(f"a partition is between two of: {', '.join(places)}")
    return sorted(pair)


def _breakpoint(controls: Controls, id_: str) -> Breakpoint:
    found = controls.gate.breakpoints.get(id_)
    if found is None:
        raise NotThere(f"there is no breakpoint {id_!r}")
    return found


def _see_region(controls: Controls, body: Any) -> Region | None:
    """The platform's Region that a body names, if it does. Raises: BadRequest, for one that no call
    is ever made to: what waits for it would wait for ever."""
    name = body.get("region", ANY) if isinstance(body, dict) else ANY
    regions = controls.world.platform.regions
    others = (ANY, GLOBAL, GLOBAL_REGION, controls.world.platform.witness)
    found = next((one for one in regions if name in (one.alias, one.name)), None)
    if found is None and isinstance(name, str) and name not in others:
        known = ", ".join([*(one.alias for one in regions), *others])
        raise BadRequest(f"region: {name!r}; allowed: {known}, or an AWS name of the first ones")
    return found


def _mode(body: Any) -> Outage:
    allowed = ", ".join(outage.value for outage in Outage)
    mode = fields(body, "mode")["mode"]
    if mode not in list(Outage):
        raise BadRequest(f"mode: {mode!r}; allowed: {allowed}")
    return Outage(mode)
