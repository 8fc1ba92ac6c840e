"""Property values in change sets: what `DescribeChangeSet` with `IncludePropertyValues` adds.

ministack names the properties that change, but not their values. They are worked out when a change
set is created, since the stack has moved on once it is executed, and written into the answer later.
Values that only the execution will know read as AWS writes them; secrets stay references.
"""

import copy
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

Parameters = dict[str, Any]
Reply = tuple[int, dict[str, str], bytes]
Action = Callable[[Parameters], Reply]
Values = dict[str, dict[str, Any]]  # properties by logical id

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


def remembering_values(create: Action) -> Action:
    """CreateChangeSet that keeps the properties before and after on the change set."""

    def create_change_set(params: Parameters) -> Reply:
        before = _before(_one(params, "StackName"))
        reply = create(params)
        if reply[0] == 200:
            change_set = _change_set(params)
            change_set["_before"] = before
            change_set["_after"] = _values(
                change_set["_template"], change_set["_resolved_params"], change_set["StackName"]
            )
        return reply

    return create_change_set


def with_values(describe: Action) -> Action:
    """DescribeChangeSet that writes the kept properties into the answer, if asked to."""

    def describe_change_set(params: Parameters) -> Reply:
        status, headers, body = describe(params)
        if status != 200 or _one(params, "IncludePropertyValues").lower() != "true":
            return status, headers, body
        change_set = _change_set(params)
        root = ElementTree.fromstring(body)  # our own text
        for change in root.iter(_tag("ResourceChange")):
            _describe(change, change_set["_before"], change_set["_after"])
        return status, headers, ElementTree.tostring(root, default_namespace=NAMESPACE)

    return describe_change_set


def _describe(change: ElementTree.Element, before: Values, after: Values) -> None:
    """Add the contexts of one resource, and the values of each of its changed properties."""
    name = change.findtext(_tag("LogicalResourceId"), "")
    old, new = before.get(name), after.get(name)
    for tag, properties in (("BeforeContext", old), ("AfterContext", new)):
        if properties is not None:
            text = json.dumps({"Properties": properties}, sort_keys=True, default=str)
            ElementTree.SubElement(change, _tag(tag)).text = text
    for target in change.iter(_tag("Target")):
        property_ = target.findtext(_tag("Name"))
        if property_ is not None:
            _describe_property(target, property_, old or {}, new or {})


def _describe_property(
    target: ElementTree.Element, name: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    kind = "Add" if name not in old else "Remove" if name not in new else "Modify"
    ElementTree.SubElement(target, _tag("Path")).text = f"/Properties/{name}"
    ElementTree.SubElement(target, _tag("AttributeChangeType")).text = kind
    for tag, properties in (("BeforeValue", old), ("AfterValue", new)):
        if name in properties:
            value = properties[name]
            text = (
                value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
            )
            ElementTree.SubElement(target, _tag(tag)).text = text


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _one(params: Parameters, name: str) -> str:
    """A parameter of ministack's query: it may be a list of one."""
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _package() -> Any:
    return import_module("ministack.services.cloudformation")


def _change_set(params: Parameters) -> dict[str, Any]:
    changesets = import_module("ministack.services.cloudformation.changesets")
    names = _one(params, "ChangeSetName"), _one(params, "StackName")
    found: dict[str, Any] = changesets._find_change_set(*names)[1]
    return found


def _before(stack_name: str) -> Values:
    """The properties of the stack as it is; none if there is no stack yet."""
    handlers = import_module("ministack.services.cloudformation.handlers")
    stack = handlers._resolve_stack(stack_name)
    if not stack:
        return {}
    return _values(stack.get("_template") or {}, stack.get("_resolved_params") or {}, stack_name)


def _values(template: dict[str, Any], values: dict[str, Any], stack_name: str) -> Values:
    """Every resource's properties, as far as they are known before the execution."""
    return {
        name: {
            key: _value(raw, template, values, stack_name)
            for key, raw in (resource.get("Properties") or {}).items()
        }
        for name, resource in template.get("Resources", {}).items()
    }


def _value(raw: Any, template: dict[str, Any], values: dict[str, Any], stack_name: str) -> Any:
    """One property; inside of it, each reference that cannot be resolved reads as such."""
    engine = import_module("ministack.services.cloudformation.engine")
    stack = _package()._stacks.get(stack_name) or {}
    known = stack.get("_resources") or {}
    wanted = {name for name, _ in engine._intrinsic_references(raw)}
    if wanted & template["Resources"].keys() - known.keys():
        return _unknown(raw)
    mappings = template.get("Mappings", {})
    stack_id = stack.get("StackId", "")
    try:
        return engine._resolve_refs(
            copy.deepcopy(raw), known, values, {}, mappings, stack_name, stack_id
        )
    except ValueError:  # an attribute that the resource does not have: the execution will say so
        return _unknown(raw)


def _unknown(raw: Any) -> Any:
    """The value with its intrinsic functions replaced by AWS's words for "not yet"."""
    if isinstance(raw, list):
        return [_unknown(item) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if len(raw) == 1 and (key := next(iter(raw))) and (key == "Ref" or key.startswith("Fn::")):
        return KNOWN_AFTER_APPLY
    return {key: _unknown(value) for key, value in raw.items()}
