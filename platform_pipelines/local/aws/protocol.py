"""AWS's wire protocols: from a request to a parsed `Call`, and from a result or fault to bytes.

Parsing and serialising follow botocore's models of the services, by the generic parts of moto (its
router, parsers and serialisers; none of its services). The AWS port uses this for our own
operations, and to name the operations that ministack answers.
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel, StructureShape
from moto.core.request import determine_request_protocol
from moto.core.routing import PROTOCOL_ROUTERS, ProtocolRouter
from moto.core.serialize import AttributePickerContext, SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from platform_pipelines.local.aws import constraints, parsing, refusals
from platform_pipelines.local.aws.moto_request import MotoRequest
from platform_pipelines.local.aws.service import Call, Fault, Result
from platform_pipelines.local.http import Request, Response

# Where the name that signs is not boto3's name of the service.
_SIGNED_AS = {
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
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


@cache
def _forgiving_router(service: ServiceModel, protocol: str) -> ProtocolRouter:
    """Takes a request without a required parameter in its query or headers: AWS finds the operation
    and refuses it. Not for S3, where such a parameter makes another operation of the same path."""
    description = deepcopy(service._service_description)  # type: ignore[attr-defined]  # botocore hides it
    for shape in description["shapes"].values():
        located = {name for name, one in shape.get("members", {}).items() if "location" in one}
        shape["required"] = [name for name in shape.get("required", []) if name not in located]
    return PROTOCOL_ROUTERS[protocol](ServiceModel(description, service.service_name))


def route(service: str, request: Request) -> Routed | None:
    """The operation of a service that a request asks for; None if there is no such one."""
    known = model(service)
    if known is None:
        return None
    http = MotoRequest(request)
    try:
        protocol = determine_request_protocol(known, http.content_type)
        operation, labels = _match(known, protocol, http)
    except (NotFound, NotImplementedError, KeyError):
        return None
    return Routed(operation=operation, protocol=protocol, http=http, labels=labels)


def _match(
    known: ServiceModel, protocol: str, http: MotoRequest
) -> tuple[OperationModel, dict[str, Any]]:
    asked: Any = http  # all that a router needs of moto's own
    try:
        return _router(known, protocol).match(asked)
    except NotFound:
        if not protocol.startswith("rest") or known.service_name == "s3":
            raise
    operation, labels = _forgiving_router(known, protocol).match(asked)
    return known.operation_model(operation.name), labels


def parse(routed: Routed, request: Request, signed: Signature, account: str, id_: str) -> Call:
    """The parsed call. Raises: Fault, in the service's words, if the model does not allow it."""
    service = signed.service
    try:
        params = parsing.parameters(
            routed.operation, routed.protocol, request, routed.http, routed.labels
        )
    except parsing.Unreadable as error:
        raise refusals.unreadable(service, routed.protocol, str(error)) from error
    found = constraints.of_request(routed.operation, params)
    if found:
        raise refusals.invalid(service, routed.protocol, found)
    return Call(
        service=service,
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


def error_members(service: str, code: str) -> frozenset[str]:
    """What the model's error of a code has; of a code that it lacks, what all its errors have."""
    known = model(service)
    shape = known.shape_for_error_code(code) if known else None  # type: ignore[arg-type]  # the stubs say int
    if isinstance(shape, StructureShape):
        return frozenset(shape.members)
    return _shared_members(known) if known else frozenset()


@cache
def _shared_members(known: ServiceModel) -> frozenset[str]:
    shapes = [shape for shape in known.error_shapes if isinstance(shape, StructureShape)]
    every = [frozenset(shape.members) for shape in shapes]
    return frozenset.intersection(*every) if every else frozenset()


def action_of(request: Request) -> str | None:
    """The operation as the request itself names it, for services without a model at hand."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(request.body.decode("latin-1")).get("Action", [None])[0]
    return None
