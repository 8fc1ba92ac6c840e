"""What every controller that owns pods needs: finding them, making them, and how far they are."""

from collections.abc import Iterable

from platform_pipelines.local.kube.controllers.objects import (
    Object,
    condition,
    controller_uid,
    deleting,
    is_true,
    name,
    namespace,
    owner_reference,
    uid,
    unix_of,
)
from platform_pipelines.local.kube.kinds import POD
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store

OVER = ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    """How far a pod is."""
    text: str = (pod.get("status") or {}).get("phase", "Pending")
    return text


def owned(store: Store, owner: Object) -> list[Object]:
    """All pods of an owner, also those that go."""
    found = store.peek_owned(POD, uid(owner))
    return [pod for pod in found if controller_uid(pod) == uid(owner)]


def active(pods: Iterable[Object]) -> list[Object]:
    """Those that neither go nor have ended."""
    return [pod for pod in pods if not deleting(pod) and phase(pod) not in OVER]


def ready_for(pod: Object, now: float) -> float:
    """Seconds that a pod has been ready; negative if it is not."""
    ready = condition(pod, "Ready")
    if ready is None or not is_true(pod, "Ready"):
        return -1.0
    return now - unix_of(ready["lastTransitionTime"])


def from_template(owner: Object, template: Object) -> Object:
    """A new pod of an owner, to be changed and created."""
    template = clone(template)
    metadata = template.get("metadata") or {}
    return {
        "metadata": {
            "generateName": f"{name(owner)}-",
            "namespace": namespace(owner),
            "labels": metadata.get("labels") or {},
            "annotations": metadata.get("annotations") or {},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": template["spec"],
    }
