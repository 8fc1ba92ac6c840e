"""The templates of the repository's platform as tests look at them."""

import json
from collections.abc import Iterable
from typing import Any

import cfn
from cfn import Unit
from platform_pipelines.model import Platform
from tests.cfn import platforms

PLATFORM = platforms.of_the_repository()
UNITS = cfn.units(PLATFORM)
TEXTS = cfn.rendered(PLATFORM)


def template(unit: Unit, platform: Platform = PLATFORM) -> Any:
    """A unit's template as plain data."""
    text = TEXTS[unit.key] if platform is PLATFORM else cfn.render(platform, unit)
    return json.loads(text)


def resources(alias: str, stack: str, platform: Platform = PLATFORM) -> dict[str, Any]:
    """The resources of a stack in a Region, by logical id."""
    unit = next(unit for unit in cfn.units(platform) if unit.key == (alias, stack))
    found: dict[str, Any] = template(unit, platform)["Resources"]
    return found


def properties(alias: str, stack: str, title: str, platform: Platform = PLATFORM) -> Any:
    """The properties of one resource."""
    return resources(alias, stack, platform)[title]["Properties"]


def of_type(kind: str) -> list[dict[str, Any]]:
    """The properties of every resource of a type, in all stacks and both Regions; there are some."""
    return _properties(kind, UNITS)


def in_stack(kind: str, stack: str) -> list[dict[str, Any]]:
    """The properties of every resource of a type in a stack, home's first; there are some."""
    return _properties(kind, [unit for unit in UNITS if unit.stack.name == stack])


def _properties(kind: str, units: Iterable[Unit]) -> list[dict[str, Any]]:
    found = [
        resource.get("Properties", {})
        for unit in units
        for resource in template(unit)["Resources"].values()
        if resource["Type"] == kind
    ]
    assert found, f"no stack has a {kind}: a rule for it would hold for nothing"
    return found
