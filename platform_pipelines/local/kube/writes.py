"""Writing through the API: create, replace, patch, apply, delete, and their subresources.

Each function returns what is answered; nothing is stored by a dry run.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from platform_pipelines.local.kube import (
    admission,
    eviction,
    faults,
    kinds,
    patch,
    reads,
    scale,
    ssa,
)
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.names import invalid
from platform_pipelines.local.kube.objects import Obj, clone, meta, name_of, namespace_of
from platform_pipelines.local.kube.patch import PatchType
from platform_pipelines.local.kube.requests import Request
from platform_pipelines.local.kube.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The answer to a write."""

    obj: Obj
    status: HTTPStatus = HTTPStatus.OK
    warnings: list[str] = field(default_factory=list)


def create(store: Store, request: Request) -> Written:
    """Store a new object. Raises: KubeFault."""
    target = request.target
    kind = target.kind
    if target.subresource:
        return Written(obj=eviction.evict(store, request), status=HTTPStatus.CREATED)
    body, warnings = _body(request, request.obj())
    if kind.status and kind is not kinds.NODE:
        body.pop("status", None)
    _unversioned(body)
    admission.check(kind, body, None)
    new = ssa.updated(kind, None, body, request.manager, store.now())
    created = store.create(kind, new, dry_run=request.dry_run)
    return Written(obj=created, status=HTTPStatus.CREATED, warnings=warnings)


def update(store: Store, request: Request) -> Written:
    """Replace an object, or one side of it. Raises: KubeFault."""
    target = request.target
    old = _existing(store, request)
    if target.subresource == "scale":
        return _write_scale(store, request, old, request.obj())
    body, warnings = _body(request, request.obj())
    if target.kind.custom and not meta(body).get("resourceVersion"):
        cause = invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise faults.invalid(target.kind, target.name, [cause])
    return _replace(store, request, old, body, warnings)


def patch_object(store: Store, request: Request) -> Written:
    """Patch an object, or apply to it. Raises: KubeFault."""
    kind = request.target.kind
    if request.content_type not in patch.types_of(kind):
        raise faults.unsupported_media_type(patch.types_of(kind))
    patch_type = PatchType(request.content_type)
    if patch_type is PatchType.APPLY:
        return _apply(store, request)
    old = _existing(store, request)
    if request.target.subresource == "scale":
        view = _patched(kind, scale.view(old), request, patch_type)
        return _write_scale(store, request, old, view)
    new, warnings = _body(request, _patched(kind, old, request, patch_type))
    return _replace(store, request, old, new, warnings)


def delete(store: Store, request: Request) -> Written:
    """Delete an object; with finalizers it is only marked. Raises: KubeFault."""
    target, options = request.target, request.options()
    old = _existing(store, request)
    for name, wanted in (options.get("preconditions") or {}).items():
        if wanted and wanted != meta(old).get(name):
            why = f"Precondition failed: {name} in precondition: {wanted}, in object meta: {meta(old).get(name)}"
            raise faults.conflict(target.kind, target.name, why)
    last = _delete(store, request, options, namespace_of(old), name_of(old))
    if store.peek(target.kind, target.namespace, target.name) is not None:
        return Written(obj=last)
    return Written(obj=_success(target.kind, last))


def delete_collection(store: Store, request: Request) -> Written:
    """Delete all that a request selects, and answer their list. Raises: KubeFault."""
    options = request.options()
    kind = request.target.kind
    answer = reads.list_objects(store, request)
    for obj in reads.selected(store, request):
        _delete(store, request, options, namespace_of(obj), name_of(obj))
    return Written(obj={**answer, "kind": kind.list_kind})


def _delete(
    store: Store, request: Request, options: dict[str, Any], namespace: str, name: str
) -> Obj:
    policy = options.get("propagationPolicy") or request.query.get("propagationPolicy")
    orphan = policy == "Orphan" or options.get("orphanDependents") is True
    dry_run = request.dry_run or options.get("dryRun") == ["All"]
    return store.delete(
        request.target.kind,
        namespace,
        name,
        orphan=orphan,
        dry_run=dry_run,
        grace_seconds=request.grace_seconds(options),
    )


