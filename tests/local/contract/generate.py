"""Requests made from a service's model: the smallest that it allows, and one with everything.

Values keep to the model's enums, bounds and patterns, so what is made is what AWS would let in.
"""

from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from tests.local.contract.patterns import matching

DEEPEST = 6  # structures within structures; some models recurse
WHEN = datetime(2026, 11, 22, 10, 30, 15, tzinfo=UTC)
_FILLER = "a"


def minimal(operation: OperationModel) -> dict[str, Any]:
    """Required members only, all the way down."""
    return _made(operation, everything=False)


def maximal(operation: OperationModel) -> dict[str, Any]:
    """Every member; of a union one, and nothing that recurses."""
    return _made(operation, everything=True)


def _made(operation: OperationModel, *, everything: bool) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    made: dict[str, Any] = value(shape, everything, ())
    return made


def value(shape: Shape, everything: bool, above: tuple[str, ...]) -> Any:
    """A value of a shape; `above` are the structures around it."""
    if isinstance(shape, StructureShape):
        return _structure(shape, everything, (*above, shape.name))
    if isinstance(shape, ListShape):  # an empty one leaves no trace in XML and queries
        size = max(int(shape.metadata.get("min", 0)), 1)
        return [value(shape.member, everything, above) for _ in range(size)]
    if isinstance(shape, MapShape):
        size = max(int(shape.metadata.get("min", 0)), 1)
        return {key: value(shape.value, everything, above) for key in _keys(shape.key, size)}
    return scalar(shape)


def _keys(shape: Shape, size: int) -> list[str]:
    first = scalar(shape)
    return [first, *(f"{first[:-1]}{index}" for index in range(1, size))]


def _structure(shape: StructureShape, everything: bool, above: tuple[str, ...]) -> dict[str, Any]:
    chosen = list(shape.required_members)
    if everything and not shape.is_tagged_union:
        chosen = [name for name in shape.members if _wanted(shape, name, above)]
    if not chosen and shape.members and len(above) > 1:  # an empty one leaves no trace either
        chosen = [_plainest(shape)]
    return {name: value(shape.members[name], everything, above) for name in chosen}


def _wanted(shape: StructureShape, name: str, above: tuple[str, ...]) -> bool:
    """Whether to make a member: one that would recurse is left out unless it has to be there."""
    inner = _innermost(shape.members[name])
    recurses = inner.name in above or len(above) >= DEEPEST
    return name in shape.required_members or not (isinstance(inner, StructureShape) and recurses)


def _innermost(shape: Shape) -> Shape:
    """What the lists and maps are of."""
    while isinstance(shape, ListShape | MapShape):
        shape = shape.member if isinstance(shape, ListShape) else shape.value
    return shape


def _plainest(shape: StructureShape) -> str:
    """The member that is easiest to make."""
    scalars = [name for name, one in shape.members.items() if one is _innermost(one)]
    plain = [name for name in scalars if not isinstance(shape.members[name], StructureShape)]
    return next(iter([*plain, *scalars, *shape.members]))


def scalar(shape: Shape) -> Any:
    """A value that the bounds and the pattern of a scalar allow."""
    match shape.type_name:
        case "string" | "character":
            return _text(shape)
        case "boolean":
            return True
        case "integer" | "long":
            return int(_number(shape))
        case "float" | "double":
            return (
                float(_number(shape)) + 0.5
                if "max" not in shape.metadata
                else float(_number(shape))
            )
        case "timestamp":
            return WHEN
        case "blob":
            return b"\x00\xff" + b"b" * int(shape.metadata.get("min", 0))
    raise TypeError(shape)


def _number(shape: Shape) -> float:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    return float(low if low is not None else min(7, high if high is not None else 7))


def _text(shape: Shape) -> str:
    if isinstance(shape, StringShape) and shape.enum:
        return str(shape.enum[0])
    low, high = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 1 << 30))
    pattern = shape.metadata.get("pattern")
    if pattern:
        found = matching(pattern, low)
        if found is not None and low <= len(found) <= high:
            return found
    return _FILLER * max(low, min(4, high))
