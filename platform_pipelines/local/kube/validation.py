"""The rules of the built-in kinds that go beyond an object's shape.

`broken` looks at one object, `immutable` at what an update may not change. Kinds without an entry
have no rules beyond their schema.
"""

from collections.abc import Callable, Iterator
from typing import Any

from platform_pipelines.local.kube import kinds, names, pod_validation, selectors
from platform_pipelines.local.kube.faults import Cause
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.names import invalid, required
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.pod_validation import port_number, unsupported

_CONFIG_BYTES = 1024 * 1024
_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_FROZEN = "field is immutable"


def broken(kind: Kind, obj: Obj) -> Iterator[Cause]:
    """Every rule that an object breaks."""
    rule = _RULES.get(kind)
    if rule is not None:
        yield from rule(obj)


def immutable(kind: Kind, old: Obj, new: Obj) -> list[Cause]:
    """What an update changes and may not."""
    if kind in (kinds.CONFIG_MAP, kinds.SECRET):
        return _sealed(old, new)
    frozen = _IMMUTABLE.get(kind, ())
    before, after = old.get("spec", {}), new.get("spec", {})
    causes = [
        invalid(f"spec.{name}", "", _FROZEN)
        for name in frozen
        if name in before and before[name] != after.get(name)
    ]
    if kind is kinds.POD:
        causes += pod_validation.unchangeable(before, after)
    if old.get("roleRef") != new.get("roleRef"):
        causes.append(invalid("roleRef", "", "cannot change roleRef"))
    return causes


def _sealed(old: Obj, new: Obj) -> list[Cause]:
    if not old.get("immutable"):
        return []
    return [
        Cause(
            reason="FieldValueForbidden",
            message="Forbidden: field is immutable when `immutable` is set",
            field=name,
        )
        for name in ("data", "binaryData", "immutable")
        if old.get(name) != new.get(name)
    ]


def _spec(obj: Obj) -> dict[str, Any]:
    spec: dict[str, Any] = obj.get("spec") or {}
    return spec


def _not_negative(spec: Obj, *fields: str) -> Iterator[Cause]:
    for field in fields:
        if spec.get(field, 0) < 0:
            yield invalid(f"spec.{field}", spec[field], "must be greater than or equal to 0")


def _workload(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    yield from _not_negative(
        spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
    )
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    yield from names.labels(labels, "spec.template.metadata.labels")
    yield from _selects(spec.get("selector"), labels)
    yield from pod_validation.broken(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))


def _selects(selector: Obj | None, labels: dict[str, str]) -> Iterator[Cause]:
    if selector is None:
        return
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        why = "empty selector is invalid for deployment"
        yield invalid("spec.selector", selector, why)
    elif not selectors.of_object(selector).matches(labels):
        why = "`selector` does not match template `labels`"
        yield invalid("spec.template.metadata.labels", labels, why)


def _deployment(obj: Obj) -> Iterator[Cause]:
    yield from _workload(obj)
    strategy = _spec(obj).get("strategy") or {}
    kind = strategy.get("type")
    if kind not in ("Recreate", "RollingUpdate"):
        yield unsupported("spec.strategy.type", kind, ("Recreate", "RollingUpdate"))
    rolling = strategy.get("rollingUpdate")
    if kind == "Recreate" and rolling is not None:
        message = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        field = "spec.strategy.rollingUpdate"
        yield Cause(reason="FieldValueForbidden", message=message, field=field)
    if rolling and {str(value) for value in rolling.values()} <= {"0", "0%"}:
        why = "may not be 0 when `maxSurge` is 0"
        yield invalid("spec.strategy.rollingUpdate.maxUnavailable", 0, why)


def _pod(obj: Obj) -> Iterator[Cause]:
    yield from pod_validation.broken(_spec(obj), "spec")


