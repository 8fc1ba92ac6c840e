"""Server-side apply: merging what a manager states, and remembering who owns which field.

`applied` is an apply, `updated` the bookkeeping of every other write. Both return the object with
its new managedFields; neither stores it.
https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from platform_pipelines.local.kube import custom, faults, fields
from platform_pipelines.local.kube.faults import Cause, KubeFault
from platform_pipelines.local.kube.fields import Path
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, clone, meta

_UNOWNED = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
_BEFORE = "before-first-apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Who writes, and how."""

    name: str
    operation: str  # Apply or Update
    api_version: str
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What a manager owns, and since when."""

    paths: frozenset[Path]
    time: str = field(compare=False)


Managers = dict[Manager, Owned]


def applied(
    kind: Kind,
    live: Obj | None,
    config: Obj,
    manager: str,
    now: str,
    *,
    force: bool,
    subresource: str = "",
) -> Obj:
    """What becomes of `live` when `manager` applies `config`.

    Raises: KubeFault, when it would take fields from other managers without `force`.
    """
    if meta(config).get("managedFields"):
        raise faults.bad_request("metadata.managedFields must be nil")
    who = Manager(
        name=manager, operation="Apply", api_version=kind.api_version, subresource=subresource
    )
    stated = _leaves(kind, config, subresource)
    managers = _managers(live)
    if live is not None and not managers:
        managers[_before(kind)] = Owned(paths=frozenset(_leaves(kind, live, "")), time=now)
    merged = _merged(kind, live or {}, config, stated.keys(), managers, who)
    if live is not None:
        changed, removed = _difference(kind, live, merged, subresource)
        others = {other: owned for other, owned in managers.items() if other != who}
        if not force:
            _refuse_conflicts(others, changed)
        managers = _lose(others, changed | removed) | {
            other: owned for other, owned in managers.items() if other == who
        }
    _own(managers, who, frozenset(stated), now)
    return _with(merged, managers)


def updated(
    kind: Kind, live: Obj | None, new: Obj, manager: str, now: str, *, subresource: str = ""
) -> Obj:
    """`new` with the managedFields that follow when `manager` writes it over `live`."""
    who = Manager(
        name=manager, operation="Update", api_version=kind.api_version, subresource=subresource
    )
    stated = meta(new).get("managedFields")
    managers = _decode(stated) if stated else _managers(live)
    changed, removed = _difference(kind, live or {}, new, subresource)
    if changed or removed:
        own = managers.get(who, Owned(paths=frozenset(), time=now)).paths
        others = {other: owned for other, owned in managers.items() if other != who}
        managers = _lose(others, changed | removed)
        _own(managers, who, (own | changed) - removed, now)
    return _with(new, managers)


def _before(kind: Kind) -> Manager:
    return Manager(name=_BEFORE, operation="Update", api_version=kind.api_version)


def _merged(
    kind: Kind,
    live: Obj,
    config: Obj,
    stated: Iterable[Path],
    managers: Managers,
    who: Manager,
) -> Obj:
    """`live` with `config`, without what `who` once applied, no longer states and owns alone."""
    schema = custom.of_kind(kind)
    merged: Obj = fields.merge(live, config, schema)
    last = managers[who].paths if who in managers else frozenset()
    kept = {
        path[:depth]
        for other, owned in managers.items()
        if other != who
        for path in owned.paths
        for depth in range(1, len(path) + 1)
    }
    gone = last - set(stated) - kept
    if gone:
        merged = fields.without(merged, schema, fields.to_tree(gone))
    return clone(merged)


def _leaves(kind: Kind, obj: Mapping[str, Any], subresource: str) -> dict[Path, Any]:
    """The paths that a write through this (sub)resource can own."""
    metadata = {key: value for key, value in meta(obj).items() if key not in _UNOWNED}
    ownable = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    ownable["metadata"] = metadata
    if subresource == "status":
        ownable = {"status": obj.get("status", {})}
    elif kind.status:
        ownable.pop("status", None)
    found = fields.leaves(ownable, custom.of_kind(kind))
    return {
        path: value for path, value in found.items() if len(path) > 1 or value not in ({}, None)
    }


def _difference(
    kind: Kind, live: Obj, new: Obj, subresource: str
) -> tuple[frozenset[Path], frozenset[Path]]:
    """The paths that changed or came, and those that went."""
    before, after = _leaves(kind, live, subresource), _leaves(kind, new, subresource)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    return frozenset(changed), frozenset(before.keys() - after.keys())


def _refuse_conflicts(others: Managers, changed: frozenset[Path]) -> None:
    lost = {other: sorted(owned.paths & changed) for other, owned in others.items()}
    lost = {other: paths for other, paths in lost.items() if paths}
    if not lost:
        return
    causes, told = [], []
    for other, paths in lost.items():
        who = f'conflict with "{other.name}"'
        if other.subresource:
            who += f' with subresource "{other.subresource}"'
        if other.operation == "Update":
            who += f" using {other.api_version}"
        names = [fields.readable(path) for path in paths]
        causes += [Cause(reason="FieldManagerConflict", message=who, field=name) for name in names]
        plural = "\n- " + "\n- ".join(names)
        told.append(
            f"{who}: {names[0]}"
            if len(names) == 1
            else f"{who.replace('conflict', 'conflicts', 1)}:{plural}"
        )
    noun = "conflict" if len(causes) == 1 else "conflicts"
    message = f"Apply failed with {len(causes)} {noun}: " + "\n".join(told)
    details = {"causes": [cause.body() for cause in causes]}
    raise KubeFault(HTTPStatus.CONFLICT, "Conflict", message, details)


def _lose(managers: Managers, paths: frozenset[Path]) -> Managers:
    return {
        manager: Owned(paths=owned.paths - paths, time=owned.time)
        for manager, owned in managers.items()
        if owned.paths - paths
    }


def _own(managers: Managers, who: Manager, paths: frozenset[Path], now: str) -> None:
    """Record what `who` owns now; the time moves only when that changed."""
    before = managers.pop(who, None)
    if before is not None and before.paths == paths:
        managers[who] = before
    elif paths:
        managers[who] = Owned(paths=paths, time=now)


def _managers(obj: Obj | None) -> Managers:
    return _decode(meta(obj or {}).get("managedFields") or [])


def _decode(entries: list[dict[str, Any]]) -> Managers:
    return {
        Manager(
            name=entry.get("manager", ""),
            operation=entry.get("operation", "Update"),
            api_version=entry.get("apiVersion", ""),
            subresource=entry.get("subresource", ""),
        ): Owned(
            paths=frozenset(fields.from_tree(entry.get("fieldsV1") or {})),
            time=entry.get("time", ""),
        )
        for entry in entries
        if entry
    }


def _with(obj: Obj, managers: Managers) -> Obj:
    entries = [_encode(manager, owned) for manager, owned in managers.items()]
    entries.sort(key=lambda entry: (entry["operation"], entry["time"], entry["manager"]))
    metadata = {key: value for key, value in meta(obj).items() if key != "managedFields"}
    return {**obj, "metadata": metadata | ({"managedFields": entries} if entries else {})}


def _encode(manager: Manager, owned: Owned) -> dict[str, Any]:
    entry = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields.to_tree(owned.paths),
    }
    return entry | ({"subresource": manager.subresource} if manager.subresource else {})
