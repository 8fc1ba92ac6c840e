"""PodDisruptionBudgets tell how many pods may be evicted now.

https://kubernetes.io/docs/tasks/run-application/configure-pdb/
"""

from typing import ClassVar

from platform_pipelines.local.kube import selectors
from platform_pipelines.local.kube.controllers import pods
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    controller_uid,
    deleting,
    is_true,
    labels,
    name,
    namespace,
    percent,
    uid,
    unix_of,
    with_condition,
)
from platform_pipelines.local.kube.kinds import (
    DAEMON_SET,
    JOB,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    STATEFUL_SET,
    Kind,
)

OWNERS = (REPLICA_SET, STATEFUL_SET, DAEMON_SET, JOB)
DELETION_TIMEOUT = 120.0  # seconds until an evicted pod that is still there counts again


class DisruptionBudgets(Controller):
    """The PodDisruptionBudgets of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        {POD_DISRUPTION_BUDGET, POD, REPLICA_SET, STATEFUL_SET}
    )

    def reconcile(self) -> None:
        for budget in self.store.peek_all(POD_DISRUPTION_BUDGET):
            if not deleting(budget):
                self._one(budget)

    def _one(self, budget: Object) -> None:
        selector = selectors.of_object(budget["spec"].get("selector") or {})
        there = [
            pod
            for pod in self.store.peek_all(POD, namespace(budget))
            if selector.matches(labels(pod)) and pods.phase(pod) not in pods.OVER
        ]
        expected = self._expected(there, budget["spec"])
        leaving = self._leaving(budget, there)
        healthy = sum(
            is_true(pod, "Ready") and not deleting(pod) and name(pod) not in leaving
            for pod in there
        )
        desired = _desired(budget["spec"], expected)
        allowed = max(0, healthy - desired) if expected else 0
        status = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 1),
            "conditions": self._conditions(budget, allowed),
            **({"disruptedPods": leaving} if leaving else {}),
        }
        self.cluster.set_status(POD_DISRUPTION_BUDGET, budget, status)

    def _leaving(self, budget: Object, there: list[Object]) -> dict[str, str]:
        """The pods that were evicted and are not marked for deletion yet, and when. One that stays
        for long counts again."""
        known = {name(pod) for pod in there if not deleting(pod)}
        told: dict[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
        left = {
            pod: unix_of(since) + DELETION_TIMEOUT - self.cluster.now()
            for pod, since in told.items()
            if pod in known
        }
        for seconds in left.values():
            if seconds > 0:
                self.cluster.wake(self, seconds)
        return {pod: told[pod] for pod, seconds in left.items() if seconds > 0}

    def _expected(self, there: list[Object], spec: Object) -> int:
        """How many pods their owners want; a pod without an owner wants itself. A budget that names
        a number of pods asks nobody."""
        if str(spec.get("minAvailable", "")).isdecimal():
            return len(there)
        owners = {controller_uid(pod) for pod in there} - {None}
        wanted = 0
        for kind in OWNERS:
            found = [one for one in self.store.peek_all(kind) if uid(one) in owners]
            wanted += sum(int(one["spec"].get("replicas", 0)) for one in found)
        return wanted + sum(controller_uid(pod) is None for pod in there)

    def _conditions(self, budget: Object, allowed: int) -> list[Object]:
        told = (budget.get("status") or {}).get("conditions") or []
        new = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        return with_condition(told, new, self.cluster.timestamp())


def _desired(spec: Object, expected: int) -> int:
    if "maxUnavailable" in spec:
        return max(0, expected - percent(spec["maxUnavailable"], expected, up=True))
    return percent(spec.get("minAvailable", 1), expected, up=True)
