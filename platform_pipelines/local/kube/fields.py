"""Field paths of objects: who owns which, what differs, merging and taking away by path.

A path is a tuple of elements as `managedFields` writes them: `f:spec`, `k:{"name":"web"}` for an
item of a list with keys, `v:"x"` for an item of a set. Used by server-side apply.
https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from platform_pipelines.local.kube.schema import ANY, Schema, Type

Path = tuple[str, ...]
Tree = dict[str, Any]  # FieldsV1

_PRESENT = object()  # the value of a path that says only that a list has this item
_KEY_DEFAULTS = {"protocol": "TCP"}


def element(item: Any, schema: Schema) -> str:
    """How a path names an item of a merged list."""
    if schema.keys and isinstance(item, dict):
        keys = {key: item.get(key, _KEY_DEFAULTS.get(key)) for key in sorted(schema.keys)}
        keys = {key: value for key, value in keys.items() if value is not None}
        return f"k:{_compact(keys)}"
    return f"v:{_compact(item)}"


def leaves(value: Any, schema: Schema, path: Path = ()) -> dict[Path, Any]:
    """Every path that can have an owner, with its value."""
    if isinstance(value, dict) and value and not schema.atomic:
        found: dict[Path, Any] = {}
        for key, item in value.items():
            found |= leaves(item, schema.field(key) or ANY, (*path, f"f:{key}"))
        return found
    if isinstance(value, list) and value and _merged(schema):
        return _items(value, schema, path)
    return {path: value} if path else {}


def _items(value: list[Any], schema: Schema, path: Path) -> dict[Path, Any]:
    found: dict[Path, Any] = {}
    for item in value:
        place = (*path, element(item, schema))
        found[place] = _PRESENT
        if schema.keys:
            found |= leaves(item, schema.items or ANY, place)
    return found


def merge(old: Any, new: Any, schema: Schema) -> Any:
    """`old` with everything that `new` states."""
    if isinstance(old, dict) and isinstance(new, dict) and not schema.atomic:
        merged = dict(old)
        for key, item in new.items():
            child = schema.field(key) or ANY
            merged[key] = merge(old[key], item, child) if key in old else item
        return merged
    if isinstance(old, list) and isinstance(new, list) and _merged(schema):
        return _merge_items(old, new, schema)
    return new


def _merge_items(old: list[Any], new: list[Any], schema: Schema) -> list[Any]:
    """New items in their order if they are all there is; else the old order, then what is new."""
    before = {element(item, schema): item for item in old}
    stated = {element(item, schema): item for item in new}
    order = stated if before.keys() <= stated.keys() else before | stated
    items = schema.items or ANY
    return [
        merge(before[key], stated[key], items)
        if key in before and key in stated
        else stated.get(key, before.get(key))
        for key in order
    ]


def without(value: Any, schema: Schema, tree: Tree) -> Any:
    """`value` with the paths of `tree` taken away, and what became empty by that."""
    if isinstance(value, dict):
        kept = {
            key: _kept(item, schema.field(key) or ANY, tree.get(f"f:{key}"))
            for key, item in value.items()
        }
        return {key: item for key, item in kept.items() if item is not None}
    if isinstance(value, list) and _merged(schema):
        items = schema.items or ANY
        remaining = (_kept(item, items, tree.get(element(item, schema))) for item in value)
        return [item for item in remaining if item is not None]
    return value


def _kept(item: Any, schema: Schema, tree: Tree | None) -> Any:
    if tree is None:
        return item
    if not tree or "." in tree:
        return None
    return without(item, schema, tree) or None


def to_tree(paths: Iterable[Path]) -> Tree:
    """Paths as `fieldsV1` has them."""
    tree: Tree = {}
    members = set(paths)
    for path in sorted(members):
        node = tree
        for depth, part in enumerate(path, start=1):
            node = node.setdefault(part, {})
            if path[:depth] in members and depth < len(path):
                node.setdefault(".", {})
    return tree


def from_tree(tree: Mapping[str, Any], path: Path = ()) -> set[Path]:
    """The paths of a `fieldsV1`."""
    if not tree:
        return {path} if path else set()
    found: set[Path] = set()
    for key, below in tree.items():
        found |= {path} if key == "." else from_tree(below, (*path, key))
    return found


def readable(path: Path) -> str:
    """As a conflict names a field: `.spec.containers[name="web"].image`."""
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            keys = json.loads(rest)
            text += "[" + ",".join(f"{key}={_compact(keys[key])}" for key in keys) + "]"
        else:
            text += f"[={rest}]"
    return text


def _merged(schema: Schema) -> bool:
    return schema.type is Type.LIST and bool(schema.keys or schema.unique)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
