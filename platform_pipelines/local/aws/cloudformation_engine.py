"""The door to ministack's CloudFormation engine: templates, values, stores and resource handlers.

ministack parses templates, resolves functions, diffs change sets and keeps the records of stacks;
when and in which order anything happens is ours (`cloudformation_execution`). Everything private of
ministack that this needs is reached here, inside of the scope of a Region. A test holds each of them.
"""

import copy
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

Stack = dict[str, Any]
Properties = dict[str, Any]
Template = dict[str, Any]
Values = dict[str, Any]  # a template's parameters, as ministack resolved them

RETAINING = ("Retain", "RetainExceptOnCreate")


def module(name: str) -> ModuleType:
    """A module of ministack's CloudFormation."""
    return import_module(f"ministack.services.cloudformation.{name}")


def _package() -> ModuleType:
    return import_module("ministack.services.cloudformation")


def stacks() -> MutableMapping[str, Stack]:
    """The stacks of the Region, by name."""
    found: MutableMapping[str, Stack] = _package()._stacks
    return found


def stack(name_or_id: str) -> Stack | None:
    """A stack; one that was deleted is found by its id only."""
    found: Stack | None = module("handlers")._resolve_stack(name_or_id)
    if found and found["StackStatus"] == "DELETE_COMPLETE" and name_or_id != found["StackId"]:
        return None
    return found


def stack_events(stack_id: str) -> list[dict[str, Any]]:
    """Everything that happened to a stack, oldest first."""
    events: list[dict[str, Any]] = _package()._stack_events.setdefault(stack_id, [])
    return events


def exports() -> MutableMapping[str, dict[str, Any]]:
    """What the stacks of the Region export, by name."""
    found: MutableMapping[str, dict[str, Any]] = _package()._exports
    return found


def change_sets() -> MutableMapping[str, dict[str, Any]]:
    """The change sets of the Region, by id."""
    found: MutableMapping[str, dict[str, Any]] = _package()._change_sets
    return found


def change_set(name_or_id: str, stack_name: str = "") -> dict[str, Any] | None:
    """A change set by its id, or by its name and its stack's name or id."""
    owner = stack(stack_name) if stack_name else None
    name = owner["StackName"] if owner else stack_name
    found: dict[str, Any] | None = module("changesets")._find_change_set(name_or_id, name)[1]
    return found


def importers(export: str, exporter: str) -> list[str]:
    """The stacks that import an export of another stack."""
    found = module("handlers")._imported_export_names
    return sorted(
        name
        for name, one in stacks().items()
        if name != exporter
        and one["StackStatus"] != "DELETE_COMPLETE"
        and export in found(one, name)
    )


def conditions(template: Template, values: Values) -> dict[str, bool]:
    """Each condition's value."""
    found: dict[str, bool] = module("engine")._evaluate_conditions(template, values)
    return found


def dependencies(template: Template, values: Values) -> dict[str, set[str]]:
    """What each resource of a template waits for. Raises: ValueError, for a circle."""
    resources, holds = template.get("Resources", {}), conditions(template, values)
    order: list[str] = module("engine")._topological_sort(resources, holds)
    names = set(order)
    return {name: module("engine")._extract_deps(resources[name], names) - {name} for name in order}


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A stack's template with everything that gives its functions a value."""

    template: Template
    values: Values
    stack_name: str
    stack_id: str

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.template.get("Resources", {})
        return found

    def resolve(self, raw: Any, known: Mapping[str, Any]) -> Any:
        """A value without functions. Raises: ValueError."""
        return module("engine")._resolve_refs(
            copy.deepcopy(raw),
            known,
            self.values,
            conditions(self.template, self.values),
            self.template.get("Mappings", {}),
            self.stack_name,
            self.stack_id,
        )

    def properties(
        self, name: str, known: Mapping[str, Any], dynamic: dict[str, Any] | None = None
    ) -> tuple[Properties, dict[str, Any]]:
        """A resource's properties, and the values of the dynamic references among them; those in
        `dynamic`, of a resource whose definition did not change, stay. Raises: ValueError."""
        engine = module("engine")
        found = self.resolve(self.resources[name].get("Properties") or {}, known)
        given = {key: value for key, value in found.items() if value is not engine._NO_VALUE}
        properties: Properties
        properties, values = engine._resolve_dynamic_references(
            given, dynamic, reuse_ssm=False, reuse_secrets=dynamic is not None
        )
        return properties, dict(values or {})

    def policy(self, name: str, attribute: str, known: Mapping[str, Any]) -> str:
        """A resource's DeletionPolicy or UpdateReplacePolicy."""
        found: str = module("stacks")._resource_policy(
            self.resources.get(name),
            attribute,
            known,
            self.values,
            conditions(self.template, self.values),
            self.template.get("Mappings", {}),
            self.stack_name,
            self.stack_id,
        )
        return found

    def outputs(self, known: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The outputs and exports. Raises: ValueError."""
        found: tuple[list[dict[str, Any]], dict[str, Any]] = module(
            "stacks"
        )._resolve_stack_outputs(
            self.template.get("Outputs") or {},
            conditions(self.template, self.values),
            known,
            self.values,
            self.template.get("Mappings", {}),
            self.stack_name,
            self.stack_id,
        )
        return found

    def tagged(self, name: str, kind: str, props: Properties, tags: list[Any]) -> Properties:
        """Properties with the stack's own tags, for the types that take them."""
        found: Properties = module("provisioners")._with_stack_tags(
            kind, props, tags, self.stack_name, self.stack_id, name
        )
        return found


def references(raw: Any) -> set[str]:
    """The names that a value's functions refer to."""
    return {name for name, _ in module("engine")._intrinsic_references(raw)}


def with_dependencies(names: list[str], template: Template, remaining: set[str]) -> set[str]:
    """Resources, and all that they depend on."""
    found: set[str] = module("stacks")._with_dependencies(
        names, template.get("Resources", {}), remaining
    )
    return found


def each_namespace() -> Iterator[ModuleType]:
    """The modules that have ministack's functions under names of their own."""
    yield from map(module, ("engine", "stacks", "handlers", "changesets"))


def is_no_value(value: Any) -> bool:
    """Whether a function gave AWS::NoValue."""
    return value is module("engine")._NO_VALUE


def pseudo_parameters() -> dict[str, str]:
    """What AWS gives every template."""
    request = import_module("ministack.core.responses")
    return {
        "AWS::AccountId": request.get_account_id(),
        "AWS::Partition": "aws",
        "AWS::Region": request.get_region(),
        "AWS::URLSuffix": "amazonaws.com",
    }
