"""AWS's wire protocols: from a request to a parsed `Call`, and from a result or fault to bytes.

Parsing and serialising follow botocore's models of the services, by the generic parts of moto (its
router, parsers and serialisers; none of its services). The AWS port uses this for our own
operations, and to name the operations that ministack answers.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import PROTOCOL_ROUTERS, ProtocolRouter
from moto.core.serialize import AttributePickerContext, SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from platform_pipelines.local.aws.service import Call, Fault, Result
from platform_pipelines.local.http import Request, Response

# Where the name that signs is not boto3's name of the service.
_SIGNED_AS = {
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
}
# Services that belong to no Region: their clients sign for us-east-1, and no outage touches them.
GLOBAL_SERVICES = frozenset({"route53", "iam"})

_CREDENTIAL = re.compile(r"([^/\s=,]+)/\d{8}/([^/\s,]+)/([^/\s,]+)/aws4_request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who calls, and what: the credential scope of a signed request. Its hash is not verified."""

    access_key: str
    region: str  # AWS name
    service: str  # as boto3 names it

    @property
    def is_global(self) -> bool:
        """Whether the service belongs to no Region."""
        return self.service in GLOBAL_SERVICES

    def account(self, default: str) -> str:
        """The local Regions take twelve digits as an account's key."""
        key = self.access_key
        return key if len(key) == 12 and key.isdigit() else default


def signature(request: Request) -> Signature | None:
    """The signature in the headers, or in the query of a presigned URL."""
    text = request.headers.get("authorization", "")
    if "Credential=" not in text:
        text = request.parameters().get("X-Amz-Credential", "")
    match = _CREDENTIAL.search(text.partition("Credential=")[2] or text)
    if match is None:
        return None
    access_key, region, service = match.groups()
    return Signature(access_key=access_key, region=region, service=_SIGNED_AS.get(service, service))


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A request and the operation that it asks for."""

    operation: OperationModel
    protocol: str
    http: MotoRequest
    labels: dict[str, Any]  # what the path says

    @property
    def name(self) -> str:
        """As AWS names it: DescribeFileSystems."""
        return str(self.operation.name)


@cache
def model(service: str) -> ServiceModel | None:
    """botocore's model of a service; None if there is no such service."""
    try:
        return get_service_model(service)
    except UnknownServiceError:
        return None


@cache
def _router(service: ServiceModel, protocol: str) -> ProtocolRouter:
    return PROTOCOL_ROUTERS[protocol](service)


def route(service: str, request: Request) -> Routed | None:
    """The operation of a service that a request asks for; None if there is no such one."""
    known = model(service)
    if known is None:
        return None
    query = f"?{request.query}" if request.query else ""
    url = f"http://{request.headers.get('host', 'localhost')}{request.raw_path}{query}"
    http = MotoRequest.from_primitives(request.method, url, request.headers, request.body)
    try:
        protocol = determine_request_protocol(known, http.content_type)
        operation, labels = _router(known, protocol).match(http)
    except (NotFound, NotImplementedError, KeyError):
        return None
    return Routed(operation=operation, protocol=protocol, http=http, labels=labels)


def parse(routed: Routed, request: Request, signed: Signature, account: str, id_: str) -> Call:
    """The parsed call. Raises: Fault, if the body is not of the operation's shape."""
    parser = PROTOCOL_PARSERS[routed.protocol](routed.operation)
    try:
        if "json" in routed.protocol and request.body:
            json.loads(request.body)  # moto takes what is no JSON for an empty object
        params = parser.parse(
            {
                "body": request.body,
                "headers": routed.http.headers,
                "method": request.method,
                "url_params": routed.labels,
                "url_path": routed.http.path,
                "values": routed.http.values,
            }
        )
    except (RequestParserError, ValueError, TypeError, AttributeError) as error:
        raise Fault("SerializationException", f"the request cannot be read: {error}") from error
    return Call(
        service=signed.service,
        operation=routed.name,
        params=params,
        region=signed.region,
        account=account,
        request_id=id_,
    )


def _pick(context: AttributePickerContext) -> Any:
    return context.obj.get(context.key)


def respond(routed: Routed, result: Result, id_: str) -> Response:
    """A result as the service's model has it; what the model does not know is left out."""
    service = routed.operation.service_model.service_name
    serializer = get_serializer_class(service, routed.protocol)(
        routed.operation, context=SerializationContext(request_id=id_), value_picker=_pick
    )
    answer = serializer.serialize(result)
    body = answer["body"]
    return Response(
        status=answer["status_code"],
        headers={**{k.lower(): str(v) for k, v in answer["headers"].items()}, **_ids(id_)},
        body=body.encode() if isinstance(body, str) else body,
    )


def _ids(id_: str) -> dict[str, str]:
    return {"x-amzn-requestid": id_, "x-amz-request-id": id_}


def status_of(service: str, fault: Fault) -> int:
    """The status of a fault: its own, or the one that the model gives the code."""
    if fault.status != Fault.status:
        return fault.status
    known = model(service)
    shape = known.shape_for_error_code(fault.code) if known else None  # type: ignore[arg-type]  # the stubs say int
    if shape is None:
        return fault.status
    return int(shape.metadata.get("error", {}).get("httpStatusCode", fault.status))


def action_of(request: Request) -> str | None:
    """The operation as the request itself names it, for services without a model at hand."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(request.body.decode("latin-1")).get("Action", [None])[0]
    return None
