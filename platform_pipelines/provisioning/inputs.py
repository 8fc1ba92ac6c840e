"""What goes into a stack: its template, its tags, and parameters from other stacks' outputs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cfn
from cfn import Output, Scope, Unit, Where
from platform_pipelines.aws import templates
from platform_pipelines.aws.change_sets import Kind, Request
from platform_pipelines.errors import Refused
from platform_pipelines.model import Platform
from platform_pipelines.provisioning import protection

if TYPE_CHECKING:
    from platform_pipelines.provisioning.ensure import Site

Outputs = Mapping[str, str]


@dataclass
class TemplateTooLarge(Refused):
    """A template is larger than CloudFormation takes, however it is sent."""

    sizes: Mapping[str, int]  # bytes, by <alias>/<stack>

    def __str__(self) -> str:
        found = ", ".join(f"{where} has {size}" for where, size in self.sizes.items())
        return (
            f"CloudFormation takes templates of {templates.LARGEST} bytes; {found}. Nothing was "
            f"changed. Split the stack in cfn/."
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


def resolve(
    platform: Platform,
    unit: Unit,
    outputs: Mapping[tuple[str, str], Outputs],
    previous: Mapping[str, str] | None = None,
) -> Inputs:
    """A unit's parameters from what other units have given. `previous` are the ones that the stack
    has now: they hold where another Region must be left alone."""
    known: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for parameter, output in unit.stack.parameters.items():
        key = source(platform, unit, output)
        value = outputs[key].get(output.key) if key in outputs else (previous or {}).get(parameter)
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


def refuse_too_large(platform: Platform, units: Iterable[Unit]) -> None:
    """Raises: TemplateTooLarge, before anything is asked of AWS."""
    sizes = {"/".join(one.key): templates.size(cfn.render(platform, one)) for one in units}
    if large := {where: size for where, size in sizes.items() if size > templates.LARGEST}:
        raise TemplateTooLarge(large)


def tags(platform: Platform, unit: Unit) -> dict[str, str]:
    """The tags of a stack; CloudFormation hands them on to its resources."""
    return {"platform": platform.platform, "stack": unit.stack.name, "region": unit.region.alias}


def digest(platform: Platform, unit: Unit, parameters: Mapping[str, str]) -> str:
    """What names everything that goes into a stack: equal means that there is nothing to do."""
    everything = {
        "template": templates.digest(cfn.render(platform, unit)),
        "parameters": dict(parameters),
        "tags": tags(platform, unit),
        "protected": unit.stack.stateful,
        "policy": protection.policy(),
    }
    return templates.digest(json.dumps(everything, sort_keys=True))


def request(
    site: "Site", kind: Kind, name: str, parameters: Mapping[str, str], role: str | None
) -> Request:
    """The change set of a unit; a large template is in its bucket then.
    Raises: NoBucketForTemplate."""
    platform, unit = site.platform, site.unit
    text = cfn.render(platform, unit)
    bucket = platform.control_bucket(unit.region)
    return Request(
        stack_name=site.stack_name,
        kind=kind,
        name=name,
        template=templates.sent(site.region, bucket, site.where, text),
        parameters=parameters,
        tags=tags(platform, unit),
        role=role,
    )
