"""Where a pod may go: node affinity, tolerations, and how it stands to the pods that are there.

What a pod requires is a filter; what it prefers is left to the scheduler's own order, which spreads
the pods of one owner over zones and nodes.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from platform_pipelines.local.kube import selectors
from platform_pipelines.local.kube.controllers.objects import Object, labels, name, namespace

MISMATCH = "node(s) didn't match Pod's node affinity/selector"
UNSPREAD = "node(s) didn't match pod topology spread constraints"
APART = "node(s) didn't satisfy existing pods anti-affinity rules"
TOGETHER = "node(s) didn't match pod affinity rules"

Placed = Mapping[str, Iterable[Object]]  # the pods of each node, by its name


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration takes a taint."""
    same_value = toleration.get("value", "") == taint.get("value", "")
    return (
        toleration.get("key") in (None, "", taint["key"])
        and toleration.get("effect") in (None, "", taint["effect"])
        and (toleration.get("operator") == "Exists" or same_value)
    )


def untolerated(
    pod: Object, node: Object, effects: Collection[str] = ("NoSchedule", "NoExecute")
) -> Object | None:
    """The first taint of these effects that keeps the pod from the node."""
    for taint in (node.get("spec") or {}).get("taints") or []:
        tolerations = pod["spec"].get("tolerations") or []
        if taint["effect"] in effects and not any(tolerates(one, taint) for one in tolerations):
            found: Object = taint
            return found
    return None


def matches(spec: Object, node: Object) -> bool:
    """Whether a node has what the selector and the required node affinity of a pod's spec want."""
    selector = spec.get("nodeSelector") or {}
    if not selector.items() <= labels(node).items():
        return False
    terms = (_affinity(spec, "nodeAffinity") or {}).get("nodeSelectorTerms")
    return terms is None or any(_term(term, node) for term in terms)


def unmet(pod: Object, node: Object, nodes: Mapping[str, Object], placed: Placed) -> str | None:
    """Which rule about other pods the node would break; None if it breaks none."""
    for constraint in pod["spec"].get("topologySpreadConstraints") or []:
        hard = constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
        if hard and not _spreads(pod, constraint, node, nodes, placed):
            return UNSPREAD
    for term in _affinity(pod["spec"], "podAntiAffinity") or []:
        if _near(pod, term, node, nodes, placed):
            return APART
    for term in _affinity(pod["spec"], "podAffinity") or []:
        if not _near(pod, term, node, nodes, placed) and not _is_first(pod, term, placed):
            return TOGETHER
    return None


def _affinity(spec: Object, kind: str) -> Any:
    """What a pod's affinity requires: one selector of nodes, or a list of terms about pods."""
    affinity = (spec.get("affinity") or {}).get(kind) or {}
    return affinity.get("requiredDuringSchedulingIgnoredDuringExecution")


def _term(term: Object, node: Object) -> bool:
    fields = {"metadata.name": name(node)}
    return all(_holds(one, labels(node)) for one in term.get("matchExpressions") or []) and all(
        _holds(one, fields) for one in term.get("matchFields") or []
    )


def _holds(expression: Object, of: Mapping[str, str]) -> bool:
    value, values = of.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(values[0])
        case _:  # Lt
            return value is not None and int(value) < int(values[0])


def _spreads(
    pod: Object, constraint: Object, node: Object, nodes: Mapping[str, Object], placed: Placed
) -> bool:
    """Whether the pod keeps within the constraint's skew there."""
    key = constraint["topologyKey"]
    if key not in labels(node):
        return False
    selector = selectors.of_object(constraint.get("labelSelector") or {})
    counts: Counter[str] = Counter()
    for one in nodes.values():
        if key in labels(one) and matches(pod["spec"], one):
            counts[labels(one)[key]] += sum(
                namespace(other) == namespace(pod) and selector.matches(labels(other))
                for other in placed.get(name(one), ())
            )
    domain = labels(node)[key]
    own = 1 if selector.matches(labels(pod)) else 0
    return counts[domain] + own - min(counts.values(), default=0) <= int(constraint["maxSkew"])


def _near(
    pod: Object, term: Object, node: Object, nodes: Mapping[str, Object], placed: Placed
) -> bool:
    """Whether a pod that a term selects is in the node's domain."""
    key = term["topologyKey"]
    domain = [
        one
        for one in nodes.values()
        if key in labels(node) and labels(one).get(key) == labels(node)[key]
    ]
    return any(_selected(pod, term, other) for one in domain for other in placed.get(name(one), ()))


def _is_first(pod: Object, term: Object, placed: Placed) -> bool:
    """Whether the term selects the pod itself and no other: the first of a group may go anywhere."""
    others = (other for pods in placed.values() for other in pods)
    return _selected(pod, term, pod) and not any(_selected(pod, term, one) for one in others)


def _selected(pod: Object, term: Object, other: Object) -> bool:
    spaces = term.get("namespaces") or [namespace(pod)]
    selector = selectors.of_object(term.get("labelSelector") or {})
    return namespace(other) in spaces and selector.matches(labels(other))
