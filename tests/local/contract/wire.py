"""Requests as botocore sends them, and answers as it reads them, without any HTTP."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from platform_pipelines.local.aws import protocol
from platform_pipelines.local.aws.protocol import Routed, Signature
from platform_pipelines.local.aws.service import Call
from platform_pipelines.local.http import Request, Response

ACCOUNT = "111122223333"
REGION = "ap-northeast-1"
HOST = "127.0.0.1:4566"
# Where a parameter tells which operation is meant.
_TELLING = {"uri"}
_TELLING_S3 = {"uri", "querystring", "header"}
_MODELS = botocore.session.get_session()


def operation(service: str, name: str) -> OperationModel:
    """botocore's model of an operation."""
    return service_model(service).operation_model(name)


def service_model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return _MODELS.get_service_model(service)


def required_in_body(service: str, name: str) -> list[str]:
    """The required members without which it would still be a request of this operation."""
    shape = operation(service, name).input_shape
    if shape is None:
        return []
    telling = _TELLING_S3 if service == "s3" else _TELLING
    located = {key: member.serialization.get("location") for key, member in shape.members.items()}
    return [key for key in shape.required_members if located[key] not in telling]


def sent(service: str, name: str, params: dict[str, Any]) -> Request:
    """The request that boto3 sends; parameters are not validated first."""
    model = operation(service, name)
    made = create_serializer(
        model.service_model.resolved_protocol, include_validation=False
    ).serialize_to_request(params, model)
    prepared = AWSRequest(
        method=made["method"],
        url=f"http://127.0.0.1{made['url_path']}",
        headers=made["headers"],
        data=made["body"],
        params=made["query_string"],
    ).prepare()
    path, _, query = prepared.url.partition("127.0.0.1")[2].partition("?")
    body: Any = prepared.body or b""
    return Request(
        method=prepared.method,
        path=unquote(path),
        raw_path=path,
        query=query,
        headers={key.lower(): _text(value) for key, value in prepared.headers.items()},
        body=body.encode() if isinstance(body, str) else body,
    )


def signed(service: str, request: Request, account: str) -> Request:
    """The request with a signature; nobody verifies its hash."""
    scope = f"{account}/20261122/{REGION}/{service_model(service).signing_name}/aws4_request"
    value = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return replace(request, headers={**request.headers, "host": HOST, "authorization": value})


def scope(request: Request) -> dict[str, Any]:
    """An ASGI scope that says what the request does."""
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.raw_path.encode(),
        "query_string": request.query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in request.headers.items()],
        "server": ("127.0.0.1", 4566),
        "client": ("127.0.0.1", 1),
    }


def routed(service: str, request: Request) -> Routed:
    """What a request asks for; that it asks for something is part of the test."""
    found = protocol.route(service, request)
    assert found is not None
    return found


def parsed(service: str, request: Request) -> Call:
    """The call that our server sees. Raises: Fault."""
    by = Signature(access_key=ACCOUNT, region=REGION, service=service)
    return protocol.parse(routed(service, request), request, by, ACCOUNT, "id")


def read(service: str, name: str, response: Response) -> dict[str, Any]:
    """An answer as boto3 gives it."""
    model = operation(service, name)
    parser = create_parser(model.service_model.resolved_protocol)
    shape: Any = model.output_shape
    answer = {"status_code": response.status, "headers": response.headers, "body": response.body}
    found: dict[str, Any] = parser.parse(answer, shape)
    return found


def plain(value: Any) -> Any:
    """Times as numbers, so that they compare whatever time zone they name; nothing that is null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).timestamp()
    return value


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
