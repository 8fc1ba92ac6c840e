"""All AWS APIs of the local Regions behind one door: a request in, a response out.

An operation is answered by our Service if one defines it, else by ministack if that is right there,
else it is "not implemented": at once and clearly, instead of a wrong answer. Outages and the call
log are not known here; `aws_port` puts them around.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from platform_pipelines.local.aws import faults, protocol
from platform_pipelines.local.aws.protocol import Routed, Signature
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws.service import Call, Fault, not_implemented
from platform_pipelines.local.http import App, Message, Receive, Request, Response, Scope, replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A signed request, and what it asks for."""

    request: Request
    signed: Signature
    routed: Routed | None  # None if botocore's model has no such operation
    id: str

    @property
    def operation(self) -> str:
        """As AWS names it; the bare request if nothing names it."""
        if self.routed:
            return self.routed.name
        request = self.request
        return protocol.action_of(request) or f"{request.method} {request.path}"

    def refuse(self, fault: Fault) -> Response:
        """A fault in the service's own protocol."""
        return faults.respond(self.signed.service, self.request, fault, self.id)


class Apis:
    """Answers signed requests."""

    def __init__(self, registry: Registry, account: str, base: App) -> None:
        """`base` is ministack's app, `account` whoever signs with a key that is no account."""
        self._registry = registry
        self._account = account
        self._base = base

    async def answer(self, incoming: Incoming, scope: Scope, receive: Receive) -> Response:
        """The answer of whoever has the operation."""
        service, routed = incoming.signed.service, incoming.routed
        if routed and self._registry.is_ours(service, routed.name):
            return self._answer_ours(incoming, routed)
        if routed and self._registry.passes(service, routed.name):
            return self._refusal(incoming, routed) or await relay(
                self._base, incoming.request, scope, receive
            )
        return incoming.refuse(not_implemented(f"{service} {incoming.operation}"))

    def _refusal(self, incoming: Incoming, routed: Routed) -> Response | None:
        """What AWS says to a request that its model does not allow; ministack does not look."""
        try:
            self._parse(incoming, routed)
        except Fault as fault:
            return incoming.refuse(fault)
        return None

    def _parse(self, incoming: Incoming, routed: Routed) -> Call:
        signed = incoming.signed
        account = signed.account(self._account)
        return protocol.parse(routed, incoming.request, signed, account, incoming.id)

    def _answer_ours(self, incoming: Incoming, routed: Routed) -> Response:
        try:
            result = self._registry.answer(self._parse(incoming, routed))
        except Fault as fault:
            return incoming.refuse(fault)
        return protocol.respond(routed, result, incoming.id)


async def relay(app: App, request: Request, scope: Scope, receive: Receive) -> Response:
    """What an ASGI app answers to a request that was read already."""
    status = 500
    headers: Mapping[str, str] = {}
    chunks: list[bytes] = []

    async def collect(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], _text(message["headers"])
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(scope, replay(request, receive), collect)
    return Response(status=status, headers=headers, body=b"".join(chunks))


def _text(headers: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
