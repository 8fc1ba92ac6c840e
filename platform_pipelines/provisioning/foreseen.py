"""What a stack that cannot be asked about yet would make: read from its template.

A stack that takes values from one that does not exist has no change set; those values are named as
not known yet. Called by `plan`.
"""

import json
from collections.abc import Mapping
from typing import Any

import cfn
from cfn import Unit
from platform_pipelines.aws.change_sets import PropertyChange, ResourceChange
from platform_pipelines.model import Platform
from platform_pipelines.provisioning.inputs import Inputs


def changes(platform: Platform, unit: Unit, values: Inputs) -> tuple[ResourceChange, ...]:
    """What the template says, with the values that do not exist named as such."""
    template = json.loads(cfn.render(platform, unit))
    return tuple(
        ResourceChange(
            action="Add",
            logical_id=name,
            physical_id=None,
            type=resource["Type"],
            replacement=None,
            policy_action=None,
            properties=_properties(resource.get("Properties", {}), values),
        )
        for name, resource in template["Resources"].items()
    )


def _properties(properties: Mapping[str, Any], values: Inputs) -> tuple[PropertyChange, ...]:
    return tuple(
        PropertyChange(path=name, before=None, after=_text(value, values), recreation="Never")
        for name, value in properties.items()
    )


def _text(value: Any, values: Inputs) -> str:
    filled = _filled(value, values)
    return filled if isinstance(filled, str) else json.dumps(filled, separators=(",", ":"))


def _filled(value: Any, values: Inputs) -> Any:
    """A template's value with its parameters filled in."""
    match value:
        case {"Ref": str(name)} if name in values.unknown:
            return f"not known yet: {values.unknown[name]}"
        case {"Ref": str(name)} if name in values.known:
            return values.known[name]
        case dict():
            return {key: _filled(one, values) for key, one in value.items()}
        case list():
            return [_filled(one, values) for one in value]
    return value
