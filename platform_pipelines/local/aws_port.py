"""The AWS port: the control API, and all AWS APIs behind the gate and with the call log.

A request belongs to the Region that it was signed for. Route 53 and IAM belong to none, so no
outage of a Region of the platform touches them.
"""

import re
import uuid

from platform_pipelines.local import calls, violations
from platform_pipelines.local.aws import protocol
from platform_pipelines.local.aws.apis import Apis, Incoming
from platform_pipelines.local.aws.faults import respond
from platform_pipelines.local.aws.protocol import Signature
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.calls import Asked, CallLog
from platform_pipelines.local.control import PREFIX, Control
from platform_pipelines.local.gate import SILENT, Gate, Passage
from platform_pipelines.local.http import Receive, Request, Response, Scope, Send, read, reply
from platform_pipelines.local.outage import drop
from platform_pipelines.local.world import Outage, World

UNSIGNED = Fault("MissingAuthenticationToken", "The request is not signed.", 403)
DARK = Fault("ServiceUnavailable", "The Region is not available (a rehearsed outage).", 503)
_LINKS = {"ConfirmSubscription": "TopicArn", "Unsubscribe": "SubscriptionArn"}
_ARN_PARTS = 6
_CODE = re.compile(
    rb"<Code>([^<]+)</Code>|\"(?:__type|code|Code)\"\s*:\s*\"(?:[^\"#]*#)?([^\"]+)\""
)


class AwsPort:
    """The ASGI app of the AWS port."""

    def __init__(
        self, world: World, log: CallLog, control: Control, apis: Apis, gate: Gate
    ) -> None:
        self._world = world
        self._log = log
        self._control = control
        self._apis = apis
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        if request is None:
            return
        if request.path.startswith(PREFIX):
            answer = await self._control.answer(request)
            await reply(send, answer, head=request.method == "HEAD")
            return
        signed = protocol.signature(request) or unsigned_sns(request)
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
        region = None if signed.is_global else self._world.region_of(signed.region)
        passage = self._gate.enter(self._asked(incoming), region, request.headers)
        response = None
        if self._gate.outage(passage) not in SILENT:
            response = await self._through(incoming, passage, scope, receive)
        outage = self._gate.outage(passage)  # a Region that went dark meanwhile is silent, too
        if response is None or outage in SILENT:
            self._log.dropped(passage.asked)
            await drop(outage or Outage.REFUSE, scope, receive)
            return
        error, id_ = error_code(response), request_id(response)
        self._log.answered(passage.asked, response.status, error, id_)
        await reply(send, response, head=request.method == "HEAD")

    async def _through(
        self, incoming: Incoming, passage: Passage, scope: Scope, receive: Receive
    ) -> Response | None:
        """The answer, with all faults in its way; None if the caller left before it."""
        if not await self._gate.before(passage, receive):
            return None
        if self._gate.outage(passage):
            return incoming.refuse(DARK)
        error = self._gate.error(passage)
        if error is not None:
            return incoming.refuse(Fault(error.code, error.message, error.status))
        with violations.watched(self._world.state, self._log, passage.asked):
            response = await self._apis.answer(incoming, scope, receive)
        if passage.asked.changing or passage.asked.operation.startswith(calls.KEPT):
            self._world.vault.commit()
        if self._world.strict:
            violations.note(self._world.state, incoming.routed, response)
        if not await self._gate.after(passage, receive):
            return None
        return incoming.refuse(DARK) if self._gate.outage(passage) else response

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
        # A GET may change something: links of SNS, and the query protocol's signed URLs.
        method = "POST" if incoming.routed else incoming.request.method
        return Asked(
            time=self._world.datetime(),
            region=calls.GLOBAL if signed.is_global else signed.region,
            service=signed.service,
            operation=incoming.operation,
            changing=calls.changes(incoming.operation, method),
            access_key=signed.access_key,
        )


def unsigned_sns(request: Request) -> Signature | None:
    """The links in what SNS sends may be followed by anybody, without a signature: to the SNS of the
    Region that their ARN names. https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html
    """
    asked = request.parameters()
    arn = asked.get(_LINKS.get(asked.get("Action", ""), ""), "").split(":")
    if request.method not in ("GET", "HEAD") or len(arn) < _ARN_PARTS or arn[2] != "sns":
        return None
    return Signature(access_key=arn[4], region=arn[3], service="sns")


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
