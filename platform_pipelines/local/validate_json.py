"""A JSON answer against its shape; see `validate`."""

import json
import math
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from platform_pipelines.local.validate_shapes import (
    TIME_TEXTS,
    Findings,
    Path,
    check_enum,
    is_base64,
)

_NUMBERS = ("NaN", "Infinity", "-Infinity")  # as AWS writes them in JSON


def check_json(shape: Shape, body: bytes, found: Findings) -> None:
    """A whole body."""
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        found.add((), f"is no JSON: {error}")
        return
    check(shape, value, (), found)


def check(shape: Shape, value: Any, path: Path, found: Findings) -> None:
    """One value of an answer. Members that are null count as absent, as clients take them."""
    if isinstance(shape, StructureShape):
        _check_structure(shape, value, path, found)
    elif isinstance(shape, ListShape):
        _check_list(shape, value, path, found)
    elif isinstance(shape, MapShape):
        _check_map(shape, value, path, found)
    else:
        _check_scalar(shape, value, path, found)


@cache
def _members(shape: StructureShape) -> dict[str, Shape]:
    """Those in the body, by their names on the wire."""
    return {
        str(member.serialization.get("name", name)): member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }


@cache
def _required(shape: StructureShape) -> frozenset[str]:
    needed = [(name, shape.members[name]) for name in shape.required_members]
    return frozenset(
        str(member.serialization.get("name", name))
        for name, member in needed
        if "location" not in member.serialization
    )


def _check_structure(shape: StructureShape, value: Any, path: Path, found: Findings) -> None:
    if shape.is_document_type:
        return
    if not isinstance(value, dict):
        found.add(path, f"is {_kind(value)}, not a structure")
        return
    members = _members(shape)
    for name, one in value.items():
        member = members.get(name)
        if member is None:
            found.add((*path, name), "is not in the model")
        elif one is not None:
            check(member, one, (*path, name), found)
    for name in _required(shape):
        if value.get(name) is None:
            found.add((*path, name), "is required but missing")


def _check_list(shape: ListShape, value: Any, path: Path, found: Findings) -> None:
    if not isinstance(value, list):
        found.add(path, f"is {_kind(value)}, not a list")
        return
    for index, one in enumerate(value):
        check(shape.member, one, (*path, index), found)


def _check_map(shape: MapShape, value: Any, path: Path, found: Findings) -> None:
    if not isinstance(value, dict):
        found.add(path, f"is {_kind(value)}, not a map")
        return
    for key, one in value.items():
        check_enum(shape.key, key, (*path, key), found)
        check(shape.value, one, (*path, key), found)


def _check_scalar(shape: Shape, value: Any, path: Path, found: Findings) -> None:
    if not _fits(shape, value):
        found.add(path, f"is {_kind(value)} {value!r:.60}, not a {shape.type_name}")
    elif isinstance(value, str):
        check_enum(shape, value, path, found)


def _fits(shape: Shape, value: Any) -> bool:
    match shape.type_name:
        case "string" | "character":
            return isinstance(value, str)
        case "integer" | "long" | "short" | "byte":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double":
            return _is_number(value) or value in _NUMBERS
        case "boolean":
            return isinstance(value, bool)
        case "timestamp":
            return _is_time(shape, value)
        case "blob":
            return isinstance(value, str) and is_base64(value)
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_time(shape: Shape, value: Any) -> bool:
    """Seconds since 1970, unless the model says that they are written."""
    form = shape.serialization.get("timestampFormat", "unixTimestamp")
    if form == "unixTimestamp":
        return _is_number(value)
    return isinstance(value, str) and TIME_TEXTS[form](value)


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(
        type(value), type(value).__name__
    )
