"""The control API of the local Regions, `/_local/` on the AWS port: what a rehearsal pulls on.

JSON in and out; a mistake is 400 or 404 with `{"error": …}`. `client` is its typed client.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict

from platform_pipelines.errors import UnknownRegion
from platform_pipelines.local import calls
from platform_pipelines.local.calls import CallLog
from platform_pipelines.local.http import Request, Response, json_response
from platform_pipelines.local.world import Outage, World

PREFIX = "/_local/"
LIMIT = 1000  # calls in one answer; ask again after the last one
_OUTAGE = re.compile(r"regions/([^/]+)/outage")


class BadRequest(ValueError):
    """The request makes no sense; the text says why."""


class Control:
    """Answers the control API of one world."""

    def __init__(self, world: World, log: CallLog) -> None:
        self._world = world
        self._log = log

    def answer(self, request: Request) -> Response:
        """The answer to a request below `/_local/`."""
        path = request.path.removeprefix(PREFIX).rstrip("/")
        try:
            found = self._route(request, path)
            if found is not None:
                return json_response(200, found())
        except BadRequest as error:
            return json_response(400, {"error": str(error)})
        except UnknownRegion as error:
            return json_response(404, {"error": str(error)})
        return json_response(404, {"error": f"there is no {request.method} {request.path}"})

    def _route(self, request: Request, path: str) -> Callable[[], object] | None:
        outage = _OUTAGE.fullmatch(path)
        match request.method, path:
            case "GET", "health":
                return self._health
            case "GET", "clock":
                return self._clock
            case "GET", "calls":
                return lambda: self._calls(request)
            case "PUT", _ if outage:
                return lambda: self._begin(outage[1], request.body)
            case "DELETE", _ if outage:
                return lambda: self._end(outage[1])
        return None

    def _health(self) -> object:
        outages = {alias: outage.value for alias, outage in self._world.outages.items()}
        return {"ready": True, "outages": outages}

    def _clock(self) -> object:
        clock = self._world.clock
        return {
            "now": calls.iso(self._world.datetime()),
            "speed": clock.speed,
            "origin": clock.origin,
            "platform_clock": clock_variable(self._world),
        }

    def _calls(self, request: Request) -> object:
        text = request.parameters().get("after", "0")
        if not text.isdecimal():
            raise BadRequest(f"after: {text!r}; allowed: the number of a call")
        records = []
        for record in self._log.after(int(text)):
            records.append(asdict(record))
            if len(records) == LIMIT:
                break
        return {"calls": records}

    def _begin(self, alias: str, body: bytes) -> object:
        region = self._world.platform.region(alias)
        outage = _mode(body)
        self._world.outages[region.alias] = outage
        return {"region": region.alias, "mode": outage.value, "after": self._log.last}

    def _end(self, alias: str) -> object:
        region = self._world.platform.region(alias)
        self._world.outages.pop(region.alias, None)
        return {"region": region.alias, "mode": None}


def clock_variable(world: World) -> str:
    """The value of PLATFORM_CLOCK by which a process shares this world's time."""
    return f"scaled:{world.clock.speed:g}:{world.clock.origin!r}"


def _mode(body: bytes) -> Outage:
    allowed = ", ".join(outage.value for outage in Outage)
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or set(content) != {"mode"}:
        raise BadRequest(f'the body must be {{"mode": …}}; allowed: {allowed}')
    if content["mode"] not in list(Outage):
        raise BadRequest(f"mode: {content['mode']!r}; allowed: {allowed}")
    return Outage(content["mode"])
