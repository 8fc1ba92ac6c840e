"""Change sets as they read: property values before and after, down to the nested one that changed.

ministack names the properties that change, but not their values. They are worked out when a change
set is created, since the stack has moved on once it is executed, and kept with it. Values that only
the execution will know read as AWS writes them; secrets stay references.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import Design, Stack, Template, Values

Properties = dict[str, dict[str, Any]]  # by logical id
Change = dict[str, Any]
ChangeSet = dict[str, Any]

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
BEFORE, AFTER = "_before", "_after"  # where a change set keeps its properties


def remember(change_set: ChangeSet, stack: Stack) -> None:
    """Keep the properties before and after with a change set that was just made."""
    there = stack["_resources"]
    kept = {name: one for name, one in there.items() if name not in _replaced(change_set)}
    old, new = (stack["_template"] or {}, stack["_resolved_params"] or {}), change_set
    change_set[BEFORE] = _values(stack, *old, there)
    change_set[AFTER] = _values(stack, new["_template"], new["_resolved_params"], kept)


def _replaced(change_set: ChangeSet) -> set[str]:
    """The resources that get another id: what refers to them is known when they have it."""
    found = (one["ResourceChange"] for one in change_set["Changes"])
    return {one["LogicalResourceId"] for one in found if one.get("Replacement") == "True"}


def describe(change_set: ChangeSet, changes: list[Change]) -> list[Change]:
    """The changes with the values of everything that changes."""
    return [_described(change_set, copy.deepcopy(one)) for one in changes]


def _described(change_set: ChangeSet, change: Change) -> Change:
    resource = change["ResourceChange"]
    name = resource["LogicalResourceId"]
    old, new = change_set[BEFORE].get(name), change_set[AFTER].get(name)
    for key, properties in (("BeforeContext", old), ("AfterContext", new)):
        if properties is not None:
            resource[key] = json.dumps({"Properties": properties}, sort_keys=True, default=str)
    details = resource.get("Details", [])
    resource["Details"] = [one for detail in details for one in _detailed(detail, old, new)]
    return change


def _detailed(
    detail: dict[str, Any], old: dict[str, Any] | None, new: dict[str, Any] | None
) -> Iterator[dict[str, Any]]:
    """One detail for each value that differs inside of a property."""
    target, name = detail["Target"], detail["Target"].get("Name")
    if name is None or "Path" in target:
        yield detail
        return
    before, after = ({name: one[name]} if one and name in one else {} for one in (old, new))
    whole = (f"/{name}", before.get(name, ABSENT), after.get(name, ABSENT))
    for path, one, other in differences(before, after) or [whole]:
        yield detail | {"Target": target | _values_of(f"/Properties{path}", one, other)}


ABSENT = object()  # a value that one side does not have


def differences(before: Any, after: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Each value that differs, by its path."""
    if before is ABSENT or after is ABSENT or type(before) is not type(after):
        return [] if before == after else [(path, before, after)]
    if isinstance(before, dict):
        keys = list(dict.fromkeys([*before, *after]))
        pairs = [(key, before.get(key, ABSENT), after.get(key, ABSENT)) for key in keys]
    elif isinstance(before, list) and len(before) == len(after):
        pairs = [(str(n), *pair) for n, pair in enumerate(zip(before, after, strict=True))]
    else:
        return [] if before == after else [(path, before, after)]
    return [
        found for key, one, other in pairs for found in differences(one, other, f"{path}/{key}")
    ]


def _values_of(path: str, before: Any, after: Any) -> dict[str, str]:
    kind = "Add" if before is ABSENT else "Remove" if after is ABSENT else "Modify"
    values = {"Path": path, "AttributeChangeType": kind}
    if before is not ABSENT:
        values["BeforeValue"] = text(before)
    if after is not ABSENT:
        values["AfterValue"] = text(after)
    return values


def text(value: Any) -> str:
    """A value as change sets write it."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _values(stack: Stack, template: Template, values: Values, known: dict[str, Any]) -> Properties:
    """Every resource's properties, as far as they are known before the execution; `known` are the
    resources that there are."""
    plan = Design(
        template=template,
        values=values,
        stack_name=stack["StackName"],
        stack_id=stack["StackId"],
    )
    return {
        name: {
            key: value
            for key, raw in (resource.get("Properties") or {}).items()
            if (value := _value(raw, plan, known)) is not ABSENT
        }
        for name, resource in plan.resources.items()
    }


def _value(raw: Any, plan: Design, known: dict[str, Any]) -> Any:
    """One property; inside of it, each reference that cannot be resolved reads as such."""
    if engine.references(raw) & plan.resources.keys() - known.keys():
        return _unknown(raw)
    try:
        found = plan.resolve(raw, known)
    except ValueError:  # an attribute that the resource does not have: the execution will say so
        return _unknown(raw)
    return ABSENT if engine.is_no_value(found) else found


def _unknown(raw: Any) -> Any:
    """The value with its intrinsic functions replaced by AWS's words for "not yet"."""
    if isinstance(raw, list):
        return [_unknown(item) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if len(raw) == 1 and (key := next(iter(raw))) and (key == "Ref" or key.startswith("Fn::")):
        return KNOWN_AFTER_APPLY
    return {key: _unknown(value) for key, value in raw.items()}
