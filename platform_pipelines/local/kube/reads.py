"""Reading through the API: one object, lists with selectors and paging."""

import base64
import binascii
import json
from typing import Any

from platform_pipelines.local.kube import faults, scale, selectors, tables
from platform_pipelines.local.kube.objects import Obj, Objects, key_of
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
    _check_version(store, request)
    found = selected(store, request)
    page, metadata = _page(store, request, found)
    metadata = {"resourceVersion": str(store.version), **metadata}
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
    """What a request's namespace and selectors choose, in order."""
    target, query = request.target, request.query
    labels = selectors.parse_labels(query.get("labelSelector", ""))
    fields = selectors.parse_fields(target.kind, query.get("fieldSelector", ""))
    objects = store.peek_all(target.kind, target.namespace)
    return [obj for obj in objects if selectors.selected(obj, labels, fields)]


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


def _check_version(store: Store, request: Request) -> None:
    asked = asked_version(request)
    if asked is None or "continue" in request.query:
        return
    if asked > store.version:
        raise faults.too_large_version(asked, store.version)
    exact = request.query.get("resourceVersionMatch") == "Exact"
    if exact and asked != store.version:
        raise faults.expired("The resourceVersion for the provided list is too old.")


def _page(store: Store, request: Request, found: Objects) -> tuple[Objects, dict[str, Any]]:
    limit = request.query.get("limit", "0")
    if not limit.isdigit():
        raise faults.bad_request(f"limit: {limit!r} is no number")
    token = request.query.get("continue", "")
    if token:
        after = _after(store, token)
        found = [obj for obj in found if key_of(request.target.kind, obj) > after]
    size = int(limit)
    if not size or len(found) <= size:
        return found, {}
    last = key_of(request.target.kind, found[size - 1])
    remaining = len(found) - size
    return found[:size], {"continue": _token(store, last), "remainingItemCount": remaining}


def _token(store: Store, last: tuple[str, str]) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": store.version, "start": last})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(store: Store, token: str) -> tuple[str, str]:
    """Where the page before this one ended. Raises: KubeFault, when the token is not ours or old."""
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, (namespace, name) = int(found["rv"]), found["start"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise faults.bad_request("continue key is not valid") from None
    if version < store.history.oldest:
        raise faults.expired(
            "The provided continue parameter is too old to display a consistent list result."
        )
    return str(namespace), str(name)
