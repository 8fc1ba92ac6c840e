"""The parameters of a request, by botocore's model, and only if its types are the model's.

moto's parsers take much for granted: a number for a text, a text for a list of letters, "maybe" for
false. AWS refuses these, so they are looked at here first.
"""

import json
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from moto.core.parse import (
    PROTOCOL_PARSERS,
    EC2QueryParser,
    QueryParser,
    RequestParserError,
    RestXMLParser,
)

from platform_pipelines.local.aws.moto_request import MotoRequest
from platform_pipelines.local.http import Request

_BOOLEANS = ("true", "false")
_NOT_NUMBERS = ("NaN", "Infinity", "-Infinity")


class Unreadable(Exception):
    """A request that is not of its operation's shape; the text says why, as AWS does."""


def parameters(
    operation: OperationModel,
    protocol: str,
    request: Request,
    http: MotoRequest,
    labels: dict[str, Any],
) -> dict[str, Any]:
    """What was asked; `labels` are the parameters in the path. Raises: Unreadable."""
    shape = operation.input_shape
    if "json" in protocol and request.body and shape is not None:
        _check_json(shape, request.body)
    parser = _PARSERS[protocol](operation)
    sent = {
        "body": request.body,
        "headers": http.headers,
        "method": request.method,
        "url_params": labels,
        "url_path": http.path,
        "values": http.values,
    }
    try:
        params: dict[str, Any] = parser.parse(sent)
    except (RequestParserError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(f"the request cannot be read: {error}") from error
    return params if shape is None else _given(shape, params)


def _given(shape: StructureShape, params: dict[str, Any]) -> dict[str, Any]:
    """Without what moto adds for query strings and headers in which nothing was said."""
    found = {}
    for name, value in params.items():
        location = shape.members[name].serialization.get("location")
        if location in ("querystring", "headers") and value in ([], {}):
            continue
        found[name] = value
    return found


def _check_boolean(text: Any) -> None:
    if isinstance(text, str) and text.lower() not in _BOOLEANS:
        raise ValueError(f"{text!r} is not a Boolean")


class _Query(QueryParser):
    def _parse_boolean(self, shape: Any, query_params: Any, prefix: str = "") -> Any:
        _check_boolean(query_params.get(prefix))
        return super()._parse_boolean(shape, query_params, prefix)  # type: ignore[no-untyped-call]


class _Ec2(EC2QueryParser):
    def _parse_boolean(self, shape: Any, query_params: Any, prefix: str = "") -> Any:
        _check_boolean(query_params.get(prefix))
        return super()._parse_boolean(shape, query_params, prefix)  # type: ignore[no-untyped-call]


class _RestXml(RestXMLParser):
    def _parse_boolean(self, shape: Any, node_or_string: Any) -> Any:
        _check_boolean(getattr(node_or_string, "text", node_or_string))
        return super()._parse_boolean(shape, node_or_string)


_PARSERS: dict[str, Any] = {**PROTOCOL_PARSERS, "query": _Query, "ec2": _Ec2, "rest-xml": _RestXml}


def _check_json(shape: StructureShape, body: bytes) -> None:
    """Raises: Unreadable, if the body is no JSON or has a value of another type."""
    payload = shape.serialization.get("payload")
    content = shape.members[payload] if payload else shape
    if content.type_name in ("blob", "string"):
        return
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Unreadable(f"the request cannot be read: {error}") from error
    _check_type(content, value)


def _check_type(shape: Shape, value: Any) -> None:
    if value is None or (isinstance(shape, StructureShape) and shape.is_document_type):
        return
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if "location" not in member.serialization:
                wire = str(member.serialization.get("name", name))
                _check_type(member, _of_kind(value, dict, "Expected map or null").get(wire))
    elif isinstance(shape, MapShape):
        for one in _of_kind(value, dict, "Expected map or null").values():
            _check_type(shape.value, one)
    elif isinstance(shape, ListShape):
        for one in _of_kind(value, list, "Expected list or null"):
            _check_type(shape.member, one)
    elif not _is_scalar(shape, value):
        raise Unreadable(_unfit(shape, value))


def _of_kind(value: Any, kind: type, otherwise: str) -> Any:
    if not isinstance(value, kind):
        raise Unreadable(otherwise)
    return value


def _is_scalar(shape: Shape, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.type_name:
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            return number and value == int(value)
        case "float" | "double":
            return number or value in _NOT_NUMBERS
        case "timestamp":
            return number or isinstance(value, str)
    return isinstance(value, str)


def _unfit(shape: Shape, value: Any) -> str:
    """As AWS says it: STRING_VALUE can not be converted to an Integer."""
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, list):
        return "Start of list found where not expected"
    kind = (
        str(value).upper()
        if isinstance(value, bool)
        else "STRING"
        if isinstance(value, str)
        else "NUMBER"
    )
    wanted = shape.type_name.capitalize()
    return f"{kind}_VALUE can not be converted to {'an' if wanted[0] in 'AEIO' else 'a'} {wanted}"
