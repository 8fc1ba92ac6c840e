"""Whether an answer is one that AWS could have given, by botocore's model of the operation.

The AWS port asks this of every answer when the world is strict, as in tests. Looked at is the wire,
not what a client makes of it: clients forgive a misspelt member or a number in quotes, and a test
that reads through a client would never see it. No finding is an answer as the model has it.
"""

import json
import re
from functools import cache

import botocore.parsers
from botocore.model import OperationModel, Shape, StructureShape

from platform_pipelines.local.http import Response
from platform_pipelines.local.validate_json import check_json
from platform_pipelines.local.validate_shapes import Findings, check_text
from platform_pipelines.local.validate_xml import check_xml, document, name_of

# Answers that S3 gives in a form of its own, which clients know by heart.
_ODD = frozenset({("s3", "GetBucketLocation")})
_RAW = ("blob", "string")  # a payload that is the body itself
_JSON_PROTOCOLS = ("json", "rest-json")
# A query answer's own part, and EC2's: its documents show <return> where the model has nothing.
_FRAME = frozenset({"ResponseMetadata", "requestId", "return"})
_NOTHING = StructureShape("Nothing", {"type": "structure", "members": {}})
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.\-]*")


def violations(operation: OperationModel, protocol: str, response: Response) -> list[str]:
    """What AWS would not have answered; empty for a good answer. Errors are looked at too."""
    found = Findings(operation.name)
    if response.status >= 300:
        _check_error(operation, protocol, response, found)
    elif (operation.service_model.service_name, operation.name) not in _ODD:
        _check_answer(operation, protocol, response, found)
    return found.texts


def _check_answer(
    operation: OperationModel, protocol: str, response: Response, found: Findings
) -> None:
    shape = operation.output_shape
    if protocol.startswith("rest") and shape is not None:
        _check_headers(shape, response, found)
    if protocol in _JSON_PROTOCOLS:
        _check_json_body(shape, protocol, response.body, found)
    else:
        _check_xml_body(operation, protocol, response.body, found)


def _check_json_body(
    shape: StructureShape | None, protocol: str, body: bytes, found: Findings
) -> None:
    payload = _payload(shape) if protocol == "rest-json" and shape is not None else None
    if payload is not None and (payload.type_name in _RAW or _streams(payload)):
        return
    if shape is None:
        if body.strip() not in (b"", b"{}", b"null"):
            found.add((), f"answers {body[:60]!r}, but the operation has no output")
        return
    check_json(payload or shape, body, found)


def _check_xml_body(operation: OperationModel, protocol: str, body: bytes, found: Findings) -> None:
    shape = operation.output_shape
    payload = _payload(shape) if protocol == "rest-xml" and shape is not None else None
    if payload is not None and (payload.type_name in _RAW or _streams(payload)):
        return
    if not body:
        if protocol != "rest-xml" or (shape is not None and _in_body(shape)):
            found.add((), "has no body")
        return
    root = document(body, found)
    if root is None:
        return
    if protocol == "rest-xml":
        if shape is not None:
            check_xml(payload or shape, root, (), found)
        return
    if name_of(root) != f"{operation.name}Response":
        found.add((), f"begins with <{name_of(root)}>, not <{operation.name}Response>")
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    inner = [one for one in root if name_of(one) not in _FRAME - _body_names(shape)]
    if wrapper:
        inner = [child for one in inner if name_of(one) == wrapper for child in one]
        _check_wrapper([name_of(one) for one in root], str(wrapper), found)
    check_xml(shape or _NOTHING, inner, (), found)


def _check_wrapper(names: list[str], wrapper: str, found: Findings) -> None:
    if wrapper not in names:
        found.add((), f"has no <{wrapper}>")
    for name in set(names) - {wrapper} - _FRAME:
        found.add((name,), "is not in the model")


def _check_headers(shape: StructureShape, response: Response, found: Findings) -> None:
    for name, header, member in _header_members(shape):
        text = response.headers.get(header)
        if text is not None:
            check_text(member, text, (name,), found, in_header=True)
        elif name in shape.required_members:
            found.add((name,), "is required but missing")


@cache
def _header_members(shape: StructureShape) -> list[tuple[str, str, Shape]]:
    return [
        (name, str(member.serialization.get("name", name)).lower(), member)
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    ]


@cache
def _body_names(shape: StructureShape | None) -> frozenset[str]:
    """The model's own names on the wire; 65 operations of EC2 have a <return> that means something."""
    members = shape.members.items() if shape is not None else ()
    return frozenset(str(one.serialization.get("name", name)) for name, one in members)


@cache
def _payload(shape: StructureShape) -> Shape | None:
    name = shape.serialization.get("payload")
    return shape.members[name] if name else None


def _streams(shape: Shape) -> bool:
    return bool(shape.serialization.get("eventstream"))


@cache
def _in_body(shape: StructureShape) -> bool:
    """Whether something of the answer has to be in the body."""
    return any(
        "location" not in shape.members[name].serialization for name in shape.required_members
    )


def _check_error(
    operation: OperationModel, protocol: str, response: Response, found: Findings
) -> None:
    """An error has a code and a message that clients find, and the status that goes with it."""
    if not response.body:  # as S3's answers to HEAD, and its redirects
        return
    code = _error_code(operation, protocol, response)
    if not code:
        found.add(("Error", "Code"), f"is missing in an answer of status {response.status}")
        return
    shape = operation.service_model.shape_for_error_code(code)  # type: ignore[arg-type]  # the stubs say int
    if shape is None:
        return
    status = int(shape.metadata.get("error", {}).get("httpStatusCode", response.status))
    if status != response.status:
        text = f"comes with status {response.status}, the model has {status}"
        found.add(("Error", code), text)
    if protocol in _JSON_PROTOCOLS:
        said = json.loads(response.body)
        for name in shape.required_members:
            if said.get(name) is None:
                found.add(("Error", code, name), "is required but missing")


def _error_code(operation: OperationModel, protocol: str, response: Response) -> str | None:
    answer = {
        "status_code": response.status,
        "headers": response.headers,
        "body": response.body,
    }
    parser = botocore.parsers.create_parser(protocol)
    try:
        parsed = parser.parse(answer, operation.output_shape or _NOTHING)
    except botocore.parsers.ResponseParserError:
        return None
    code = str(parsed.get("Error", {}).get("Code", ""))
    return code if _CODE.fullmatch(code) else None
