"""What botocore's model demands of a request: required members, types, enums, lengths, patterns.

AWS looks at all of this before an operation begins. `protocol.parse` does the same, so that no
operation of ours meets a request that AWS would not have let in; `refusals` says it in the words of
the service.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from botocore.model import (
    ListShape,
    MapShape,
    OperationModel,
    Shape,
    StringShape,
    StructureShape,
)

Path = tuple[str | int, ...]


class Rule(Enum):
    """What a member breaks."""

    REQUIRED = auto()
    ENUM = auto()
    PATTERN = auto()
    SHORTEST = auto()  # of a text, a list, a map
    LONGEST = auto()
    LEAST = auto()  # of a number
    MOST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A member that AWS would not take."""

    path: Path  # as the model names members; numbers are indexes of lists
    rule: Rule
    value: Any = None
    bound: Any = None  # the number, the pattern or the values that the rule names


# EC2 and S3 are older than the patterns in their models, and do not keep to them.
_NO_PATTERNS = frozenset({"ec2", "s3"})


def of_request(operation: OperationModel, params: dict[str, Any]) -> list[Problem]:
    """What is wrong with the parameters of a request."""
    found = problems(operation.input_shape, params)
    loose = operation.service_model.service_name in _NO_PATTERNS
    return [one for one in found if not (loose and one.rule is Rule.PATTERN)]


def problems(shape: Shape | None, params: Any, path: Path = ()) -> Iterator[Problem]:
    """What is wrong with parsed parameters, in the model's order."""
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, params, path)
    elif isinstance(shape, ListShape):
        yield from _of_size(shape, params, len(params), path)
        for index, item in enumerate(params):
            yield from problems(shape.member, item, (*path, index))
    elif isinstance(shape, MapShape):
        yield from _of_size(shape, params, len(params), path)
        for key, value in params.items():
            yield from problems(shape.value, value, (*path, key))
    elif shape is not None:
        yield from _of_scalar(shape, params, path)


def _of_structure(shape: StructureShape, params: Any, path: Path) -> Iterator[Problem]:
    if shape.is_document_type:
        return
    for name in shape.required_members:
        if params.get(name) is None:
            yield Problem(path=(*path, name), rule=Rule.REQUIRED)
    for name, value in params.items():
        if value is not None and name in shape.members:
            yield from problems(shape.members[name], value, (*path, name))


def _of_scalar(shape: Shape, value: Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, str):
        yield from _of_text(shape, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _of_bounds(shape, value, value, path, (Rule.LEAST, Rule.MOST))
    elif isinstance(value, bytes):
        yield from _of_size(shape, value, len(value), path)


def _of_text(shape: Shape, value: str, path: Path) -> Iterator[Problem]:
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield Problem(path=path, rule=Rule.ENUM, value=value, bound=tuple(shape.enum))
    yield from _of_size(shape, value, len(value), path)
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and not compiled.fullmatch(value):
        yield Problem(path=path, rule=Rule.PATTERN, value=value, bound=pattern)


def _of_size(shape: Shape, value: Any, size: int, path: Path) -> Iterator[Problem]:
    yield from _of_bounds(shape, value, size, path, (Rule.SHORTEST, Rule.LONGEST))


def _of_bounds(
    shape: Shape, value: Any, measure: float, path: Path, rules: tuple[Rule, Rule]
) -> Iterator[Problem]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and measure < low:
        yield Problem(path=path, rule=rules[0], value=value, bound=low)
    if high is not None and measure > high:
        yield Problem(path=path, rule=rules[1], value=value, bound=high)


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    r"""AWS's patterns are Java's: `\p{L}` and the like are beyond Python, and are not looked at."""
    try:
        return re.compile(pattern)
    except re.error:
        return None
