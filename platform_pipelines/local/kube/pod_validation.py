"""The rules of a pod's spec, in a Pod and in every pod template."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from platform_pipelines.local.kube import names
from platform_pipelines.local.kube.faults import Cause
from platform_pipelines.local.kube.names import invalid, required

Spec = dict[str, Any]

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_QUANTITY = re.compile(r"[+-]?(\d+|\d+\.\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_ENV_NAME = re.compile(r"[ -<>-~]+")  # printable ASCII but "="
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_CHANGEABLE = frozenset(
    {"tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "nodeName"}
)


def unsupported(field: str, value: Any, allowed: Sequence[str]) -> Cause:
    """A value that is none of those allowed."""
    told = ", ".join(f'"{each}"' for each in allowed)
    message = f'Unsupported value: "{value}": supported values: {told}'
    return Cause(reason="FieldValueNotSupported", message=message, field=field)


def duplicates(items: Sequence[Spec], keys: Sequence[str], field: str) -> Iterator[Cause]:
    """Items of a list that another one has the name of."""
    seen: set[tuple[Any, ...]] = set()
    for number, item in enumerate(items):
        key = tuple(item.get(name) for name in keys)
        if key in seen and key[0] not in (None, ""):
            where = f"{field}[{number}].{keys[0]}"
            message = f'Duplicate value: "{key[0]}"'
            yield Cause(reason="FieldValueDuplicate", message=message, field=where)
        seen.add(key)


def port_number(value: Any, field: str) -> Iterator[Cause]:
    """A port that is none."""
    if isinstance(value, int) and not 1 <= value <= 65535:
        yield invalid(field, value, "must be between 1 and 65535, inclusive")


def broken(spec: Spec, field: str) -> Iterator[Cause]:
    """Every rule that a pod's spec breaks."""
    if not spec.get("containers"):
        yield required(f"{field}.containers")
    policy = spec.get("restartPolicy", "Always")
    if policy not in _RESTART_POLICIES:
        yield unsupported(f"{field}.restartPolicy", policy, _RESTART_POLICIES)
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    yield from duplicates(spec.get("volumes") or [], ("name",), f"{field}.volumes")
    yield from names.labels(spec.get("nodeSelector") or {}, f"{field}.nodeSelector")
    for group in ("initContainers", "containers"):
        containers = spec.get(group) or []
        for number, container in enumerate(containers):
            yield from _container(container, f"{field}.{group}[{number}]", volumes)
        yield from duplicates(containers, ("name",), f"{field}.{group}")


def unchangeable(before: Spec, after: Spec) -> list[Cause]:
    """What an update of a pod changes and may not: nearly everything but images."""
    frozen_before = {key: value for key, value in before.items() if key not in _CHANGEABLE}
    frozen_after = {key: value for key, value in after.items() if key not in _CHANGEABLE}
    if _without_images(frozen_before) == _without_images(frozen_after):
        return []
    message = (
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
        "additions to existing tolerations),`spec.terminationGracePeriodSeconds`"
    )
    return [Cause(reason="FieldValueForbidden", message=message, field="spec")]


def _without_images(spec: Spec) -> Spec:
    groups: Spec = {
        group: [{**container, "image": ""} for container in spec[group]]
        for group in ("containers", "initContainers")
        if group in spec
    }
    return {**spec, **groups}


def _container(container: Spec, field: str, volumes: set[Any]) -> Iterator[Cause]:
    name = container.get("name")
    if name is not None and not names.is_label(name):
        yield invalid(f"{field}.name", name, names.DNS_LABEL) if name else required(f"{field}.name")
    if not container.get("image"):
        yield required(f"{field}.image")
    policy = container.get("imagePullPolicy", "Always")
    if policy not in _PULL_POLICIES:
        yield unsupported(f"{field}.imagePullPolicy", policy, _PULL_POLICIES)
    for number, port in enumerate(container.get("ports") or []):
        yield from _port(port, f"{field}.ports[{number}]")
    for number, variable in enumerate(container.get("env") or []):
        if not _ENV_NAME.fullmatch(variable.get("name", "x")):
            yield invalid(f"{field}.env[{number}].name", variable["name"], "no variable's name")
    for number, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            message = f'Not found: "{mount.get("name")}"'
            where = f"{field}.volumeMounts[{number}].name"
            yield Cause(reason="FieldValueNotFound", message=message, field=where)
    yield from duplicates(
        container.get("volumeMounts") or [], ("mountPath",), f"{field}.volumeMounts"
    )
    yield from _resources(container.get("resources") or {}, f"{field}.resources")
    for probe in _PROBES:
        yield from _probe(container.get(probe), f"{field}.{probe}")


def _port(port: Spec, field: str) -> Iterator[Cause]:
    yield from port_number(port.get("containerPort"), f"{field}.containerPort")
    if port.get("protocol", "TCP") not in _PROTOCOLS:
        yield unsupported(f"{field}.protocol", port["protocol"], _PROTOCOLS)


def _resources(resources: Spec, field: str) -> Iterator[Cause]:
    for group in ("limits", "requests"):
        for name, quantity in (resources.get(group) or {}).items():
            if not _QUANTITY.fullmatch(str(quantity)):
                why = (
                    "quantities must match the regular expression "
                    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                )
                yield invalid(f"{field}.{group}[{name}]", quantity, why)


def _probe(probe: Spec | None, field: str) -> Iterator[Cause]:
    if probe is None:
        return
    if not any(handler in probe for handler in ("exec", "grpc", "httpGet", "tcpSocket")):
        yield required(field, "must specify a handler type")
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"):
        if probe.get(name, 0) < 0:
            yield invalid(f"{field}.{name}", probe[name], "must be greater than or equal to 0")
