"""Pre-deployment validation: what is wrong with a template before anything is made.

A change set with such a problem fails; its reason names the checks, and DescribeEvents has the
details. Properties are judged by troposphere's tables of each type, names by asking the service.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import Design

Problem = dict[str, str]
Taken = Callable[[str, dict[str, Any]], str | None]

FAILED = (
    "Validation failed with {count} error(s). Call DescribeEvents to retrieve the full list of "
    "issues with resource and property details, resolve each error, then retry the operation."
)
PROPERTY, NAME = "PROPERTY_VALIDATION", "NAME_CONFLICT_VALIDATION"
_CHECKS = {
    PROPERTY: "AWS::EarlyValidation::PropertyValidation",
    NAME: "AWS::EarlyValidation::ResourceExistenceCheck",
}


def reason(found: Iterable[Problem]) -> str:
    """Why a change set with these problems failed."""
    checks = sorted({_CHECKS[one["ValidationName"]] for one in found})
    return (
        f"The following hook(s)/validation failed: [{', '.join(checks)}]. To troubleshoot Early "
        "Validation errors, use the DescribeEvents API for detailed failure information."
    )


def problems(plan: Design, known: Mapping[str, Any], taken: Taken | None = None) -> list[Problem]:
    """Everything that is wrong with the resources of a template; `taken` says the name of one that
    exists already, of those that the stack does not have."""
    found: list[Problem] = []
    active = engine.dependencies(plan.template, plan.values)
    for name in active:
        kind, props = plan.resources[name]["Type"], plan.resources[name].get("Properties") or {}
        found += [_problem(name, kind, PROPERTY, *one) for one in _wrong(kind, props)]
        if taken and name not in known:
            found += _conflicts(plan, name, kind, props, taken)
    return found


def _wrong(kind: str, props: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    schema = _schema(kind)
    if schema is None:
        return
    for name in sorted(props.keys() - schema.keys()):
        yield f"/{name}", f"Unsupported property [{name}]"
    for name in sorted(key for key, required in schema.items() if required):
        if name not in props:
            yield "", f"Required property [{name}] not found"


def _conflicts(
    plan: Design, name: str, kind: str, props: dict[str, Any], taken: Taken
) -> Iterator[Problem]:
    literal = {
        key: one for key, one in props.items() if not engine.references(one) & plan.resources.keys()
    }
    id_ = taken(kind, plan.resolve(literal, {}))
    if id_:
        text = f"Resource of type '{kind}' with identifier '{id_}' already exists."
        yield _problem(name, kind, NAME, "", text)


def _problem(name: str, kind: str, check: str, path: str, text: str) -> Problem:
    where = f"/Resources/{name}" if check == NAME else f"/Resources/{name}/Properties{path}"
    return {
        "LogicalResourceId": name,
        "ResourceType": kind,
        "ValidationName": check,
        "ValidationPath": where,
        "ValidationStatusReason": text,
    }


@cache
def _schema(kind: str) -> Mapping[str, bool] | None:
    """Each property of a type, and whether it is required; None for a type that is not known."""
    found = type_class(kind)
    return {name: bool(rule[1]) for name, rule in found.props.items()} if found else None


def type_class(kind: str) -> Any:
    """troposphere's class of a resource type; None for a type that is not known."""
    parts = kind.split("::")
    module = f"troposphere.{parts[1].lower()}" if len(parts) == 3 else ""
    if not module or find_spec(module) is None:
        return None
    found = getattr(import_module(module), parts[2], None)
    return found if getattr(found, "resource_type", None) == kind else None
