"""How an AWS operation of the local Regions is written: a method named as AWS names it.

A `Service` groups the operations that we answer ourselves. Requests arrive parsed and leave checked
against botocore's model of the service (`protocol` does both), so an operation is a plain function
of its parameters. Operations that a Service does not define go to ministack if `passes` names them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from platform_pipelines.local.world import World

Params = dict[str, Any]
Result = dict[str, Any]
Operation = Callable[[Any, "Call"], Result]
F = TypeVar("F", bound=Operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, parsed by the service's model."""

    service: str  # as boto3 names it: efs, rds, …
    operation: str  # as AWS names it: DescribeFileSystems
    params: Params
    region: str  # AWS name that the request was signed for
    account: str
    request_id: str


@dataclass
class Fault(Exception):
    """An error as AWS answers it: a code of the service's model, and a message."""

    code: str
    message: str
    status: int = 400

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def operation(method: F) -> F:
    """Mark a method of a Service as the operation of its name."""
    method.__dict__["operation"] = True
    return method


class Service:
    """Operations of one AWS service, over ministack's stores and our own."""

    name: ClassVar[str]
    # Operations that ministack answers as AWS would; every other one is "not implemented here".
    passes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, world: World) -> None:
        self.world = world
        self.start()

    def start(self) -> None:
        """Register timers; called once."""

    @classmethod
    def operations(cls) -> frozenset[str]:
        """The operations that this class answers itself."""
        return frozenset(
            name for name in dir(cls) if getattr(getattr(cls, name), "operation", False) is True
        )

    def answer(self, call: Call) -> Result:
        """Answer a call to one of `operations()`. Raises: Fault."""
        result: Result = getattr(self, call.operation)(call)
        return result
