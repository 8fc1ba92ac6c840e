"""The control API of the local Regions, `/_local/` on the AWS port: what a rehearsal pulls on.

JSON in and out; a mistake is 400 or 404 with `{"error": …}`. `client` is its typed client, the page
`/_local/` itself is for people. What it changes is on disk before it is answered.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from platform_pipelines.errors import PlatformError
from platform_pipelines.local import control_faults, control_world
from platform_pipelines.local.controls import BadRequest, Controls, NotThere
from platform_pipelines.local.http import Request, Response, json_response

PREFIX = "/_local/"
Handler = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path with `{names}`, and what answers."""

    method: str
    path: str
    handler: Handler

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The names in the path, if it is this route's."""
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


ROUTES = (
    Route("GET", "", control_world.page),
    Route("GET", "health", control_world.health),
    Route("GET", "state", control_world.state),
    Route("GET", "clock", control_world.clock),
    Route("POST", "clock/advance", control_world.advance),
    Route("GET", "calls", control_world.calls),
    Route("GET", "notifications", control_world.notifications),
    Route("GET", "snapshots", control_world.snapshots),
    Route("POST", "snapshot", control_world.snapshot),
    Route("POST", "restore", control_world.restore),
    Route("POST", "seed", control_world.seed),
    Route("PUT", "regions/{alias}/outage", control_faults.begin_outage),
    Route("DELETE", "regions/{alias}/outage", control_faults.end_outage),
    Route("PUT", "zones/{alias}/{zone}/outage", control_faults.lose_zone),
    Route("DELETE", "zones/{alias}/{zone}/outage", control_faults.return_zone),
    Route("PUT", "partitions/{one}/{other}", control_faults.cut),
    Route("DELETE", "partitions/{one}/{other}", control_faults.join),
    Route("GET", "faults", control_faults.faults),
    Route("POST", "faults", control_faults.add_fault),
    Route("DELETE", "faults", control_faults.clear_faults),
    Route("DELETE", "faults/{id}", control_faults.remove_fault),
    Route("GET", "breakpoints", control_faults.breakpoints),
    Route("POST", "breakpoints", control_faults.add_breakpoint),
    Route("GET", "breakpoints/{id}", control_faults.breakpoint_state),
    Route("DELETE", "breakpoints/{id}", control_faults.remove_breakpoint),
)


class Control:
    """Answers the control API of one world."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    async def answer(self, request: Request) -> Response:
        """The answer to a request below `/_local/`."""
        path = request.path.removeprefix(PREFIX).rstrip("/")
        try:
            for route in ROUTES:
                names = route.match(request.method, path)
                if names is not None:
                    return await self._through(route, request, names)
        except ValidationError as error:
            return json_response(400, {"error": _told(error)})
        except BadRequest as error:
            return json_response(400, {"error": str(error)})
        except (NotThere, PlatformError) as error:
            return json_response(404, {"error": str(error)})
        return json_response(404, {"error": f"there is no {request.method} {request.path}"})

    async def _through(self, route: Route, request: Request, names: Mapping[str, str]) -> Response:
        body = _body(request)
        query = request.parameters()
        found = await route.handler(self._controls, names, body, query)
        if request.method != "GET":
            self._controls.world.vault.commit()
        return found if isinstance(found, Response) else json_response(200, found)


def _body(request: Request) -> Any:
    if not request.body:
        return {}
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON") from None


def _told(error: ValidationError) -> str:
    said = [f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors()]
    return "; ".join(said)
