"""A cluster's port: the Kubernetes API under the outage switch and the call log.

The API streams (watches), so answers are not read whole: a call is noted when its answer begins,
and a lid falls on an open stream when the Region goes dark.
"""

import json
import re
import uuid
from dataclasses import dataclass
from functools import partial

from platform_pipelines.local import calls
from platform_pipelines.local.calls import Asked, CallLog
from platform_pipelines.local.http import App, Message, Receive, Scope, Send, json_response, reply
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

    def __init__(self, world: World, region: Region, log: CallLog, api: App) -> None:
        self._world = world
        self._region = region
        self._log = log
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = self._asked(scope)
        dark = partial(self._world.outage, self._region)
        outage = dark()
        if outage is Outage.ERROR:
            self._log.answered(asked, 503, "ServiceUnavailable", str(uuid.uuid4()))
            await reply(send, json_response(503, _UNAVAILABLE))
            return
        lid = Lid(_Noting(self._log, asked, send), dark)
        if outage is None:
            await self._api(scope, receive, lid)
            outage = lid.outage
        if outage is None:
            return
        if not lid.begun:
            self._log.dropped(asked)
        await drop(Outage.REFUSE if outage is Outage.ERROR else outage, scope, receive)

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
    """A `send` that notes the call when its answer begins, an error when its reason is known."""

    log: CallLog
    asked: Asked
    send: Send
    failed: int | None = None  # the status of an error whose body is still to come

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] < 400:
                self.log.answered(self.asked, message["status"], None, str(uuid.uuid4()))
            else:
                self.failed = message["status"]
        elif self.failed is not None:
            reason = _reason(message.get("body", b"")) or str(self.failed)
            self.log.answered(self.asked, self.failed, reason, str(uuid.uuid4()))
            self.failed = None
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