def _job(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    yield from _not_negative(spec, "parallelism", "completions", "backoffLimit")
    pod = (spec.get("template") or {}).get("spec") or {}
    yield from pod_validation.broken(pod, "spec.template.spec")
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        field = "spec.template.spec.restartPolicy"
        yield unsupported(field, pod.get("restartPolicy"), ("Never", "OnFailure"))


def _cron_job(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    if len(str(spec.get("schedule", "")).split()) != 5 and not str(
        spec.get("schedule", "")
    ).startswith("@"):
        yield invalid("spec.schedule", spec.get("schedule", ""), "expected exactly 5 fields")
    if spec.get("concurrencyPolicy") not in _CONCURRENCY:
        yield unsupported("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), _CONCURRENCY)
    pod = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    yield from pod_validation.broken(pod.get("spec") or {}, "spec.jobTemplate.spec.template.spec")


def _service(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    if spec.get("type") not in _SERVICE_TYPES:
        yield unsupported("spec.type", spec.get("type"), _SERVICE_TYPES)
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    for number, port in enumerate(ports):
        yield from port_number(port.get("port"), f"spec.ports[{number}].port")
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{number}].name")
    yield from pod_validation.duplicates(ports, ("name",), "spec.ports")
    yield from names.labels(spec.get("selector") or {}, "spec.selector")


def _keys(obj: Obj) -> Iterator[Cause]:
    size = 0
    for field in ("data", "binaryData"):
        for key, value in (obj.get(field) or {}).items():
            size += len(value)
            if not names.is_config_key(key):
                why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
                yield invalid(f"{field}[{key}]", key, why)
    if size > _CONFIG_BYTES:
        message = f"Too long: may not be more than {_CONFIG_BYTES} bytes"
        yield Cause(reason="FieldValueTooLong", message=message, field="")


def _ingress(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    if not spec.get("rules") and not spec.get("defaultBackend"):
        why = "either `defaultBackend` or `rules` must be specified"
        yield invalid("spec", "", why)
    for number, rule in enumerate(spec.get("rules") or []):
        host = rule.get("host", "")
        if host and not names.is_subdomain(host.removeprefix("*.")):
            yield invalid(f"spec.rules[{number}].host", host, names.DNS_SUBDOMAIN)
        for place, path in enumerate((rule.get("http") or {}).get("paths") or []):
            yield from _ingress_path(path, f"spec.rules[{number}].http.paths[{place}]")


def _ingress_path(path: Obj, field: str) -> Iterator[Cause]:
    kind = path.get("pathType")
    if kind is not None and kind not in _PATH_TYPES:
        yield unsupported(f"{field}.pathType", kind, _PATH_TYPES)
    if kind in ("Exact", "Prefix") and not str(path.get("path", "")).startswith("/"):
        yield invalid(f"{field}.path", path.get("path", ""), "must be an absolute path")


def _claim(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in spec.get("accessModes") or []:
        if mode not in _ACCESS_MODES:
            yield unsupported("spec.accessModes", mode, _ACCESS_MODES)
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        yield required("spec.resources[storage]")


def _autoscaler(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    most = spec.get("maxReplicas", 1)
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < spec.get("minReplicas", 1):
        why = "must be greater than or equal to `minReplicas`"
        yield invalid("spec.maxReplicas", most, why)


def _disruption_budget(obj: Obj) -> Iterator[Cause]:
    spec = _spec(obj)
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield invalid("spec", "", "minAvailable and maxUnavailable cannot be both set")


_RULES: dict[Kind, Callable[[Obj], Iterator[Cause]]] = {
    kinds.DEPLOYMENT: _deployment,
    kinds.REPLICA_SET: _workload,
    kinds.STATEFUL_SET: _workload,
    kinds.DAEMON_SET: _workload,
    kinds.POD: _pod,
    kinds.JOB: _job,
    kinds.CRON_JOB: _cron_job,
    kinds.SERVICE: _service,
    kinds.CONFIG_MAP: _keys,
    kinds.SECRET: _keys,
    kinds.INGRESS: _ingress,
    kinds.PERSISTENT_VOLUME_CLAIM: _claim,
    kinds.HORIZONTAL_POD_AUTOSCALER: _autoscaler,
    kinds.POD_DISRUPTION_BUDGET: _disruption_budget,
}
_IMMUTABLE: dict[Kind, tuple[str, ...]] = {
    kinds.DEPLOYMENT: ("selector",),
    kinds.REPLICA_SET: ("selector",),
    kinds.STATEFUL_SET: ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"),
    kinds.DAEMON_SET: ("selector",),
    kinds.JOB: ("selector", "template", "completions", "completionMode"),
    kinds.PERSISTENT_VOLUME_CLAIM: ("accessModes", "storageClassName", "volumeName", "volumeMode"),
    kinds.SERVICE: ("clusterIP",),
}