def _existing(store: Store, request: Request) -> Obj:
    target = request.target
    allowed = {"": True, "status": target.kind.status, "scale": target.kind.scale}
    if not allowed.get(target.subresource, False):
        raise faults.no_such_path()
    found = store.peek(target.kind, target.namespace, target.name)
    if found is None:
        raise faults.not_found(target.kind, target.name)
    return found


def _body(request: Request, obj: Obj) -> tuple[Obj, list[str]]:
    """The object of a request's body, as it is kept; its names must be those of the path."""
    target = request.target
    kind = target.kind
    for key, wanted in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        if obj.setdefault(key, wanted) != wanted:
            raise faults.bad_request(
                f"the {key} in the data ({obj[key]}) does not match the expected {key} ({wanted})"
            )
    new, warnings = admission.decode(kind, obj, request.strictness)
    metadata = new.setdefault("metadata", {})
    if target.name and metadata.setdefault("name", target.name) != target.name:
        raise faults.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL "
            f"({target.name})"
        )
    if kind.namespaced:
        wanted = target.namespace or "default"
        if metadata.setdefault("namespace", wanted) != wanted:
            raise faults.bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
    return new, warnings


def _unversioned(body: Obj) -> None:
    if meta(body).pop("resourceVersion", None):
        raise faults.bad_request("resourceVersion should not be set on objects to be created")


def _patched(kind: Kind, obj: Obj, request: Request, patch_type: PatchType) -> Obj:
    return patch.patched(kind, obj, request.document(), patch_type)


def _replace(store: Store, request: Request, old: Obj, body: Obj, warnings: list[str]) -> Written:
    target = request.target
    kind = target.kind
    stale = meta(body).get("resourceVersion")
    if stale and stale != meta(old)["resourceVersion"]:
        raise faults.modified(kind, target.name)
    wanted_uid = meta(body).get("uid")
    if wanted_uid and wanted_uid != meta(old)["uid"]:
        why = f"Precondition failed: UID in precondition: {wanted_uid}, UID in object meta: {meta(old)['uid']}"
        raise faults.conflict(kind, target.name, why)
    new = _side(kind, old, body, target.subresource)
    admission.check(kind, new, old)
    new = ssa.updated(kind, old, new, request.manager, store.now(), subresource=target.subresource)
    return Written(obj=store.update(kind, new, dry_run=request.dry_run), warnings=warnings)


def _side(kind: Kind, old: Obj, body: Obj, subresource: str) -> Obj:
    """What a write to this (sub)resource may change: the status, or all but it."""
    if subresource == "status":
        return {**clone(old), "status": body.get("status", {})}
    if not kind.status:
        return body
    kept = {"status": clone(old["status"])} if "status" in old else {}
    return {key: value for key, value in body.items() if key != "status"} | kept


def _write_scale(store: Store, request: Request, old: Obj, wanted: Obj) -> Written:
    kind = request.target.kind
    new = scale.scaled(kind, old, wanted)
    new = ssa.updated(kind, old, new, request.manager, store.now(), subresource="scale")
    return Written(obj=scale.view(store.update(kind, new, dry_run=request.dry_run)))


def _apply(store: Store, request: Request) -> Written:
    target = request.target
    if not request.query.get("fieldManager"):
        raise faults.bad_request(
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required '
            "for apply patch"
        )
    if target.subresource not in ("", "status") or (target.subresource and not target.kind.status):
        raise faults.no_such_path()
    config, warnings = _body(request, _stated(request))
    known = store.peek(target.kind, target.namespace, target.name)
    if known is None and target.subresource:
        raise faults.not_found(target.kind, target.name)
    obj = store.apply(
        config,
        request.manager,
        force=request.flag("force"),
        subresource=target.subresource,
        dry_run=request.dry_run,
    )
    status = HTTPStatus.CREATED if known is None else HTTPStatus.OK
    return Written(obj=obj, status=status, warnings=warnings)


def _stated(request: Request) -> Obj:
    config = request.document()
    if not isinstance(config, dict):
        raise faults.bad_request("the applied configuration is no object")
    for key in ("apiVersion", "kind"):
        if not config.get(key):
            raise faults.bad_request(f"Object '{key}' is missing in the applied configuration")
    return config


def _success(kind: Kind, last: Obj) -> Obj:
    details = {"name": name_of(last), "kind": kind.plural, "uid": meta(last)["uid"]}
    if kind.group:
        details["group"] = kind.group
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }
