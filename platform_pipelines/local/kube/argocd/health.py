"""Health as Argo CD judges it: of one resource, and of an Application from its resources.

https://argo-cd.readthedocs.io/en/stable/operator-manual/health/
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

HEALTHY, SUSPENDED, PROGRESSING = "Healthy", "Suspended", "Progressing"
MISSING, DEGRADED, UNKNOWN = "Missing", "Degraded", "Unknown"
# The worst last: an Application is as healthy as its worst resource.
ORDER = (HEALTHY, SUSPENDED, PROGRESSING, MISSING, DEGRADED, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A verdict and, where there is one, its reason."""

    status: str
    message: str = ""


FINE = Health(status=HEALTHY)
ABSENT = Health(status=MISSING)


def of_resource(live: Object | None) -> Health:
    """The health of one resource; a kind without a rule of its own is healthy once it is there."""
    if live is None:
        return ABSENT
    if live["metadata"].get("deletionTimestamp"):
        return Health(status=PROGRESSING, message="Pending deletion")
    rule = _RULES.get(live["kind"])
    return rule(live) if rule else FINE


def of_application(resources: Iterable[Health]) -> Health:
    """The worst of the resources; without any it is healthy."""
    return max(resources, key=lambda one: ORDER.index(one.status), default=FINE)


def _deployment(live: Object) -> Health:
    spec, status = live["spec"], live.get("status") or {}
    if spec.get("paused"):
        return Health(status=SUSPENDED, message="Deployment is paused")
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 1):
        return _waiting("observed deployment generation less than desired generation")
    if _reason(status, "Progressing") == "ProgressDeadlineExceeded":
        text = f'Deployment "{live["metadata"]["name"]}" exceeded its progress deadline'
        return Health(status=DEGRADED, message=text)
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        return _waiting(f"{updated} out of {wanted} new replicas have been updated...")
    if total > updated:
        return _waiting(f"{total - updated} old replicas are pending termination...")
    if available < updated:
        return _waiting(f"{available} of {updated} updated replicas are available...")
    return FINE


def _waiting(why: str) -> Health:
    return Health(status=PROGRESSING, message=f"Waiting for rollout to finish: {why}")


def _reason(status: Object, kind: str) -> str:
    conditions = status.get("conditions") or []
    return next((one.get("reason", "") for one in conditions if one["type"] == kind), "")


def _balanced(live: Object) -> Health:
    """An Ingress or a Service of type LoadBalancer: until it has an address it is on its way."""
    balancer = (live.get("status") or {}).get("loadBalancer") or {}
    return FINE if balancer.get("ingress") else Health(status=PROGRESSING)


def _service(live: Object) -> Health:
    return _balanced(live) if live["spec"].get("type") == "LoadBalancer" else FINE


def _claim(live: Object) -> Health:
    phases = {"Bound": HEALTHY, "Pending": PROGRESSING, "Lost": DEGRADED}
    return Health(status=phases.get((live.get("status") or {}).get("phase", ""), PROGRESSING))


_RULES: dict[str, Callable[[Object], Health]] = {
    "Deployment": _deployment,
    "Ingress": _balanced,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
}
