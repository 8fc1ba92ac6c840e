"""The shape of an object against its schema: what is unknown, of the wrong type, or missing.

`shaped` returns the object as the API would keep it, without unknown fields and nulls. Quantities
that are written as numbers become text, as the API writes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from platform_pipelines.local.kube.objects import clone, parse_timestamp
from platform_pipelines.local.kube.schema import ANY, Schema, Type


class Problem(StrEnum):
    """What is wrong at a path."""

    UNKNOWN = "unknown"
    TYPE = "type"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One problem of an object's shape."""

    path: str  # spec.containers[0].image
    problem: Problem
    wanted: Type
    found: str = ""  # the JSON type that is there
    model: str = ""  # of the object that has the field


def shaped(value: Any, schema: Schema) -> tuple[Any, list[Flaw]]:
    """The value as it is kept, and everything that is wrong with its shape."""
    flaws: list[Flaw] = []
    return _walk(value, schema, "", flaws), flaws


def json_type(value: Any) -> str:
    """As messages name the type of a JSON value."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}
    return names.get(type(value), "array" if isinstance(value, list) else "null")


def _walk(value: Any, schema: Schema, path: str, flaws: list[Flaw]) -> Any:
    if not _FITS[schema.type](value):
        flaw = Flaw(path=path, problem=Problem.TYPE, wanted=schema.type, found=json_type(value))
        flaws.append(flaw)
        return value
    match schema.type:
        case Type.OBJECT:
            return _object(value, schema, path, flaws)
        case Type.MAP:
            items = schema.items or ANY
            return {
                key: _walk(item, items, f"{path}.{key}", flaws)
                for key, item in value.items()
                if item is not None
            }
        case Type.LIST:
            items = schema.items or ANY
            return [_walk(item, items, f"{path}[{n}]", flaws) for n, item in enumerate(value)]
        case Type.QUANTITY:
            return str(value)
        case Type.ANY:
            return clone(value)
    return value


def _object(value: dict[str, Any], schema: Schema, path: str, flaws: list[Flaw]) -> dict[str, Any]:
    kept = {}
    for key, item in value.items():
        below = schema.fields.get(key)
        place = f"{path}.{key}" if path else key
        if below is None:
            flaws.append(Flaw(path=place, problem=Problem.UNKNOWN, wanted=Type.ANY))
        elif item is not None:
            kept[key] = _walk(item, below, place, flaws)
    for key in sorted(schema.required - kept.keys()):
        place = f"{path}.{key}" if path else key
        wanted = schema.fields[key].type
        flaws.append(Flaw(path=place, problem=Problem.MISSING, wanted=wanted, model=schema.name))
    return kept


def _is_time(value: Any) -> bool:
    try:
        parse_timestamp(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FITS: dict[Type, Callable[[Any], bool]] = {
    Type.OBJECT: lambda value: isinstance(value, dict),
    Type.MAP: lambda value: isinstance(value, dict),
    Type.LIST: lambda value: isinstance(value, list),
    Type.STRING: lambda value: isinstance(value, str),
    Type.INTEGER: _is_integer,
    Type.NUMBER: _is_number,
    Type.BOOLEAN: lambda value: isinstance(value, bool),
    Type.TIME: _is_time,
    Type.BYTES: lambda value: isinstance(value, str),
    Type.QUANTITY: lambda value: isinstance(value, str) or _is_number(value),
    Type.INT_OR_STRING: lambda value: isinstance(value, str) or _is_integer(value),
    Type.ANY: lambda value: True,  # noqa: ARG005  # every value fits
}
