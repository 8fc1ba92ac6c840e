"""What goes into a stack: its template, its tags, and parameters from other stacks' outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cfn
from cfn import Output, Scope, Unit, Where
from platform_pipelines.aws.change_sets import Kind, Request
from platform_pipelines.errors import Refused
from platform_pipelines.model import Platform

# CloudFormation takes no more in a call. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
TEMPLATE_LIMIT = 51_200

Outputs = Mapping[str, str]


@dataclass
class TemplateTooLarge(Refused):
    """A template does not fit into a call."""

    where: str
    size: int

    def __str__(self) -> str:
        return (
            f"The template of {self.where} has {self.size} bytes; CloudFormation takes "
            f"{TEMPLATE_LIMIT} in a call. Split the stack in cfn/."
        )


@dataclass
class OutputMissing(Refused):
    """A stack has been applied, and still does not give the value that another one needs."""

    where: str
    parameter: str
    source: str

    def __str__(self) -> str:
        return (
            f"{self.where} needs {self.parameter} from {self.source}, which does not have it. "
            f"Apply that stack first: select it as well."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The parameters of a unit, as far as they are known."""

    known: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)  # parameter: where it will come from


def source(platform: Platform, unit: Unit, output: Output) -> tuple[str, str]:
    """The unit that gives an output: of this Region or the other, of home if it exists once."""
    stack = next(one for one in cfn.STACKS if one.name == output.stack)
    if stack.scope is Scope.ONCE:
        region = platform.home_region
    elif output.region is Where.OTHER:
        region = platform.other(unit.region.alias)
    else:
        region = unit.region
    return region.alias, stack.name


def resolve(platform: Platform, unit: Unit, outputs: Mapping[tuple[str, str], Outputs]) -> Inputs:
    """A unit's parameters from what other units have given."""
    known: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for parameter, output in unit.stack.parameters.items():
        key = source(platform, unit, output)
        value = outputs.get(key, {}).get(output.key)
        if value is None:
            unknown[parameter] = f"output {output.key} of {'/'.join(key)}"
        else:
            known[parameter] = value
    return Inputs(known=known, unknown=unknown)


def complete(unit: Unit, inputs: Inputs) -> Mapping[str, str]:
    """The parameters of a unit. Raises: OutputMissing."""
    for parameter, origin in inputs.unknown.items():
        raise OutputMissing("/".join(unit.key), parameter, origin)
    return inputs.known


def request(
    platform: Platform, unit: Unit, kind: Kind, name: str, parameters: Mapping[str, str]
) -> Request:
    """The change set of a unit. Raises: TemplateTooLarge."""
    template = cfn.render(platform, unit)
    size = len(template.encode())
    if size > TEMPLATE_LIMIT:
        raise TemplateTooLarge("/".join(unit.key), size)
    return Request(
        stack_name=platform.stack_name(unit.stack.name),
        kind=kind,
        name=name,
        template=template,
        parameters=parameters,
        tags={"platform": platform.platform, "stack": unit.stack.name},
    )
