"""How an AWS operation of the local Regions is written: a method named as AWS names it.

A `Service` groups the operations that we answer ourselves. Requests arrive parsed and leave checked
against botocore's model of the service (`protocol` does both), so an operation is a plain function
of its parameters. Operations that a Service does not define go to ministack if `passes` names them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, overload

from platform_pipelines.local.world import World

Params = dict[str, Any]
Result = dict[str, Any]
Operation = Callable[[Any, "Call"], Result]
F = TypeVar("F", bound=Operation)

CLOUDFORMATION = "cloudformation"  # the request id of calls that are made for a stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, parsed by the service's model."""

    service: str  # as boto3 names it: efs, rds, …
    operation: str  # as AWS names it: DescribeFileSystems
    params: Params
    region: str  # AWS name that the request was signed for
    account: str
    request_id: str

    @property
    def by_cloudformation(self) -> bool:
        """Whether CloudFormation asks, for a stack: it may set tags that begin with `aws:`."""
        return self.request_id == CLOUDFORMATION


@dataclass
class Fault(Exception):
    """An error as AWS answers it: a code of the service's model, and a message."""

    code: str
    message: str
    status: int = 400
    members: Params = field(default_factory=dict)  # what else the model's error shape has

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def not_implemented(what: str, hint: str = "") -> Fault:
    """What a caller gets for anything that the local Regions do not have; SDKs do not retry it."""
    return Fault("NotImplemented", f"{what} is not implemented by the local Regions{hint}", 501)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the docs say of an operation."""

    raises: tuple[str, ...] = ()  # the codes of every Fault that it answers
    states: str = ""  # of what it begins, as CREATING → ACTIVE | FAILED


@overload
def operation(method: F, /) -> F: ...


@overload
def operation(*, raises: tuple[str, ...] = (), states: str = "") -> Callable[[F], F]: ...


def operation(method: Any = None, /, *, raises: tuple[str, ...] = (), states: str = "") -> Any:
    """Mark a method of a Service as the operation of its name."""

    def mark(marked: F) -> F:
        marked.__dict__["operation"] = About(raises=raises, states=states)
        return marked

    return mark if method is None else mark(method)


class Service:
    """Operations of one AWS service, over ministack's stores and our own."""

    name: ClassVar[str]
    # Operations that ministack answers as AWS would; every other one is "not implemented here".
    passes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, world: World) -> None:
        self.world = world
        self.start()

    def start(self) -> None:
        """Register timers; called once, before any state is restored."""

    def bind(self, answer: "Callable[[Call], Result]") -> None:
        """Get to know how calls to all services are answered; called once, after `start`."""

    @classmethod
    def operations(cls) -> frozenset[str]:
        """The operations that this class answers itself."""
        return frozenset(cls.about())

    @classmethod
    def about(cls) -> dict[str, About]:
        """What there is to say of each of `operations()`."""
        found = {name: getattr(getattr(cls, name), "operation", None) for name in dir(cls)}
        return {name: one for name, one in found.items() if isinstance(one, About)}

    def dump(self) -> Any:
        """The state that is not in ministack's stores, as JSON values."""
        return None

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave, in place of what is there."""

    def answer(self, call: Call) -> Result:
        """Answer a call to one of `operations()`. Raises: Fault."""
        result: Result = getattr(self, call.operation)(call)
        return result
