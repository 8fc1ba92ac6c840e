"""What the control API's handlers share: the parts that they pull on, and their mistakes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws.service import Result
from platform_pipelines.local.aws.zones import Answer
from platform_pipelines.local.calls import CallLog
from platform_pipelines.local.gate import Gate
from platform_pipelines.local.world import World

Names = Mapping[str, str]  # of the path
Query = Mapping[str, str]


class BadRequest(ValueError):
    """The request makes no sense; the text says why."""


class NotThere(LookupError):
    """What the path names does not exist; the text says what does."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """One world, its call log and its gate, and what its AWS and DNS answer."""

    world: World
    log: CallLog
    gate: Gate
    ask: Callable[..., Result]  # (service, operation, Region's AWS name, **params). Raises: Fault
    resolve: Callable[[str, str], Answer]  # (name, record type)
    healthy: Callable[[str], bool]  # of a Route 53 health check, by its id


def number(value: Any, name: str, least: float, most: float) -> float:
    """A number within bounds. Raises: BadRequest."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not least <= value <= most:
        raise BadRequest(f"{name}: {value!r}; allowed: a number from {least:g} to {most:g}")
    return float(value)


def fields(body: Any, *names: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body's fields: all of `names`, perhaps `optional` ones, nothing else.
    Raises: BadRequest."""
    if not isinstance(body, dict) or not set(names) <= set(body) <= {*names, *optional}:
        form = ", ".join(
            [*(f'"{one}": …' for one in names), *(f'["{one}": …]' for one in optional)]
        )
        raise BadRequest(f"the body must be {{{form}}}")
    return body
