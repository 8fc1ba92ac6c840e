"""Requests of every operation that the local Regions answer, generated from botocore's models."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from botocore.model import OperationModel, Shape, StringShape

from platform_pipelines.local.aws import catalogue, faults
from platform_pipelines.local.aws.catalogue import Operation
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.http import Request
from tests.local.contract import generate, wire
from tests.local.contract.errors import is_error_of

Made = Callable[[OperationModel], dict[str, Any]]
OPERATIONS = catalogue.operations()
# What HTTP says anyway, what botocore takes out to presign another request, and S3's Expires, which
# is a time to botocore and any text to S3.
_NOT_COMPARED = {"ContentLength", "ContentMD5", "SourceRegion", "Expires"}


def _named(one: Operation) -> str:
    return one.key


every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=_named)


@every_operation
@pytest.mark.parametrize("make", [generate.minimal, generate.maximal])
def test_what_boto3_sends_is_what_the_operation_gets(operation: Operation, make: Made) -> None:
    """The least and the most that the model allows, through routing, parsing and validation."""
    params = _of(operation, make)
    call = wire.parsed(operation.service, wire.sent(operation.service, operation.name, params))
    assert call.operation == operation.name
    assert _said(call.params) == _said(params)


def _said(params: dict[str, Any]) -> Any:
    return wire.plain({key: value for key, value in params.items() if key not in _NOT_COMPARED})


@every_operation
def test_a_request_without_a_required_member_is_refused_as_the_service_does(
    operation: Operation,
) -> None:
    """With a code of the service and the member's name, for each of them."""
    for name in wire.required_in_body(operation.service, operation.name):
        params = _of(operation, generate.minimal)
        del params[name]
        fault = _refusal(operation, wire.sent(operation.service, operation.name, params))
        assert name.lower() in fault.message.lower()


@every_operation
def test_a_request_of_another_type_is_refused_as_the_service_does(operation: Operation) -> None:
    """JSON with a member of another type, JSON and XML that break off, and a form with words for
    numbers and truths."""
    made = _of(operation, generate.maximal)
    request = wire.sent(operation.service, operation.name, made)
    for wrong in (*_spoilt(request), *_misspelt(operation, request)):
        _refusal(operation, wrong)


def _spoilt(request: Request) -> Iterator[Request]:
    if request.body[:1] == b"{":
        content = json.loads(request.body)
        for name, value in content.items():
            other = {"x": {}} if isinstance(value, list) else [{}]
            yield replace(request, body=json.dumps({**content, name: other}).encode())
    if request.body[:1] in (b"{", b"<"):
        yield replace(request, body=request.body[:-1])


def _misspelt(operation: Operation, request: Request) -> Iterator[Request]:
    shape = wire.operation(operation.service, operation.name).input_shape
    form = parse_qsl(request.body.decode("latin-1")) if request.body[:7] == b"Action=" else []
    for name, _ in form:
        member = shape.members.get(name) if shape else None
        if member is not None and member.type_name in ("integer", "long", "double", "boolean"):
            wrong = [(key, "maybe" if key == name else value) for key, value in form]
            yield replace(request, body=urlencode(wrong).encode())


@every_operation
def test_a_value_out_of_its_bounds_is_refused_as_the_service_does(operation: Operation) -> None:
    """A text that is in no enum, too long or too short, and a number too high or too low."""
    made = _of(operation, generate.maximal)
    shape = wire.operation(operation.service, operation.name).input_shape
    for name in made:
        assert shape is not None
        for value in _out_of_bounds(shape.members[name]):
            request = wire.sent(operation.service, operation.name, {**made, name: value})
            _refusal(operation, request)


def _out_of_bounds(shape: Shape) -> Iterator[Any]:
    if shape.serialization.get("location") == "uri":  # might be another path
        return
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(shape, StringShape):
        if shape.enum:
            yield "no-such-value"
        if high is not None and high < 10_000:
            yield "a" * (high + 1)
    elif shape.type_name in ("integer", "long"):
        yield from () if low is None else (low - 1,)
        yield from () if high is None else (high + 1,)


def _of(one: Operation, make: Made) -> dict[str, Any]:
    return make(wire.operation(one.service, one.name))


def _refusal(operation: Operation, request: Request) -> Fault:
    """The fault with which a request is refused, as a client reads it."""
    with pytest.raises(Fault) as refused:
        wire.parsed(operation.service, request)
    response = faults.respond(operation.service, request, refused.value, "id")
    read = wire.read(operation.service, operation.name, response)
    assert is_error_of(operation.service, read["Error"]["Code"]), read["Error"]
    assert read["Error"]["Message"] == refused.value.message
    assert read["ResponseMetadata"]["HTTPStatusCode"] == 400
    return refused.value
