"""The AWS port: the control API, and all AWS APIs under the outage switch and the call log.

A request belongs to the Region that it was signed for. Route 53 and IAM belong to none, so no
outage touches them.
"""

import re
import uuid
from functools import partial

from platform_pipelines.local import calls
from platform_pipelines.local.aws import protocol
from platform_pipelines.local.aws.apis import Apis, Incoming
from platform_pipelines.local.aws.faults import respond
from platform_pipelines.local.aws.protocol import Signature
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.calls import Asked, CallLog
from platform_pipelines.local.control import PREFIX, Control
from platform_pipelines.local.http import Receive, Request, Response, Scope, Send, read, reply
from platform_pipelines.local.outage import drop
from platform_pipelines.local.world import Outage, World

UNSIGNED = Fault("MissingAuthenticationToken", "The request is not signed.", 403)
DARK = Fault("ServiceUnavailable", "The Region is not available (a rehearsed outage).", 503)
_CODE = re.compile(
    rb"<Code>([^<]+)</Code>|\"(?:__type|code|Code)\"\s*:\s*\"(?:[^\"#]*#)?([^\"]+)\""
)


class AwsPort:
    """The ASGI app of the AWS port."""

    def __init__(self, world: World, log: CallLog, control: Control, apis: Apis) -> None:
        self._world = world
        self._log = log
        self._control = control
        self._apis = apis

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        if request is None:
            return
        if request.path.startswith(PREFIX):
            await reply(send, self._control.answer(request))
            return
        signed = protocol.signature(request)
        if signed is None:
            await reply(send, self._unsigned(request))
            return
        await self._signed(request, signed, scope, receive, send)

    async def _signed(
        self, request: Request, signed: Signature, scope: Scope, receive: Receive, send: Send
    ) -> None:
        incoming = Incoming(
            request=request,
            signed=signed,
            routed=protocol.route(signed.service, request),
            id=str(uuid.uuid4()),
        )
        asked = self._asked(incoming)
        dark = partial(self._outage, signed)
        response = None
        if dark() is None:
            response = await self._apis.answer(incoming, scope, receive)
        outage = dark()  # a Region that went dark meanwhile does not answer either
        if outage in (Outage.HANG, Outage.REFUSE):
            self._log.dropped(asked)
            await drop(outage, scope, receive)
            return
        if response is None or outage:
            response = incoming.refuse(DARK)
        self._log.answered(asked, response.status, error_code(response), request_id(response))
        await reply(send, response, head=request.method == "HEAD")

    def _unsigned(self, request: Request) -> Response:
        name = protocol.action_of(request) or f"{request.method} {request.path}"
        asked = Asked(
            time=self._world.datetime(),
            region=calls.GLOBAL,
            service="unknown",
            operation=name,
            changing=calls.changes(name, request.method),
        )
        self._log.answered(asked, UNSIGNED.status, UNSIGNED.code)
        return respond("unknown", request, UNSIGNED, str(uuid.uuid4()))

    def _asked(self, incoming: Incoming) -> Asked:
        signed = incoming.signed
        return Asked(
            time=self._world.datetime(),
            region=calls.GLOBAL if signed.is_global else signed.region,
            service=signed.service,
            operation=incoming.operation,
            changing=calls.changes(incoming.operation, incoming.request.method),
            access_key=signed.access_key,
        )

    def _outage(self, signed: Signature) -> Outage | None:
        region = None if signed.is_global else self._world.region_of(signed.region)
        return self._world.outage(region) if region else None


def error_code(response: Response) -> str | None:
    """The code of an error in any of AWS's protocols; None of a success."""
    if response.status < 400:
        return None
    told = response.headers.get("x-amzn-errortype")
    if told:
        return told
    match = _CODE.search(response.body[:4096])
    return (match[1] or match[2]).decode() if match else str(response.status)


def request_id(response: Response) -> str | None:
    """The id by which AWS knows the request."""
    return response.headers.get("x-amzn-requestid") or response.headers.get("x-amz-request-id")
