"""The door to all AWS APIs of a world, without a server: requests in, answers out."""

import asyncio
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import protocol
from platform_pipelines.local.aws.apis import Apis, Incoming
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.http import Message, Request, Response
from platform_pipelines.local.world import World
from tests.local.contract import wire


class Door:
    """Answers requests as the AWS port does, in one event loop; close it at the end."""

    def __init__(self, world: World) -> None:
        self._runner = asyncio.Runner()
        self.world = world
        self._apis = self._runner.run(_apis(world))

    def call(self, service: str, name: str, params: dict[str, Any]) -> Response:
        """The answer to an operation, called as boto3 does it."""
        return self.answer(service, wire.sent(service, name, params))

    def answer(self, service: str, request: Request) -> Response:
        """The answer to a request, signed by the platform's account in Tokyo."""
        request = wire.signed(service, request, self.world.platform.account)
        signature = protocol.signature(request)
        assert signature is not None
        routed = protocol.route(signature.service, request)
        incoming = Incoming(request=request, signed=signature, routed=routed, id="id")
        return self._runner.run(self._apis.answer(incoming, wire.scope(request), _left))

    def close(self) -> None:
        """End the event loop."""
        self._runner.close()


async def _apis(world: World) -> Apis:
    return Apis(Registry(world), world.platform.account, ministack.load())


async def _left() -> Message:
    return {"type": "http.disconnect"}
