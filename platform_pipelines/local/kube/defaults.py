"""What the API fills in when an object leaves it out, for the kinds that matter here.

`apply` runs on every write; `retain` keeps on an update what the API had filled in once and for all,
as a Service's address. https://kubernetes.io/docs/reference/kubernetes-api/
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from platform_pipelines.local.kube import kinds, pod_defaults
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, clone, name_of, namespace_of
from platform_pipelines.local.kube.pod_defaults import fill

_FIRST_NODE_PORT, _NODE_PORTS = 30000, 2768
_RBAC = kinds.ROLE_BINDING.group


def apply(kind: Kind, obj: Obj) -> None:
    """Fill in an object's defaults, in place."""
    if filler := _FILLERS.get(kind):
        filler(obj)
    if kind.status:
        _spec(obj)  # both are always told, empty or not
        fill(obj.setdefault("status", {}), _ZERO_STATUS.get(kind, {}))


def retain(kind: Kind, old: Obj, new: Obj) -> None:
    """Keep in `new` what only the API decides and `old` has."""
    if kind is kinds.SERVICE and _spec(new).get("type") != "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in _spec(old):
                _spec(new).setdefault(name, clone(_spec(old)[name]))
    if kind is kinds.PERSISTENT_VOLUME_CLAIM and "volumeName" in _spec(old):
        _spec(new).setdefault("volumeName", _spec(old)["volumeName"])
    if kind is kinds.NAMESPACE:
        new["spec"] = clone(_spec(old))
        new.setdefault("status", clone(old.get("status", {})))


def _spec(obj: Obj) -> dict[str, Any]:
    spec: dict[str, Any] = obj.setdefault("spec", {})
    return spec


def _number(obj: Obj, purpose: str, size: int) -> int:
    """A number that depends on nothing but the object's name."""
    text = f"{purpose}/{namespace_of(obj)}/{name_of(obj)}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4]) % size


def _namespace(obj: Obj) -> None:
    fill(_spec(obj), {"finalizers": ["kubernetes"]})
    fill(obj, {"status": {"phase": "Active"}})
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name_of(obj)


def _pod(obj: Obj) -> None:
    spec = _spec(obj)
    pod_defaults.pod_spec(spec)
    fill(spec, {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority"})
    fill(spec, {"serviceAccountName": "default", "serviceAccount": "default", "priority": 0})
    fill(obj, {"status": {"phase": "Pending"}})
    obj["status"].setdefault("qosClass", pod_defaults.quality(spec))


def _rolling(spec: Obj, field: str, values: Obj) -> None:
    strategy = spec.setdefault(field, {})
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(strategy.setdefault("rollingUpdate", {}), values)


def _template(spec: Obj) -> None:
    pod_defaults.pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))


