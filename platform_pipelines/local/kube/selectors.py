"""Label and field selectors, as queries write them and as objects hold them.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube import faults, kinds
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, meta

_TERM = re.compile(r",(?![^(]*\))")  # a comma outside of parentheses
_SET = re.compile(r"\s*(\S+)\s+(in|notin)\s*\(([^)]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s!=]+)\s*(==|=|!=)\s*([^\s!=]*)\s*")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s!=(),]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One requirement of a label."""

    key: str
    values: frozenset[str] | None  # None: any value
    negated: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels keep it."""
        found = self.key in labels and (self.values is None or labels[self.key] in self.values)
        return found is not self.negated


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements that must all hold; none holds always."""

    terms: tuple[Term, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels are selected."""
        return all(term.matches(labels) for term in self.terms)


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Fields that must, or must not, have a value."""

    terms: tuple[tuple[str, str, bool], ...] = ()  # field, value, negated

    def matches(self, obj: Obj) -> bool:
        """Whether this object is selected."""
        return all((_value(obj, field) == value) is not no for field, value, no in self.terms)


_METADATA = frozenset({"metadata.name", "metadata.namespace"})
_FIELDS: dict[Kind, frozenset[str]] = {
    kinds.POD: frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    kinds.NODE: frozenset({"spec.unschedulable"}),
    kinds.NAMESPACE: frozenset({"status.phase"}),
    kinds.SECRET: frozenset({"type"}),
    kinds.REPLICA_SET: frozenset({"status.replicas"}),
    kinds.JOB: frozenset({"status.successful"}),
    kinds.SERVICE: frozenset({"spec.clusterIP", "spec.type"}),
    kinds.EVENT: frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
}


def parse_labels(text: str) -> LabelSelector:
    """A label selector of a query. Raises: KubeFault, when it is none."""
    if not text.strip():
        return LabelSelector()
    return LabelSelector(tuple(_term(part, text) for part in _TERM.split(text)))


def _term(part: str, text: str) -> Term:
    if found := _SET.fullmatch(part):
        values = frozenset(value.strip() for value in found[3].split(","))
        return Term(key=found[1], values=values, negated=found[2] == "notin")
    if found := _EQUAL.fullmatch(part):
        return Term(key=found[1], values=frozenset({found[3]}), negated=found[2] == "!=")
    if found := _EXISTS.fullmatch(part):
        return Term(key=found[2], values=None, negated=bool(found[1]))
    raise faults.bad_request(f"unable to parse requirement: {text!r} is no label selector")


def of_object(selector: Mapping[str, Any]) -> LabelSelector:
    """A `LabelSelector` as a Deployment or a Service's owner holds it."""
    terms = [
        Term(key=key, values=frozenset({value}))
        for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for expression in selector.get("matchExpressions") or []:
        operator = expression.get("operator")
        values = frozenset(expression.get("values") or [])
        terms.append(
            Term(
                key=expression.get("key", ""),
                values=values if operator in ("In", "NotIn") else None,
                negated=operator in ("NotIn", "DoesNotExist"),
            )
        )
    return LabelSelector(tuple(terms))


def parse_fields(kind: Kind, text: str) -> FieldSelector:
    """A field selector of a query. Raises: KubeFault, when the kind does not have such fields."""
    terms = []
    for part in filter(None, text.split(",")):
        found = _EQUAL.fullmatch(part)
        if found is None:
            raise faults.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        field = found[1]
        if field not in _METADATA | _FIELDS.get(kind, frozenset()):
            raise faults.bad_request(f"field label not supported: {field}")
        terms.append((field, found[3], found[2] == "!="))
    return FieldSelector(tuple(terms))


def selected(obj: Obj, labels: LabelSelector, fields: FieldSelector) -> bool:
    """Whether an object is selected by both."""
    return labels.matches(meta(obj).get("labels") or {}) and fields.matches(obj)


def _value(obj: Obj, field: str) -> str:
    value: Any = obj
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):  # an event's source is its component
        value = value.get("component")
    if field in ("spec.unschedulable", "spec.hostNetwork"):
        return "true" if value else "false"
    return "" if value is None else str(value)
