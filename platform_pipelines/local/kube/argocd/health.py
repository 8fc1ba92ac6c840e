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


_BROKEN_SCALING = (
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "InvalidSelector"),
)
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


def _stateful_set(live: Object) -> Health:
    spec, status = live["spec"], live.get("status") or {}
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 1):
        text = "Waiting for statefulset spec update to be observed..."
        return Health(status=PROGRESSING, message=text)
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        text = f"Waiting for {wanted - ready} pods to be ready..."
        return Health(status=PROGRESSING, message=text)
    strategy, updated = spec.get("updateStrategy") or {}, status.get("updatedReplicas", 0)
    least = wanted - (strategy.get("rollingUpdate") or {}).get("partition", 0)
    if strategy.get("type") != "OnDelete" and updated < least:
        text = f"{updated} out of {least} new pods have been updated..."
        message = f"Waiting for partitioned roll out to finish: {text}"
        return Health(status=PROGRESSING, message=message)
    return FINE


def _daemon_set(live: Object) -> Health:
    status, own = live.get("status") or {}, live["metadata"]["name"]
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 1):
        return _waiting("observed daemon set generation less than desired generation")
    if (live["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return FINE
    wanted, updated = status["desiredNumberScheduled"], status.get("updatedNumberScheduled", 0)
    available, whose = status.get("numberAvailable", 0), f'Waiting for daemon set "{own}" rollout'
    if updated < wanted:
        text = f"{updated} out of {wanted} new pods have been updated..."
        return Health(status=PROGRESSING, message=f"{whose} to finish: {text}")
    if available < wanted:
        text = f"{available} of {wanted} updated pods are available..."
        return Health(status=PROGRESSING, message=f"{whose} to finish: {text}")
    return FINE


def _job(live: Object) -> Health:
    told = {one["type"]: one for one in (live.get("status") or {}).get("conditions") or []}
    states = {"Failed": DEGRADED, "Complete": HEALTHY, "Suspended": SUSPENDED}
    for kind, state in states.items():
        if told.get(kind, {}).get("status") == "True":
            return Health(status=state, message=told[kind].get("message", ""))
    return Health(status=PROGRESSING)


def _autoscaler(live: Object) -> Health:
    told = (live.get("status") or {}).get("conditions") or []
    for one in told:
        if (one["type"], one.get("reason")) in _BROKEN_SCALING:
            return Health(status=DEGRADED, message=one.get("message", ""))
    if any(one["status"] == "True" for one in told):
        return FINE
    return Health(status=PROGRESSING, message="Waiting to Autoscale")


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
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "HorizontalPodAutoscaler": _autoscaler,
    "Ingress": _balanced,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
}
