"""How drift detection reads what ministack makes itself: by its service's API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws.cloudformation_types import Calls, Properties, is_missing
from platform_pipelines.local.aws.service import Fault

Reader = Callable[[str, Properties], Properties | None]
Read = Callable[[Calls, str, Properties], Properties | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """How to read a type."""

    read: Read  # what it is now; None if it is gone
    properties: frozenset[str]  # what can be read

    def bind(self, call: Calls) -> Reader:
        """As ministack's drift detection asks for it."""

        def read(id_: str, props: Properties) -> Properties | None:
            try:
                return self.read(call, id_, props)
            except Fault as fault:
                if is_missing(fault):
                    return None
                raise

        return read


def first(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The one thing that was asked for. Raises: Fault, if nothing was found."""
    if not found:
        raise Fault("NotFound", "it is gone")
    return found[0]


def reads(read: Read, *properties: str) -> Reads:
    """How to read a type of these properties."""
    return Reads(read=read, properties=frozenset(properties))
