"""Watching: what a request selects, as a stream of events, until its time is up or the client goes.

An object that stops being selected is DELETED for the watcher, one that starts is ADDED.
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from platform_pipelines.local.kube import faults, reads, selectors, tables
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.history import Change
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.requests import Request
from platform_pipelines.local.kube.selectors import FieldSelector, LabelSelector
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.kube.tables import Form

Event = dict[str, Any]

_DEFAULT_SECONDS = 1800.0
_BOOKMARK_SECONDS = 60.0
_ENDED = {"k8s.io/initial-events-end": "true"}


class Watch:
    """One watch. Made before the answer begins, so that a bad request gets a status of its own."""

    def __init__(self, store: Store, request: Request) -> None:
        """Raises: KubeFault, when the request is wrong."""
        query = request.query
        self._store = store
        self._request = request
        self._labels: LabelSelector = selectors.parse_labels(query.get("labelSelector", ""))
        self._fields: FieldSelector = selectors.parse_fields(
            request.target.kind, query.get("fieldSelector", "")
        )
        self._form = tables.form_of(request.headers.get("accept", ""))
        self._initial = request.flag("sendInitialEvents")
        self._asked = reads.asked_version(request)
        if self._asked and self._asked > store.version:
            raise faults.too_large_version(self._asked, store.version)
        self._version = self._asked or store.version
        self._bookmarks = request.flag("allowWatchBookmarks")
        seconds = query.get("timeoutSeconds", "")
        self._seconds = float(seconds) if seconds.isdigit() else _DEFAULT_SECONDS

    async def events(self) -> AsyncIterator[list[Event]]:
        """Batches of events. The stream ends by itself after `timeoutSeconds` of real time."""
        ends = time.monotonic() + self._seconds
        if not self._asked or self._initial:
            yield list(self._first())
        while (left := ends - time.monotonic()) > 0:
            history = self._store.history
            if not await history.wait(self._version, min(left, _BOOKMARK_SECONDS)):
                if self._bookmarks:
                    yield [self._bookmark({})]
                continue
            try:
                changes = history.after(self._version)
            except KubeFault as fault:
                yield [{"type": "ERROR", "object": fault.body()}]
                return
            self._version = history.latest
            if batch := [event for change in changes for event in self._seen(change)]:
                yield batch

    def _first(self) -> Iterator[Event]:
        """Everything that is there already."""
        target = self._request.target
        self._version = self._store.version
        for obj in self._store.peek_all(target.kind, target.namespace):
            if selectors.selected(obj, self._labels, self._fields):
                yield self._event("ADDED", obj)
        if self._initial:
            yield self._bookmark(_ENDED)

    def _seen(self, change: Change) -> Iterator[Event]:
        """What this watcher is told of a change."""
        target = self._request.target
        if change.kind is not target.kind:
            return
        if target.namespace and change.obj["metadata"]["namespace"] != target.namespace:
            return
        before = change.previous is not None and self._selects(change.previous)
        after = change.type != "DELETED" and self._selects(change.obj)
        if after:
            yield self._event("MODIFIED" if before else "ADDED", change.obj)
        elif before:
            gone = change.previous if change.type != "DELETED" else change.obj
            version = change.obj["metadata"]["resourceVersion"]
            last = {**(gone or {}), "metadata": {**(gone or {})["metadata"]}}
            last["metadata"]["resourceVersion"] = version
            yield self._event("DELETED", last)

    def _selects(self, obj: Obj) -> bool:
        return selectors.selected(obj, self._labels, self._fields)

    def _event(self, event: str, obj: Obj) -> Event:
        match self._form:
            case Form.TABLE:
                version = {"resourceVersion": obj["metadata"]["resourceVersion"]}
                obj = reads.in_table(self._store, self._request, [obj], version)
            case Form.METADATA | Form.METADATA_LIST:
                obj = tables.partial(obj)
        return {"type": event, "object": obj}

    def _bookmark(self, annotations: dict[str, str]) -> Event:
        kind = self._request.target.kind
        metadata: Obj = {"resourceVersion": str(self._version)}
        if annotations:
            metadata["annotations"] = annotations
        obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        return {"type": "BOOKMARK", "object": obj}
