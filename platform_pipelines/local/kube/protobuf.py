"""Objects in Kubernetes' protobuf, which kubectl sends when it creates: decoded to plain JSON.

Answers are JSON always: every client that sends protobuf takes both. `protobuf_fields.json` has each
message's fields as `<number>: [*][[]|{}]<type> <JSON name>`, read from the types of kubectl 1.37;
`*` marks a pointer, whose zero value counts, and a field without a name is inlined.
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from platform_pipelines.local.kube.objects import timestamp

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

_TABLE = Path(__file__).with_name("protobuf_fields.json")
_OPTIONS = "DeleteOptions"  # of every group and version
_VARINT, _BYTES = 0, 2  # wire types; the fields of these kinds have no other
_NUMBERS = ("int", "bool")
_SIGN, _WRAP = 1 << 63, 1 << 64
Wire = tuple[int, int, Any]  # a field's number, its wire type, and its value


@dataclass
class NotProtobuf(Exception):
    """The bytes are no object that this API knows."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a message."""

    name: str  # "" for one whose fields are its parent's in JSON
    type: str
    pointer: bool = False
    repeated: bool = False
    mapped: bool = False  # a map with keys of text


def decode(body: bytes) -> dict[str, Any]:
    """The object of a request's body. Raises: NotProtobuf."""
    if not body.startswith(MAGIC):
        raise NotProtobuf("the body does not begin as Kubernetes' protobuf does")
    try:
        envelope = {number: value for number, _, value in _fields(body[len(MAGIC) :])}
        told = {number: value.decode() for number, _, value in _fields(envelope[1])}
        api_version, kind = told.get(1, ""), told.get(2, "")
        message = _message(_name_of(api_version, kind), envelope.get(2, b""))
    except (IndexError, KeyError, ValueError, AttributeError) as error:
        raise NotProtobuf(f"the body cannot be decoded: {error!r}") from None
    return {"apiVersion": api_version, "kind": kind} | message


def _name_of(api_version: str, kind: str) -> str:
    """A message by its package and name, as `networking.v1.Ingress`."""
    if kind == _OPTIONS:
        return f"meta.v1.{kind}"
    group, _, version = api_version.rpartition("/")
    name = f"{group.partition('.')[0] or 'core'}.{version}.{kind}"
    if name not in _messages():
        raise NotProtobuf(f"{kind} of {api_version} in protobuf is not known here")
    return name


def _message(name: str, data: bytes) -> dict[str, Any]:
    fields = _messages()[name]
    found: dict[str, Any] = {}
    for number, wire, value in _fields(data):
        field = fields.get(number)
        if field is None:
            raise NotProtobuf(f"field {number} of {name} is not known here")
        if field.mapped:
            entry = {number: (wire, value) for number, wire, value in _fields(value)}
            key = entry[1][1].decode() if 1 in entry else ""
            found.setdefault(field.name, {})[key] = _value(field.type, *entry.get(2, (2, b"")))
        elif field.repeated:
            found.setdefault(field.name, []).extend(_elements(field.type, wire, value))
        else:
            _put(found, field, _value(field.type, wire, value))
    return found


def _put(found: dict[str, Any], field: Field, value: Any) -> None:
    """A zero value is said only if it was said in Go, too: through a pointer."""
    if not field.name:
        found |= value
    elif field.pointer or value not in (None, "", 0, False, {}):
        found[field.name] = value


def _elements(type_: str, wire: int, value: Any) -> Iterator[Any]:
    if wire == _BYTES and type_ in _NUMBERS:  # packed
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            yield _value(type_, _VARINT, number)
    else:
        yield _value(type_, wire, value)


def _value(type_: str, wire: int, value: Any) -> Any:
    if (wire == _VARINT) is not (type_ in _NUMBERS):
        raise NotProtobuf(f"wire type {wire} is none of a field of type {type_}")
    match type_:
        case "string":
            return value.decode()
        case "int":
            return value - _WRAP if value & _SIGN else value
        case "bool":
            return bool(value)
        case "bytes":
            return base64.b64encode(value).decode()
        case "quantity":
            return _text(value, 1)
        case "json":
            return json.loads(_bytes(value, 1) or b"null")
        case "time":
            return _time(value)
        case "int-or-string":
            parts = {number: part for number, _, part in _fields(value)}
            return parts.get(3, b"").decode() if parts.get(1) else _value("int", _VARINT, parts[2])
    return _message(type_, value)


def _time(data: bytes) -> str | None:
    """A time; None for the zero one, which is an empty message."""
    seconds = next((value for number, _, value in _fields(data) if number == 1), None)
    if seconds is None:
        return None
    return timestamp(datetime.fromtimestamp(_value("int", _VARINT, seconds), UTC))


def _text(data: bytes, wanted: int) -> str:
    return _bytes(data, wanted).decode()


def _bytes(data: bytes, wanted: int) -> bytes:
    return next((bytes(value) for number, _, value in _fields(data) if number == wanted), b"")


def _fields(data: bytes) -> Iterator[Wire]:
    at = 0
    value: Any
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
        elif wire == _BYTES:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
            if at > len(data):
                raise NotProtobuf("the body ends too early")
        else:
            raise NotProtobuf(f"wire type {wire} is not known here")
        yield tag >> 3, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends. Raises: IndexError, when it does not."""
    found = shift = 0
    while True:
        byte = data[at]
        found |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return found, at


@cache
def _messages() -> dict[str, dict[int, Field]]:
    table: dict[str, dict[str, str]] = json.loads(_TABLE.read_text())
    return {
        name: {int(number): _field(text) for number, text in fields.items()}
        for name, fields in table.items()
    }


def _field(text: str) -> Field:
    form, _, name = text.partition(" ")
    bare = form.lstrip("*")
    return Field(
        name=name,
        type=bare.removeprefix("[]").removeprefix("{}"),
        pointer=form.startswith("*"),
        repeated=bare.startswith("[]"),
        mapped=bare.startswith("{}"),
    )
