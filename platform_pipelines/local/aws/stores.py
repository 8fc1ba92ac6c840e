"""The door to ministack: its answers as checked values, for services that add to them.

Our services keep their state in ministack's stores, so that its own operations see the same world,
and are called in the scope of a Region, which says whose part of a store they see.
"""

import functools
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import botocore.session
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Call, Fault, Params, Result
from platform_pipelines.local.world import PARKED, World

Answer = tuple[int, dict[str, str], bytes]

# The protocol that we speak with ministack where a service has several.
_PROTOCOLS = {"cloudwatch": "json"}
# Services whose dispatcher runs in threads because of Docker, which we never use.
_SYNCHRONOUS = frozenset({"eks", "rds"})


def dark(world: World, region: str) -> bool:
    """Whether what runs in the Region of this AWS name stands still."""
    known = world.region_of(region)
    return known is not None and world.dark(known)


def frozen(world: World, region: str) -> bool:
    """Whether nothing that was asked of the Region of this AWS name makes progress."""
    known = world.region_of(region)
    return known is not None and world.frozen(known)


def parked(world: World, region: str, timer: str, /, **args: Any) -> bool:
    """Whether the Region of this AWS name stands still; then the timer comes again with `args`."""
    if not frozen(world, region):
        return False
    world.timers.after(PARKED, timer, **args)
    return True


def apart(world: World, one: str, other: str) -> bool:
    """Whether two Regions (AWS names) cannot reach each other."""
    return world.apart(one, other)


def ask(call: Call, params: Params | None = None) -> Result:
    """What ministack answers to the call, or to other `params`. Raises: Fault."""
    operation = _model(call.service).operation_model(call.operation)
    protocol = _PROTOCOLS.get(call.service) or operation.service_model.metadata["protocol"]
    sent = call.params if params is None else params
    status, headers, body = _send(call.service, protocol, operation, sent)
    parsed = create_parser(protocol).parse(
        {
            "status_code": status,
            "headers": {k.lower(): v for k, v in headers.items()},
            "body": body,
        },
        operation.output_shape,  # type: ignore[arg-type]  # None, no output, is unknown to the stubs
    )
    parsed.pop("ResponseMetadata", None)
    if status >= 300:
        error = parsed.get("Error", {})
        raise Fault(error.get("Code", "InternalFailure"), error.get("Message", ""), status)
    return dict(parsed)


def finish(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer of a ministack handler that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    coroutine.close()
    raise RuntimeError("a ministack handler waited; it must run in the event loop")


@functools.cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _send(service: str, protocol: str, operation: OperationModel, params: Params) -> Answer:
    serializer = create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation)
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    path, _, literal = request["url_path"].partition("?")
    query = {name: [str(value)] for name, value in dict(request["query_string"] or {}).items()}
    arguments = (
        request["method"],
        unquote(path),
        {name.lower(): value for name, value in request["headers"].items()},
        body.encode() if isinstance(body, str) else body,
        parse_qs(literal, keep_blank_values=True) | query,
    )
    module = ministack.service(service)
    if service in _SYNCHRONOUS:
        answer: Answer = module._handle_request_sync(*arguments)
        return answer
    return finish(module.handle_request(*arguments))
