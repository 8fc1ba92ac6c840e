"""How a CloudFormation resource type of the local Regions is written: by the service's own API.

A `ResourceType` creates, updates and deletes through `Calls`, which are answered by the same code as
a user's calls, so what a stack made is what the API describes. `parameters` turns a template's
properties into an operation's parameters by botocore's model: names differ in their case only.
"""

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from platform_pipelines.local.aws.service import CLOUDFORMATION, Call, Fault, Params, Result

Properties = dict[str, Any]
Answer = Callable[[Call], Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a stack remembers of a resource."""

    id: str  # what Ref gives
    attributes: Mapping[str, Any] = field(default_factory=dict)  # what Fn::GetAtt gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """A resource that a stack has."""

    id: str
    properties: Properties  # as the stack last set them
    snapshot: bool = False  # whether what it holds is to be kept when it is deleted


class Condition(StrEnum):
    """How far a resource is, as its service says."""

    READY = "ready"
    PENDING = "pending"  # the service is at work
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A resource as it is."""

    condition: Condition
    reason: str = ""  # why it failed
    made: Made | None = None
    actual: Properties = field(default_factory=dict)  # what can be read back, for drift


def judge(
    status: str, *, ready: Collection[str], failed: Collection[str] = (), gone: Collection[str] = ()
) -> Condition:
    """The condition that a service's word for it stands for; any other word is work in progress."""
    for condition, words in (
        (Condition.READY, ready),
        (Condition.FAILED, failed),
        (Condition.GONE, gone),
    ):
        if status in words:
            return condition
    return Condition.PENDING


def is_missing(fault: Fault) -> bool:
    """Whether a service says that there is no such resource."""
    return "NotFound" in fault.code or fault.code.startswith("NoSuch")


class Calls:
    """Calls in the Region and account of the stack operation that is running."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(
        self, service: str, operation: str, params: Params, region: str | None = None
    ) -> Result:
        """The answer to a call with valid parameters. Raises: Fault."""
        shape = input_shape(service, operation)
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise Fault("ValidationException", report.generate_report())
        if unknown := params.keys() - shape.members.keys():
            raise Fault("ValidationException", f"{operation} has no {sorted(unknown)}")
        return self._answer(
            Call(
                service=service,
                operation=operation,
                params=params,
                region=region or self.region,
                account=self.account,
                request_id=CLOUDFORMATION,
            )
        )

    @property
    def region(self) -> str:
        """The stack's Region (an AWS name)."""
        return str(_request().get_region())

    @property
    def account(self) -> str:
        """The stack's account."""
        return str(_request().get_account_id())


def _request() -> ModuleType:
    """What ministack knows of the request, or of the stack operation, that is running."""
    return import_module("ministack.core.responses")


class ResourceType:
    """One type of resource, as AWS::EC2::EIP."""

    name: ClassVar[str]
    # Of the type's schema: a change of these replaces the resource, of those may replace it.
    create_only: ClassVar[tuple[str, ...]]
    conditional: ClassVar[tuple[str, ...]] = ()
    # The property that names it. What a user has named cannot be replaced; else we make a name up.
    custom_name: ClassVar[str | None] = None
    longest_name: ClassVar[int] = 63  # of a name that we make up
    lowercase: ClassVar[bool] = True  # likewise
    # The properties that `look` reads back.
    reads: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, call: Calls) -> None:
        self.call = call

    def create(self, props: Properties) -> Made:
        """Make it, by one call: what fails after that is for `settle`, so that a stack knows what to
        delete. Its name is among the properties, if it has one. Raises: Fault."""
        raise NotImplementedError

    def update(self, one: Existing, new: Properties) -> Made:
        """Change it in place; create-only properties never get here. Raises: Fault."""
        raise NotImplementedError

    def delete(self, one: Existing) -> None:
        """Remove it. Raises: Fault."""
        raise NotImplementedError

    def look(self, one: Existing) -> Look:
        """How it is. Raises: Fault, one that says "not found" if it is gone."""
        raise NotImplementedError

    def settle(self, one: Existing) -> bool:  # noqa: ARG002  # most types have nothing to ask for
        """Ask for what a new one can only be asked for once it is ready; False if that needs another
        look. Raises: Fault."""
        return True

    def go_on(self, one: Existing, new: Properties) -> bool:  # noqa: ARG002  # as above
        """Ask for what an update is still to change, since its service takes one change at a time;
        False if that needs another look. `one` is what the resource was. Raises: Fault."""
        return True

    def identify(self, props: Properties) -> str | None:
        """The id that a resource with these properties would have; None if only its service knows."""
        return props.get(self.custom_name) if self.custom_name else None

    def condition(self, one: Existing) -> Look:
        """How it is, also when it is gone. Raises: Fault."""
        try:
            return self.look(one)
        except Fault as fault:
            if is_missing(fault):
                return Look(condition=Condition.GONE)
            raise


def changed(old: Properties, new: Properties) -> set[str]:
    """The properties that differ."""
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def parameters(service: str, operation: str, props: Properties) -> Params:
    """An operation's parameters from properties. Raises: Fault, for one that it does not know."""
    params: Params = _convert(input_shape(service, operation), props, operation)
    return params


def _convert(shape: Shape | None, value: Any, path: str) -> Any:
    match shape, value:
        case StructureShape(), dict():
            return _structure(shape, value, path)
        case ListShape(), list():
            return [_convert(shape.member, item, path) for item in value]
        case MapShape(), list():  # tags
            return {item["Key"]: item["Value"] for item in value}
        case MapShape(), dict():
            return {key: _convert(shape.value, item, path) for key, item in value.items()}
    return _scalar(shape, value)


def _structure(shape: StructureShape, value: dict[str, Any], path: str) -> Params:
    members = {name.lower(): name for name in shape.members}
    params: Params = {}
    for name, item in value.items():
        member = members.get(name.lower())
        if member is None:
            raise Fault(
                "ValidationException", f"{path}.{name} is not supported by the local Regions"
            )
        params[member] = _convert(shape.members[member], item, f"{path}.{name}")
    return params


def _scalar(shape: Shape | None, value: Any) -> Any:
    """A template may write numbers and booleans as strings, and strings as numbers."""
    match shape.type_name if shape else None:
        case "integer" | "long":
            return int(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "string":
            return str(value)
    return value


@functools.cache
def input_shape(service: str, operation: str) -> StructureShape:
    """What botocore's model says of an operation's parameters."""
    shape = _model(service).operation_model(operation).input_shape
    return shape or StructureShape(operation, {"type": "structure", "members": {}})


@functools.cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
