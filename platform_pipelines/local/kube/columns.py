"""The columns that `kubectl get` shows of each kind: what the API sends when asked for a Table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_pipelines.local.kube import cells, kinds
from platform_pipelines.local.kube.ages import UNKNOWN, since
from platform_pipelines.local.kube.cells import NONE
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, meta, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    name: str
    value: Callable[[Obj, datetime], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0  # above 0 only with `-o wide`


def of_kind(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind: its name, then what is its own. Events have generated names."""
    own = _COLUMNS.get(kind, (_AGE,))
    return own if kind is kinds.EVENT else (_NAME, *own)


def _field(name: str, path: str, default: Any = "", **more: Any) -> Column:
    return Column(name=name, value=lambda obj, _now: cells.at(obj, path, default), **more)


def _told(name: str, tell: Callable[[Obj], Any], **more: Any) -> Column:
    return Column(name=name, value=lambda obj, _now: tell(obj), **more)


def _number(name: str, path: str) -> Column:
    return _field(name, path, 0, type="integer")


_NAME = _told("Name", name_of, format="name")
_AGE = Column(name="Age", value=lambda obj, now: since(meta(obj).get("creationTimestamp"), now))


def _wide(column: Column) -> Column:
    return Column(name=column.name, value=column.value, type=column.type, priority=1)


_TEMPLATE = (
    _wide(_told("Containers", cells.containers("name"))),
    _wide(_told("Images", cells.containers("image"))),
    _wide(_told("Selector", cells.labels("spec.selector.matchLabels"))),
)
_DATA = _told("Data", lambda obj: len(obj.get("data") or {}), type="string")

