"""A cluster's port: the Kubernetes API behind the gate and with the call log.

The API streams (watches), so answers are not read whole: a call is noted when its answer begins,
and a lid falls on an open stream when the Region goes dark.
"""

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from platform_pipelines.local import calls, violations
from platform_pipelines.local.aws import eks
from platform_pipelines.local.calls import Asked, CallLog
from platform_pipelines.local.gate import SILENT, Gate, Passage
from platform_pipelines.local.http import (
    App,
    Message,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    json_response,
    read,
    replay,
    reply,
)
from platform_pipelines.local.outage import Lid, drop
from platform_pipelines.local.world import Outage, World
from platform_pipelines.model import Region

SERVICE = "kubernetes"  # in the call log
_PATH = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)"
    r"(?:/namespaces/[^/]+(?=/(?!finalize$|status$)[^/]+))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>.+))?)?"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_UNAVAILABLE = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "reason": "ServiceUnavailable",
    "message": "the Region is not available (a rehearsed outage)",
    "code": 503,
}


class ClusterPort:
    """The ASGI app of one cluster's port."""

    def __init__(self, world: World, region: Region, log: CallLog, api: App, gate: Gate) -> None:
        self._world = world
        self._region = region
        self._log = log
        self._api = api
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._asked(scope)
        passage = self._gate.enter(asked, self._region, headers_of(scope))
        dark = partial(self._silence, passage)
        if dark() in SILENT:
            self._log.dropped(asked)
        elif await self._through(passage, scope, receive, send):
            return
        outage = dark()
        await drop(outage if outage in SILENT else Outage.REFUSE, scope, receive)

    async def _through(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answer, with all faults in the way; False if there is no (whole) answer."""
        asked, pipe = passage.asked, receive
        if passage.held:  # who is held must be heard leaving: take the body first
            request = await read(scope, receive)
            if request is None:
                return False
            pipe = replay(request, receive)
        if not await self._gate.before(passage, receive):
            self._log.dropped(asked)
            return False
        refusal = self._refusal(passage)
        if refusal is not None:
            code, response = refusal
            self._log.answered(asked, response.status, code, str(uuid.uuid4()))
            await reply(send, response)
            return True
        return await self._answer(passage, scope, pipe, send)

    async def _answer(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> bool:
        asked = passage.asked
        noting = _Noting(self._log, asked, send, self._world.vault.commit, None)
        if passage.held:
            noting.hold = partial(self._held, passage, receive)  # its body was taken already
        lid = Lid(noting, partial(self._silence, passage))
        with violations.watched(self._world.state, self._log, asked):
            await self._api(scope, receive, lid)
        if lid.outage is None and not noting.left:
            return True
        if not lid.begun or noting.left:
            self._log.dropped(asked)
        return False

    async def _held(self, passage: Passage, receive: Receive) -> bool:
        """Hold an answer; False if nobody hears it: its caller left, or the Region is dark by now."""
        return await self._gate.after(passage, receive) and self._silence(passage) is None

    def _silence(self, passage: Passage) -> Outage | None:
        """How a call is not answered, if it is not: nobody listens where there is no cluster."""
        outage = self._gate.outage(passage)
        if outage is None and not eks.has_endpoint(self._world, self._region.name):
            return Outage.REFUSE
        return outage

    def _refusal(self, passage: Passage) -> tuple[str, Response] | None:
        if self._gate.outage(passage):
            return "ServiceUnavailable", json_response(503, _UNAVAILABLE)
        error = self._gate.error(passage)
        if error is not None:
            status = {**_UNAVAILABLE, "reason": error.code, "message": error.message}
            return error.code, json_response(error.status, {**status, "code": error.status})
        return None

    def _asked(self, scope: Scope) -> Asked:
        query = scope.get("query_string", b"").decode("latin-1")
        return Asked(
            time=self._world.datetime(),
            region=self._region.name,
            service=SERVICE,
            operation=operation(scope["method"], scope["path"], query),
            changing=scope["method"] not in calls.SAFE_VERBS,
        )


@dataclass(slots=True)
class _Noting:
    """A `send` that notes the call when its answer begins, an error when its reason is known. What a
    changing call did is on disk before anything of its answer leaves."""

    log: CallLog
    asked: Asked
    send: Send
    commit: Callable[[], None]
    hold: Callable[[], Awaitable[bool]] | None
    failed: int | None = None  # the status of an error whose body is still to come
    left: bool = False  # whether nobody heard the answer any more when it was let go

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.asked.changing:
                self.commit()
            if self.hold is not None:
                self.left = not await self.hold()
            if self.left:
                return
            if message["status"] >= 400:
                self.failed = message["status"]
            else:
                self.log.answered(self.asked, message["status"], None, str(uuid.uuid4()))
        elif self.failed is not None:
            reason = _reason(message.get("body", b"")) or str(self.failed)
            self.log.answered(self.asked, self.failed, reason, str(uuid.uuid4()))
            self.failed = None
        if not self.left:
            await self.send(message)


def operation(method: str, path: str, query: str) -> str:
    """A call in Kubernetes' words: `list deployments`, `patch deployments/scale`, `get /version`."""
    match = _PATH.fullmatch(path.rstrip("/"))
    if match is None:
        return f"{method.lower()} {path}"
    resource = f"{match['plural']}/{match['sub']}" if match["sub"] else match["plural"]
    if method in _VERBS:
        whole = method == "DELETE" and not match["name"]
        return f"deletecollection {resource}" if whole else f"{_VERBS[method]} {resource}"
    if "watch=1" in query or "watch=true" in query.lower():
        return f"watch {resource}"
    return f"get {resource}" if match["name"] else f"list {resource}"


def _reason(body: bytes) -> str | None:
    try:
        status = json.loads(body)
    except ValueError:
        return None
    return status.get("reason") if isinstance(status, dict) else None
