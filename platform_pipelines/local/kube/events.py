"""Events: what `kubectl describe` and `kubectl get events` tell of what the controllers did.

A recorder follows one store and finds in each change what a controller, the scheduler, a kubelet or
Argo CD would have told; so no controller has to speak for itself. What is told again is counted, and
after an hour without it an event is forgotten.
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

import hashlib
from datetime import timedelta

from platform_pipelines.local.kube.happening import Happening
from platform_pipelines.local.kube.happenings import happenings
from platform_pipelines.local.kube.history import Change
from platform_pipelines.local.kube.kinds import EVENT, NAMESPACE
from platform_pipelines.local.kube.objects import Obj, meta, namespace_of, parse_timestamp
from platform_pipelines.local.kube.store import Store
from platform_pipelines.local.world import World

KEPT = timedelta(hours=1)  # the API server's --event-ttl
SWEEP = 300.0  # AWS-like seconds between two looks for what is to be forgotten
TIMER = "kube.events"


class Recorder:
    """Writes the events of one cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.follow(self._changed)

    def sweep(self) -> None:
        """Forget what was told long ago."""
        since = self._store.time() - KEPT
        for event in self._store.list(EVENT):
            told = event.get("lastTimestamp")
            if told and parse_timestamp(told) < since:
                self._store.delete(EVENT, namespace_of(event), event["metadata"]["name"])

    def _changed(self, change: Change) -> None:
        if change.kind is EVENT:
            return
        for happening in happenings(self._store, change):
            self._tell(happening)

    def _tell(self, happening: Happening) -> None:
        namespace = happening.about["metadata"].get("namespace") or "default"
        home = self._store.peek(NAMESPACE, None, namespace)
        if home is None or meta(home).get("deletionTimestamp"):
            return
        now = self._store.now()
        name = f"{happening.about['metadata']['name']}.{_digest(happening)}"
        known = self._store.get(EVENT, namespace, name)
        if known is None:
            self._store.create(EVENT, _event(happening, namespace, name, now))
        else:
            again = {"count": known["count"] + 1, "lastTimestamp": now}
            self._store.update(EVENT, known | again)


def start(world: World) -> None:
    """Record the events of every cluster in `world.stores`."""
    recorders = {alias: Recorder(store) for alias, store in world.stores.items()}

    def sweep(alias: str) -> None:
        recorders[alias].sweep()
        world.timers.after(SWEEP, TIMER, alias=alias)

    world.timers.on(TIMER, sweep)
    for alias in recorders:
        world.timers.every(SWEEP, TIMER, alias=alias)


def _event(happening: Happening, namespace: str, name: str, now: str) -> Obj:
    source = {"component": happening.component}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": _reference(happening),
        "reason": happening.reason,
        "message": happening.message,
        "source": source | ({"host": happening.host} if happening.host else {}),
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "type": "Warning" if happening.warning else "Normal",
        "eventTime": None,
        "reportingComponent": happening.component,
        "reportingInstance": happening.host,
    }


def _reference(happening: Happening) -> Obj:
    obj = happening.about
    told = {"kind": obj["kind"], "apiVersion": obj["apiVersion"]}
    keys = ("namespace", "name", "uid", "resourceVersion")
    told |= {key: obj["metadata"][key] for key in keys if key in obj["metadata"]}
    return told | ({"fieldPath": happening.field} if happening.field else {})


def _digest(happening: Happening) -> str:
    """What is the same each time that the same is told of the same object."""
    parts = (
        happening.about["metadata"]["uid"],
        happening.component,
        happening.host,
        happening.reason,
        happening.message,
        happening.field,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