_COLUMNS: dict[Kind, tuple[Column, ...]] = {
    kinds.NAMESPACE: (_field("Status", "status.phase"), _AGE),
    kinds.NODE: (
        _told("Status", cells.node_status),
        _told("Roles", cells.node_roles),
        _AGE,
        _field("Version", "status.nodeInfo.kubeletVersion"),
        _wide(_told("Internal-IP", cells.node_address("InternalIP"))),
        _wide(_told("External-IP", cells.node_address("ExternalIP"))),
        _wide(_field("OS-Image", "status.nodeInfo.osImage", UNKNOWN)),
        _wide(_field("Kernel-Version", "status.nodeInfo.kernelVersion", UNKNOWN)),
        _wide(_field("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", UNKNOWN)),
    ),
    kinds.POD: (
        _told("Ready", cells.pod_ready),
        _told("Status", cells.pod_status),
        _told("Restarts", cells.pod_restarts),
        _AGE,
        _wide(_field("IP", "status.podIP", NONE)),
        _wide(_field("Node", "spec.nodeName", NONE)),
        _wide(_field("Nominated Node", "status.nominatedNodeName", NONE)),
        _wide(_told("Readiness Gates", lambda _obj: NONE)),
    ),
    kinds.DEPLOYMENT: (
        _told("Ready", cells.ratio("status.readyReplicas", "spec.replicas")),
        _number("Up-to-date", "status.updatedReplicas"),
        _number("Available", "status.availableReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    kinds.REPLICA_SET: (
        _number("Desired", "spec.replicas"),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    kinds.STATEFUL_SET: (
        _told("Ready", cells.ratio("status.readyReplicas", "spec.replicas")),
        _AGE,
        *_TEMPLATE[:2],
    ),
    kinds.DAEMON_SET: (
        _number("Desired", "status.desiredNumberScheduled"),
        _number("Current", "status.currentNumberScheduled"),
        _number("Ready", "status.numberReady"),
        _number("Up-to-date", "status.updatedNumberScheduled"),
        _number("Available", "status.numberAvailable"),
        _told("Node Selector", cells.labels("spec.template.spec.nodeSelector")),
        _AGE,
        *_TEMPLATE,
    ),
    kinds.JOB: (
        _told("Completions", cells.ratio("status.succeeded", "spec.completions", 1)),
        _AGE,
        *_TEMPLATE,
    ),
    kinds.CRON_JOB: (
        _field("Schedule", "spec.schedule"),
        _field("Timezone", "spec.timeZone", NONE),
        _told("Suspend", lambda obj: str(cells.at(obj, "spec.suspend", False))),
        _told("Active", lambda obj: len(cells.at(obj, "status.active", [])), type="integer"),
        Column(
            name="Last Schedule",
            value=lambda obj, now: since(cells.at(obj, "status.lastScheduleTime", None), now),
        ),
        _AGE,
    ),
    kinds.SERVICE: (
        _field("Type", "spec.type"),
        _field("Cluster-IP", "spec.clusterIP", NONE),
        _told("External-IP", cells.external_address),
        _told("Port(s)", cells.service_ports),
        _AGE,
        _wide(_told("Selector", cells.labels("spec.selector"))),
    ),
    kinds.INGRESS: (
        _field("Class", "spec.ingressClassName", NONE),
        _told("Hosts", cells.hosts),
        _told("Address", cells.balancer),
        _told("Ports", lambda obj: "80, 443" if cells.at(obj, "spec.tls", []) else "80"),
        _AGE,
    ),
    kinds.INGRESS_CLASS: (
        _field("Controller", "spec.controller"),
        _field("Parameters", "spec.parameters.name", NONE),
        _AGE,
    ),
    kinds.CONFIG_MAP: (_DATA, _AGE),
    kinds.SECRET: (_field("Type", "type"), _DATA, _AGE),
    kinds.PERSISTENT_VOLUME: (
        _field("Capacity", "spec.capacity.storage"),
        _told("Access Modes", lambda obj: ",".join(cells.at(obj, "spec.accessModes", []))),
        _field("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
        _field("Status", "status.phase"),
        _field("StorageClass", "spec.storageClassName"),
        _AGE,
    ),
    kinds.PERSISTENT_VOLUME_CLAIM: (
        _field("Status", "status.phase"),
        _field("Volume", "spec.volumeName"),
        _field("Capacity", "status.capacity.storage"),
        _told("Access Modes", lambda obj: ",".join(cells.at(obj, "status.accessModes", []))),
        _field("StorageClass", "spec.storageClassName"),
        _AGE,
    ),
    kinds.STORAGE_CLASS: (
        _field("Provisioner", "provisioner"),
        _field("ReclaimPolicy", "reclaimPolicy"),
        _field("VolumeBindingMode", "volumeBindingMode"),
        _told(
            "AllowVolumeExpansion",
            lambda obj: bool(obj.get("allowVolumeExpansion")),
            type="boolean",
        ),
        _AGE,
    ),
    kinds.HORIZONTAL_POD_AUTOSCALER: (
        _told(
            "Reference",
            lambda obj: (
                f"{cells.at(obj, 'spec.scaleTargetRef.kind')}/{cells.at(obj, 'spec.scaleTargetRef.name')}"
            ),
        ),
        _number("MinPods", "spec.minReplicas"),
        _number("MaxPods", "spec.maxReplicas"),
        _number("Replicas", "status.currentReplicas"),
        _AGE,
    ),
    kinds.POD_DISRUPTION_BUDGET: (
        _told("Min Available", cells.disruptions("minAvailable")),
        _told("Max Unavailable", cells.disruptions("maxUnavailable")),
        _number("Allowed Disruptions", "status.disruptionsAllowed"),
        _AGE,
    ),
    kinds.LEASE: (_field("Holder", "spec.holderIdentity"), _AGE),
    kinds.EVENT: (
        Column(name="Last Seen", value=cells.last_seen),
        _field("Type", "type"),
        _field("Reason", "reason"),
        _told("Object", cells.event_object),
        _field("Message", "message"),
    ),
    kinds.CUSTOM_RESOURCE_DEFINITION: (_field("Created At", "metadata.creationTimestamp"),),
    kinds.APPLICATION: (
        _field("Sync Status", "status.sync.status"),
        _field("Health Status", "status.health.status"),
        _wide(_field("Revision", "status.sync.revision")),
        _wide(_field("Project", "spec.project")),
    ),
}
