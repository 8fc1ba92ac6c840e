"""ControllerRevisions: what a StatefulSet's template was, so that a roll can go on and back.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
"""

from collections.abc import Collection

from platform_pipelines.local.kube.controllers.deployments import template_hash
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    name,
    namespace,
    owner_reference,
    uid,
)
from platform_pipelines.local.kube.kinds import CONTROLLER_REVISION
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store

HASH = "controller-revision-hash"


def newest(store: Store, owner: Object) -> Object:
    """The revision of the owner's template as it is now; made if there is none."""
    template = owner["spec"]["template"]
    digest = template_hash(template)
    own = f"{name(owner)}-{digest}"
    found, last = named(store, owner, own), _last(store, owner)
    if found is None:
        return store.create(CONTROLLER_REVISION, _revision(owner, own, digest, last + 1))
    if found["revision"] < last:  # rolled back to
        return store.update(CONTROLLER_REVISION, clone(found) | {"revision": last + 1})
    return found


def named(store: Store, owner: Object, own: str) -> Object | None:
    """A revision of the owner, by name."""
    return next((one for one in _all(store, owner) if name(one) == own), None)


def forget(store: Store, owner: Object, live: Collection[str]) -> None:
    """Drop the oldest revisions beyond the history limit, of those that no pod is of."""
    idle = [one for one in _all(store, owner) if name(one) not in live]
    idle.sort(key=lambda one: int(one["revision"]))
    excess = len(idle) - int(owner["spec"].get("revisionHistoryLimit", 10))
    for one in idle[: max(0, excess)]:
        store.delete(CONTROLLER_REVISION, namespace(one), name(one))


def _all(store: Store, owner: Object) -> list[Object]:
    return store.peek_owned(CONTROLLER_REVISION, uid(owner))


def _last(store: Store, owner: Object) -> int:
    return max((int(one["revision"]) for one in _all(store, owner)), default=0)


def _revision(owner: Object, own: str, digest: str, number: int) -> Object:
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return {
        "metadata": {
            "name": own,
            "namespace": namespace(owner),
            "labels": labels | {"controller.kubernetes.io/hash": digest},
            "ownerReferences": [owner_reference(owner)],
        },
        "data": {"spec": {"template": clone(owner["spec"]["template"]) | {"$patch": "replace"}}},
        "revision": number,
    }
