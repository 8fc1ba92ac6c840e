"""Reading through the API: one object, lists with selectors."""

from typing import Any

from platform_pipelines.local.kube import faults, pages, scale, selectors, tables
from platform_pipelines.local.kube.objects import Obj, Objects
from platform_pipelines.local.kube.requests import Request
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.kube.tables import Form


def get(store: Store, request: Request) -> Obj:
    """One object, or a view of it. Raises: KubeFault, when there is none."""
    target = request.target
    found = store.peek(target.kind, target.namespace, target.name)
    if found is None:
        raise faults.not_found(target.kind, target.name)
    if target.subresource == "scale" and target.kind.scale:
        return scale.view(found)
    if target.subresource and not (target.subresource == "status" and target.kind.status):
        raise faults.no_such_path()
    match tables.form_of(request.headers.get("accept", "")):
        case Form.TABLE:
            return in_table(store, request, [found], {"resourceVersion": _version(found)})
        case Form.METADATA:
            return tables.partial(found)
    return found


def list_objects(store: Store, request: Request) -> Obj:
    """The objects that a request selects, or a page of them. Raises: KubeFault."""
    kind = request.target.kind
    page, metadata = pages.page(request, *_chosen(store, request))
    match tables.form_of(request.headers.get("accept", "")):
        case Form.TABLE:
            return in_table(store, request, page, metadata)
        case Form.METADATA_LIST | Form.METADATA:
            return tables.partial_list(page, metadata)
    return {
        "kind": kind.list_kind,
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": page,
    }


def selected(store: Store, request: Request) -> Objects:
    """What a request's namespace and selectors choose now, in order."""
    target = request.target
    return _selection(request, store.peek_all(target.kind, target.namespace))


def in_table(store: Store, request: Request, objects: Objects, metadata: dict[str, Any]) -> Obj:
    """Objects as the rows of a Table."""
    include = request.query.get("includeObject", "Metadata")
    return tables.table(request.target.kind, objects, metadata, store.time(), include)


def asked_version(request: Request) -> int | None:
    """The resourceVersion of a query; None for any. Raises: KubeFault, when it is no number."""
    text = request.query.get("resourceVersion", "")
    if not text.isdigit() and text:
        raise faults.bad_request(
            f'resourceVersion: Invalid value: "{text}": invalid resource version'
        )
    return int(text) if text else None


def _version(obj: Obj) -> str:
    return str(obj["metadata"]["resourceVersion"])


def _chosen(store: Store, request: Request) -> tuple[Objects, int]:
    """What a list shows, and as of which version: now, or at the one that its query means."""
    target = request.target
    version = pages.version(store, request, asked_version(request))
    if version == store.version:
        return selected(store, request), version
    objects = store.snapshot(target.kind, target.namespace, version)
    return _selection(request, objects), version


def _selection(request: Request, objects: Objects) -> Objects:
    query = request.query
    labels = selectors.parse_labels(query.get("labelSelector", ""))
    fields = selectors.parse_fields(request.target.kind, query.get("fieldSelector", ""))
    return [obj for obj in objects if selectors.selected(obj, labels, fields)]
