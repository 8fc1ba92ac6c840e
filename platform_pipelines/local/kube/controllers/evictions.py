"""Who has to leave a node: pods that do not tolerate its NoExecute taints, and pods of one that goes.

The taint manager lets a pod stay as long as it tolerates; pods that say nothing tolerate a silent
node for five minutes, as the API's admission has them do. A node that its group takes away is
drained first, and a disruption budget holds that up until the node goes anyway.
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from typing import ClassVar

from platform_pipelines.local.kube import selectors
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.nodes import LEAVES_AT
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    annotations,
    deleting,
    labels,
    name,
    namespace,
    unix_of,
    with_condition,
)
from platform_pipelines.local.kube.controllers.placement import tolerates
from platform_pipelines.local.kube.kinds import NODE, POD, POD_DISRUPTION_BUDGET, Kind

PATIENCE = 300.0  # seconds that a pod tolerates a silent node if it says nothing about it
BY_DEFAULT = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


class Evictions(Controller):
    """The evictions of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({NODE, POD, POD_DISRUPTION_BUDGET})

    def reconcile(self) -> None:
        nodes = {name(node): node for node in self.store.peek_all(NODE)}
        for pod in self.store.peek_all(POD):
            node = nodes.get(pod["spec"].get("nodeName", ""))
            if node is None or deleting(pod):
                continue
            if LEAVES_AT in annotations(node):
                self._drain(pod)
            else:
                self._bear(pod, node)

    def _bear(self, pod: Object, node: Object) -> None:
        """Let a pod stay as long as it tolerates what its node has."""
        now = self.cluster.now()
        for taint in (node.get("spec") or {}).get("taints") or []:
            if taint["effect"] != "NoExecute":
                continue
            patience = tolerated_for(pod, taint)
            left = patience - (now - unix_of(taint.get("timeAdded", self.cluster.timestamp())))
            if left <= 0:
                self._evict(pod)
                return
            if patience != float("inf"):
                self.cluster.wake(self, left)

    def _evict(self, pod: Object) -> None:
        """Delete it, and say why on the pod: its kubelet may be silent for long."""
        why = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
        }
        status = pod.get("status") or {}
        told = with_condition(status.get("conditions") or [], why, self.cluster.timestamp())
        self.cluster.set_status(POD, pod, status | {"conditions": told})
        self.cluster.delete(POD, pod)

    def _drain(self, pod: Object) -> None:
        owners = pod["metadata"].get("ownerReferences") or []
        if any(owner["kind"] == "DaemonSet" for owner in owners):
            return
        budgets = self._budgets(pod)
        if all(_allowed(budget) for budget in budgets):
            for budget in budgets:
                self._spend(budget)
            self.cluster.delete(POD, pod)

    def _budgets(self, pod: Object) -> list[Object]:
        return [
            budget
            for budget in self.store.peek_all(POD_DISRUPTION_BUDGET, namespace(pod))
            if selectors.of_object(budget["spec"].get("selector") or {}).matches(labels(pod))
        ]

    def _spend(self, budget: Object) -> None:
        """One disruption less, until the budget is counted again."""
        status = budget["status"] | {"disruptionsAllowed": _allowed(budget) - 1}
        self.cluster.set_status(POD_DISRUPTION_BUDGET, budget, status)


def _allowed(budget: Object) -> int:
    return int((budget.get("status") or {}).get("disruptionsAllowed", 0))


def tolerated_for(pod: Object, taint: Object) -> float:
    """Seconds that a pod bears a NoExecute taint; infinite for one that it does not mind."""
    named = [one for one in pod["spec"].get("tolerations") or [] if tolerates(one, taint)]
    if not named:
        return PATIENCE if taint["key"] in BY_DEFAULT else 0.0
    limits = [one["tolerationSeconds"] for one in named if one.get("tolerationSeconds") is not None]
    return float(min(limits)) if limits else float("inf")
