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
    body, flaws = shaped(request.obj(), of_model("V1Eviction"))
    if any(flaw.problem is Problem.TYPE for flaw in flaws):
        raise faults.bad_request("the body of the request is no Eviction")
    options = body.get("deleteOptions") or {}
    dry_run = request.dry_run or options.get("dryRun") == ["All"]
    for budget in _budgets(store, pod):
        _spend(store, budget, target.name, dry_run=dry_run)
    store.delete(
        target.kind,
        target.namespace,
        target.name,
        dry_run=dry_run,
        grace_seconds=options.get("gracePeriodSeconds"),
    )
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _budgets(store: Store, pod: Obj) -> list[Obj]:
    """The budgets that have a say: those of a pod that serves. Raises: KubeFault, for two."""
    if meta(pod).get("deletionTimestamp") or pod["status"].get("phase") != "Running":
        return []
    labels = meta(pod).get("labels") or {}
    found = [
        budget
        for budget in store.list(kinds.POD_DISRUPTION_BUDGET, meta(pod)["namespace"])
        if selectors.of_object(budget["spec"].get("selector") or {}).matches(labels)
    ]
    if len(found) > 1:
        raise faults.internal(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support."
        )
    return found


def _spend(store: Store, budget: Obj, pod: str, *, dry_run: bool) -> None:
    """Take one disruption from a budget; one without status allows none yet. Its controller gives
    it back when it has seen the pod go. Raises: KubeFault, when none is allowed."""
    left = int(budget["status"].get("disruptionsAllowed", 0)) - 1
    if left < 0:
        raise faults.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget."
        )
    gone = (budget["status"].get("disruptedPods") or {}) | {pod: store.now()}
    budget["status"] |= {"disruptionsAllowed": left, "disruptedPods": gone}
    store.update(kinds.POD_DISRUPTION_BUDGET, budget, dry_run=dry_run)
