"""Evicting pods: a delete that a PodDisruptionBudget may refuse.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from platform_pipelines.local.kube import faults, kinds, selectors
from platform_pipelines.local.kube.models import of_model
from platform_pipelines.local.kube.objects import Obj, meta
from platform_pipelines.local.kube.requests import Request
from platform_pipelines.local.kube.shape import Problem, shaped
from platform_pipelines.local.kube.store import Store


def evict(store: Store, request: Request) -> Obj:
    """Delete the pod that a request's path names. Raises: KubeFault, when a budget forbids it."""
    target = request.target
    if target.kind is not kinds.POD or target.subresource != "eviction":
        raise faults.no_such_path()
    pod = store.peek(target.kind, target.namespace, target.name)
    if pod is None:
        raise faults.not_found(target.kind, target.name)
    if _protected(store, pod):
        raise faults.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget."
        )
    body, flaws = shaped(request.obj(), of_model("V1Eviction"))
    if any(flaw.problem is Problem.TYPE for flaw in flaws):
        raise faults.bad_request("the body of the request is no Eviction")
    dry_run = request.dry_run or body.get("deleteOptions", {}).get("dryRun") == ["All"]
    store.delete(target.kind, target.namespace, target.name, dry_run=dry_run)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _protected(store: Store, pod: Obj) -> bool:
    """Whether a budget of this pod allows no disruption now. One without status allows none yet."""
    labels = meta(pod).get("labels") or {}
    return any(
        selectors.of_object(budget["spec"].get("selector") or {}).matches(labels)
        and budget.get("status", {}).get("disruptionsAllowed", 0) < 1
        for budget in store.peek_all(kinds.POD_DISRUPTION_BUDGET, meta(pod)["namespace"])
    )
