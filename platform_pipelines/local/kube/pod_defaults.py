"""What the API fills in of a pod's spec, in a Pod and in every pod template."""

from typing import Any

Spec = dict[str, Any]

_POD = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_FILE_MODE = 0o644


def fill(target: Spec, values: Spec) -> None:
    """Set what is absent. Maps and lists are copied one level deep."""
    for key, value in values.items():
        if key not in target:
            target[key] = value.copy() if isinstance(value, dict | list) else value


def pod_spec(spec: Spec) -> None:
    """Fill in a pod's spec, in place."""
    fill(spec, _POD)
    fill(spec, {"securityContext": {}})
    for group in ("containers", "initContainers"):
        for container in spec.get(group) or []:
            _container(container)
    for volume in spec.get("volumes") or []:
        _volume(volume)


def quality(spec: Spec) -> str:
    """The pod's quality of service, from its containers' resources."""
    resources = [container.get("resources", {}) for container in spec.get("containers") or []]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(each.get("limits", {}))
        and each.get("requests") == each.get("limits")
        for each in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _container(container: Spec) -> None:
    fill(container, _CONTAINER)
    fill(container, {"imagePullPolicy": _pull_policy(container.get("image") or "")})
    _resources(container.setdefault("resources", {}))
    for port in container.get("ports") or []:
        fill(port, {"protocol": "TCP"})
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            fill(reference, {"apiVersion": "v1"})
    for name in _PROBES:
        if name in container:
            _probe(container[name])


def _pull_policy(image: str) -> str:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "IfNotPresent" if "@" in image or tag not in ("", "latest") else "Always"


def _resources(resources: Spec) -> None:
    limits = resources.get("limits")
    if limits:
        fill(resources.setdefault("requests", {}), limits)


def _probe(probe: Spec) -> None:
    fill(probe, _PROBE)
    if "httpGet" in probe:
        fill(probe["httpGet"], {"path": "/", "scheme": "HTTP"})
    if "grpc" in probe:
        fill(probe["grpc"], {"service": ""})


def _volume(volume: Spec) -> None:
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            fill(volume[source], {"defaultMode": _FILE_MODE})
    if "hostPath" in volume:
        fill(volume["hostPath"], {"type": ""})
