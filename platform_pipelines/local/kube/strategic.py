"""Strategic merge patch: lists of a built-in kind are merged by their items' keys.

With its directives: `$patch` (replace, delete, merge), `$retainKeys`, `$deleteFromPrimitiveList/…`
and `$setElementOrder/…`, as kubectl writes them.
https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from typing import Any

from platform_pipelines.local.kube import faults
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.schema import ANY, Schema

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_DELETE_ITEMS = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def merge(target: Any, patch: Any, schema: Schema) -> Any:
    """`target`, which may be changed, with `patch`. Raises: KubeFault, when it has no sense."""
    if not isinstance(patch, dict):
        return clone(patch)
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return _plain(patch)
    if directive == "delete":
        return {}
    merged = target if isinstance(target, dict) else {}
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(merged, key, value, schema.field(key) or ANY)
    _delete_items(merged, patch)
    _reorder(merged, patch, schema)
    return merged


def _merge_field(merged: dict[str, Any], key: str, value: Any, schema: Schema) -> None:
    if value is None:
        merged.pop(key, None)
    elif isinstance(value, list) and isinstance(merged.get(key), list) and _by_key(schema, value):
        merged[key] = _merge_list(merged[key], value, schema)
    elif isinstance(value, list) and (schema.keys or schema.unique):
        merged[key] = _merge_list([], value, schema)
    else:
        merged[key] = merge(merged.get(key), value, schema)


def _by_key(schema: Schema, patch: list[Any]) -> bool:
    replaced = any(isinstance(item, dict) and item == {_DIRECTIVE: "replace"} for item in patch)
    return bool(schema.keys or schema.unique) and not replaced


def _merge_list(target: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    if schema.unique:
        return [*target, *(item for item in patch if item not in target)]
    key, items = schema.keys[0], schema.items or ANY
    merged = list(target)
    for item in patch:
        if item == {_DIRECTIVE: "replace"}:
            continue
        if not isinstance(item, dict) or key not in item:
            raise faults.bad_request(f"map: {item} does not contain declared merge key: {key}")
        place = next((n for n, old in enumerate(merged) if old.get(key) == item[key]), None)
        if item.get(_DIRECTIVE) == "delete":
            merged = [old for old in merged if old.get(key) != item[key]]
        elif place is None:
            merged.append(merge({}, item, items))
        else:
            merged[place] = merge(merged[place], item, items)
    return merged


def _delete_items(merged: dict[str, Any], patch: dict[str, Any]) -> None:
    for directive, values in patch.items():
        name = directive.removeprefix(_DELETE_ITEMS)
        if name != directive and isinstance(merged.get(name), list):
            merged[name] = [item for item in merged[name] if item not in values]


def _reorder(merged: dict[str, Any], patch: dict[str, Any], schema: Schema) -> None:
    """Put the items that the patch orders into that order; others keep their place behind."""
    for directive, wanted in patch.items():
        name = directive.removeprefix(_ORDER)
        if name == directive or not isinstance(merged.get(name), list):
            continue
        keys = (schema.field(name) or ANY).keys
        order = [item.get(keys[0]) if keys else item for item in wanted]

        def place(item: Any, keys: tuple[str, ...] = keys, order: list[Any] = order) -> int:
            key = item.get(keys[0]) if keys else item
            return order.index(key) if key in order else len(order)

        merged[name] = sorted(merged[name], key=place)


def _plain(patch: dict[str, Any]) -> dict[str, Any]:
    return {key: clone(value) for key, value in patch.items() if not key.startswith("$")}
