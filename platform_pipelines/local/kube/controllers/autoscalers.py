"""HorizontalPodAutoscalers of a cluster without metrics, as one is that has no metrics server: they say
so, and keep their target within its bounds.

https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
"""

from typing import ClassVar

from platform_pipelines.local.kube import kinds
from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    counters,
    deleting,
    namespace,
    with_condition,
)
from platform_pipelines.local.kube.kinds import (
    DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER,
    REPLICA_SET,
    STATEFUL_SET,
    Kind,
)
from platform_pipelines.local.kube.objects import clone

_FOUND = "the HPA controller was able to get the target's current scale"
_NOT_COMPUTED = "the HPA was unable to compute the replica count: "
_DISABLED = "scaling is disabled since the replica count of the target is zero"
_MISSING = "the server could not find the requested resource"
_NO_METRICS = (
    "unable to get metrics for resource {resource}: unable to fetch metrics from resource metrics "
    f"API: {_MISSING} (get pods.metrics.k8s.io)"
)
_NO_OTHERS = (
    "unable to get metric {metric}: unable to fetch metrics from {source} metrics API: no known "
    "available metric versions found"
)
_RESOURCES = {"Resource": "resource", "ContainerResource": "containerResource"}


class Autoscalers(Controller):
    """The HorizontalPodAutoscalers of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        {HORIZONTAL_POD_AUTOSCALER, DEPLOYMENT, REPLICA_SET, STATEFUL_SET}
    )

    def reconcile(self) -> None:
        for autoscaler in self.store.peek_all(HORIZONTAL_POD_AUTOSCALER):
            if not deleting(autoscaler):
                self._one(autoscaler)

    def _one(self, autoscaler: Object) -> None:
        reference = autoscaler["spec"]["scaleTargetRef"]
        kind = kinds.by_kind(reference.get("apiVersion", ""), reference["kind"])
        target = None
        if kind is not None and kind.scale:
            target = self.store.peek(kind, namespace(autoscaler), reference["name"])
        if kind is None or target is None:
            self._tell(autoscaler, {}, _lost(kind, reference))
            return
        current = int(target["spec"].get("replicas", 1))
        wanted = _within(autoscaler["spec"], current)
        if wanted != current:
            scaled = clone(target)
            scaled["spec"]["replicas"] = wanted
            self.store.update(kind, scaled)
        there = (target.get("status") or {}).get("replicas", 0)
        self._tell(
            autoscaler,
            _counts(autoscaler, current, wanted, there),
            _said(autoscaler["spec"], current, wanted),
        )

    def _tell(self, autoscaler: Object, counts: Object, said: list[Object]) -> None:
        status = autoscaler.get("status") or {}
        told, now = status.get("conditions") or [], self.cluster.timestamp()
        for one in said:
            told = with_condition(told, one, now)
        seen = autoscaler["metadata"].get("generation")
        more = {"observedGeneration": seen} if seen is not None else {}
        self.cluster.set_status(
            HORIZONTAL_POD_AUTOSCALER, autoscaler, status | more | counts | {"conditions": told}
        )


def _within(spec: Object, current: int) -> int:
    """The target's replicas within the bounds; one that was scaled to zero is left alone."""
    least, most = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
    return current if not current and least else min(max(current, least), most)


def _counts(autoscaler: Object, current: int, wanted: int, there: int) -> Object:
    before = int((autoscaler.get("status") or {}).get("desiredReplicas", 0))
    desired = wanted if wanted != current or not current else before
    return {"desiredReplicas": desired, **counters(currentReplicas=int(there))}


def _said(spec: Object, current: int, wanted: int) -> list[Object]:
    if not current and not wanted:
        return [_able("SucceededGetScale", _FOUND), _inactive("ScalingDisabled", _DISABLED)]
    if wanted != current:
        message = f"the HPA controller was able to update the target scale to {wanted}"
        return [_able("SucceededRescale", message)]
    return [_able("SucceededGetScale", _FOUND), _unmeasured((spec.get("metrics") or [{}])[0])]


def _unmeasured(metric: Object) -> Object:
    """What is said of the first metric, which nobody measures."""
    kind = metric.get("type", "Resource")
    if kind in _RESOURCES:
        source = metric.get(_RESOURCES[kind]) or {}
        resource = source.get("name", "cpu")
        what = (
            "utilization" if (source.get("target") or {}).get("type") == "Utilization" else "usage"
        )
        why = f"failed to get {resource} {what}: {_NO_METRICS.format(resource=resource)}"
    else:
        known = (metric.get(kind.lower()) or {}).get("metric") or {}
        source_name = "external" if kind == "External" else "custom"
        why = _NO_OTHERS.format(metric=known.get("name", ""), source=source_name)
    return _inactive(f"FailedGet{kind}Metric", _NOT_COMPUTED + why)


def _lost(kind: Kind | None, reference: Object) -> list[Object]:
    if kind is None or not kind.scale:
        why = f'no matches for kind "{reference["kind"]}" in group'
    else:
        why = f'{kind.resource} "{reference["name"]}" not found'
    message = f"the HPA controller was unable to get the target's current scale: {why}"
    return [
        {
            "type": "AbleToScale",
            "status": "False",
            "reason": "FailedGetScale",
            "message": message,
        }
    ]


def _able(reason: str, message: str) -> Object:
    return {"type": "AbleToScale", "status": "True", "reason": reason, "message": message}


def _inactive(reason: str, message: str) -> Object:
    return {"type": "ScalingActive", "status": "False", "reason": reason, "message": message}
