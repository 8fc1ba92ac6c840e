"""The service port: a plain-HTTP forward proxy into the embedded network.

A client resolves a host by itself and asks for `http://<address>/path` through the proxy, with
`Host: <host>`: the address tells which load balancer, so which Region. A request by name (curl with
a Host header, or a proxy request for a name) is resolved by our own DNS.
"""

import uuid
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from platform_pipelines.local import calls
from platform_pipelines.local.aws.zones import Zones
from platform_pipelines.local.balancer import Balancer
from platform_pipelines.local.calls import Asked, CallLog
from platform_pipelines.local.gate import SILENT, Gate, Passage
from platform_pipelines.local.http import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    read,
    reply,
)
from platform_pipelines.local.outage import drop
from platform_pipelines.local.standin import StandIn
from platform_pipelines.local.world import Outage, World

SERVICE = "http"  # in the call log
DARK = json_response(503, {"error": "the Region does not answer properly"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes: the name or address that decides, and the request as it arrives."""

    host: str
    request: Request


class ServicePort:
    """The ASGI app of the service port."""

    def __init__(
        self, world: World, log: CallLog, zones: Zones, standin: StandIn, gate: Gate
    ) -> None:
        self._world = world
        self._log = log
        self._zones = zones
        self._standin = standin
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        if request is None:
            return
        target = target_of(request)
        balancer = self._balancer(target.host)
        region = self._world.platform.region(balancer.region) if balancer else None
        asked = self._asked(target.request, balancer)
        passage = self._gate.enter(asked, region, request.headers)
        response = None
        if self._gate.outage(passage) not in SILENT:
            response = await self._through(passage, target, balancer, receive)
        outage = self._gate.outage(passage)
        if response is None or outage in SILENT:
            self._log.dropped(asked)
            await drop(outage or Outage.REFUSE, scope, receive)
            return
        error = None if response.status < 400 else str(response.status)
        self._log.answered(asked, response.status, error, str(uuid.uuid4()))
        await reply(send, response, head=request.method == "HEAD")

    async def _through(
        self, passage: Passage, target: Target, balancer: Balancer | None, receive: Receive
    ) -> Response | None:
        """The answer, with all faults in its way; None if the caller left before it."""
        if not await self._gate.before(passage, receive):
            return None
        if self._gate.outage(passage):
            return DARK
        error = self._gate.error(passage)
        if error is not None:
            return json_response(error.status, {"error": error.message})
        response = self._answer(target, balancer)
        if passage.asked.changing:
            self._world.vault.commit()
        if not await self._gate.after(passage, receive):
            return None
        return DARK if self._gate.outage(passage) else response

    def _answer(self, target: Target, balancer: Balancer | None) -> Response:
        if target.request.method == "CONNECT":
            return json_response(405, {"error": "this proxy carries plain HTTP only"})
        if balancer is None:
            why = f"{target.host} is the name or address of no load balancer"
            return json_response(502, {"error": why})
        return self._standin.answer(balancer, target.request)

    def _balancer(self, host: str) -> Balancer | None:
        rows = self._zones.resolve(host, "A").rows
        address = next((row.value for row in rows if row.type == "A"), host)
        return self._world.balancers.by_address(address)

    def _asked(self, request: Request, balancer: Balancer | None) -> Asked:
        region = self._world.platform.region(balancer.region).name if balancer else calls.GLOBAL
        host = request.headers.get("host", "")
        return Asked(
            time=self._world.datetime(),
            region=region,
            service=SERVICE,
            operation=f"{request.method} {host}{request.path}",
            changing=request.method not in calls.SAFE_VERBS,
        )


def target_of(request: Request) -> Target:
    """Take a proxy request's URL apart; any other request goes where its Host header says."""
    url = urlsplit(request.raw_path)
    if not url.scheme:
        return Target(host=_name(request.headers.get("host", "")), request=request)
    path = url.path or "/"
    direct = replace(request, path=unquote(path), raw_path=path)
    return Target(host=_name(url.netloc), request=direct)


def _name(host: str) -> str:
    return host.partition(":")[0].lower()