def _deployment(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    _rolling(spec, "strategy", {"maxUnavailable": "25%", "maxSurge": "25%"})
    _template(spec)


def _replica_set(obj: Obj) -> None:
    fill(_spec(obj), {"replicas": 1})
    _template(_spec(obj))


def _stateful_set(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"})
    claims = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    fill(claims, {"whenDeleted": "Retain", "whenScaled": "Retain"})
    _rolling(spec, "updateStrategy", {"partition": 0})
    _template(spec)


def _daemon_set(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"revisionHistoryLimit": 10})
    _rolling(spec, "updateStrategy", {"maxUnavailable": 1, "maxSurge": 0})
    _template(spec)


def _job(obj: Obj) -> None:
    spec = _spec(obj)
    _job_spec(spec)
    if "selector" not in spec and "uid" in obj["metadata"]:  # not before it is stored
        owner = {"batch.kubernetes.io/controller-uid": obj["metadata"]["uid"]}
        spec["selector"] = {"matchLabels": owner}
        labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
        fill(labels, owner | {"batch.kubernetes.io/job-name": name_of(obj)})


def _job_spec(spec: Obj) -> None:
    fill(spec, {"backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False})
    fill(spec, {"podReplacementPolicy": "TerminatingOrFailed", "manualSelector": False})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    fill(spec, {"parallelism": 1})
    _template(spec)


def _cron_job(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"concurrencyPolicy": "Allow", "suspend": False})
    fill(spec, {"successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1})
    _template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _service(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    for port in spec.get("ports", []):
        fill(port, {"protocol": "TCP"})
        fill(port, {"targetPort": port.get("port")})
    if spec["type"] != "ExternalName":
        _addresses(obj, spec)
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _node_ports(obj, spec)
    if spec["type"] == "LoadBalancer":
        fill(spec, {"allocateLoadBalancerNodePorts": True})
    fill(obj, {"status": {"loadBalancer": {}}})


def _addresses(obj: Obj, spec: Obj) -> None:
    high, low = divmod(_number(obj, "address", 65000) + 10, 256)
    fill(spec, {"clusterIP": f"10.100.{high}.{low}", "ipFamilies": ["IPv4"]})
    fill(spec, {"clusterIPs": [spec["clusterIP"]], "ipFamilyPolicy": "SingleStack"})
    fill(spec, {"internalTrafficPolicy": "Cluster"})


def _node_ports(obj: Obj, spec: Obj) -> None:
    fill(spec, {"externalTrafficPolicy": "Cluster"})
    for port in spec.get("ports", []):
        number = _number(obj, f"port {port.get('port')}", _NODE_PORTS)
        fill(port, {"nodePort": _FIRST_NODE_PORT + number})


def _secret(obj: Obj) -> None:
    fill(obj, {"type": "Opaque"})
    for key, value in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def _claim(obj: Obj) -> None:
    fill(_spec(obj), {"volumeMode": "Filesystem"})
    fill(obj, {"status": {"phase": "Pending"}})


def _volume(obj: Obj) -> None:
    fill(_spec(obj), {"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain"})
    fill(obj, {"status": {"phase": "Pending"}})


def _storage_class(obj: Obj) -> None:
    fill(obj, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _ingress(obj: Obj) -> None:
    fill(obj, {"status": {"loadBalancer": {}}})


def _network_policy(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]})


def _autoscaler(obj: Obj) -> None:
    spec = _spec(obj)
    fill(spec, {"minReplicas": 1})
    target = {"type": "Utilization", "averageUtilization": 80}
    fill(spec, {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]})


def _binding(obj: Obj) -> None:
    fill(obj.setdefault("roleRef", {}), {"apiGroup": _RBAC})
    for subject in obj.get("subjects") or []:
        account = subject.get("kind") == "ServiceAccount"
        fill(subject, {"namespace": "default"} if account else {"apiGroup": _RBAC})


def _definition(obj: Obj) -> None:
    names = _spec(obj).get("names", {"kind": ""})
    fill(names, {"singular": names["kind"].lower(), "listKind": f"{names['kind']}List"})
    fill(_spec(obj), {"conversion": {"strategy": "None"}})


# Counters that the API writes even when they are zero; all others are absent then.
_ZERO_STATUS: dict[Kind, Obj] = {
    kinds.REPLICA_SET: {"replicas": 0},
    kinds.STATEFUL_SET: {"replicas": 0, "availableReplicas": 0},
    kinds.DAEMON_SET: {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    kinds.HORIZONTAL_POD_AUTOSCALER: {"desiredReplicas": 0, "currentMetrics": []},
    kinds.POD_DISRUPTION_BUDGET: {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}
_FILLERS: dict[Kind, Callable[[Obj], None]] = {
    kinds.NAMESPACE: _namespace,
    kinds.POD: _pod,
    kinds.DEPLOYMENT: _deployment,
    kinds.REPLICA_SET: _replica_set,
    kinds.STATEFUL_SET: _stateful_set,
    kinds.DAEMON_SET: _daemon_set,
    kinds.JOB: _job,
    kinds.CRON_JOB: _cron_job,
    kinds.SERVICE: _service,
    kinds.SECRET: _secret,
    kinds.PERSISTENT_VOLUME: _volume,
    kinds.PERSISTENT_VOLUME_CLAIM: _claim,
    kinds.STORAGE_CLASS: _storage_class,
    kinds.INGRESS: _ingress,
    kinds.NETWORK_POLICY: _network_policy,
    kinds.HORIZONTAL_POD_AUTOSCALER: _autoscaler,
    kinds.ROLE_BINDING: _binding,
    kinds.CLUSTER_ROLE_BINDING: _binding,
    kinds.CUSTOM_RESOURCE_DEFINITION: _definition,
}
