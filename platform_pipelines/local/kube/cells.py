"""What single cells of kubectl's tables say, where it is more than one field's value."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from platform_pipelines.local.kube.ages import since
from platform_pipelines.local.kube.objects import Obj, meta

NONE = "<none>"
_NODE_ROLE = "node-role.kubernetes.io/"


def at(obj: Any, path: str, default: Any = "") -> Any:
    """The value at a path of names; `default` if there is none."""
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return default if obj is None else obj


def ratio(part: str, whole: str, default: int = 0) -> Callable[[Obj], str]:
    """How many of how many."""
    return lambda obj: f"{at(obj, part, 0)}/{at(obj, whole, default)}"


def node_status(obj: Obj) -> str:
    """Ready or not, and whether it is cordoned."""
    ready = next(
        (
            each.get("status")
            for each in at(obj, "status.conditions", [])
            if each.get("type") == "Ready"
        ),
        "Unknown",
    )
    cordoned = ",SchedulingDisabled" if at(obj, "spec.unschedulable", False) else ""
    return ("Ready" if ready == "True" else "NotReady") + cordoned


def node_roles(obj: Obj) -> str:
    """The roles that its labels give a node."""
    labels = meta(obj).get("labels") or {}
    roles = [label.removeprefix(_NODE_ROLE) for label in labels if label.startswith(_NODE_ROLE)]
    return ",".join(sorted(roles)) or NONE


def node_address(kind: str) -> Callable[[Obj], str]:
    """A node's address of one kind."""

    def tell(obj: Obj) -> str:
        addresses = at(obj, "status.addresses", [])
        return next(
            (each.get("address", NONE) for each in addresses if each.get("type") == kind), NONE
        )

    return tell


def _statuses(obj: Obj) -> list[Obj]:
    found: list[Obj] = at(obj, "status.containerStatuses", [])
    return found


def pod_ready(obj: Obj) -> str:
    """How many of a pod's containers are ready."""
    ready = sum(1 for each in _statuses(obj) if each.get("ready"))
    return f"{ready}/{len(at(obj, 'spec.containers', []))}"


def pod_status(obj: Obj) -> str:
    """Why a pod's containers do not run, or else its phase."""
    if meta(obj).get("deletionTimestamp"):
        return "Terminating"
    for each in _statuses(obj):
        for state in ("waiting", "terminated"):
            if reason := at(each, f"state.{state}.reason"):
                return str(reason)
    return str(at(obj, "status.reason") or at(obj, "status.phase", "Unknown"))


def pod_restarts(obj: Obj) -> str:
    """How often a pod's containers were started again."""
    return str(sum(each.get("restartCount", 0) for each in _statuses(obj)))


def containers(key: str) -> Callable[[Obj], str]:
    """One field of every container of a workload."""

    def tell(obj: Obj) -> str:
        return ",".join(each.get(key, "") for each in at(obj, "spec.template.spec.containers", []))

    return tell


def labels(path: str) -> Callable[[Obj], str]:
    """The labels at a path."""

    def tell(obj: Obj) -> str:
        pairs = at(obj, path, {})
        return ",".join(f"{key}={value}" for key, value in pairs.items()) or NONE

    return tell


def external_address(obj: Obj) -> str:
    """Where a Service is reached from outside."""
    given = balancer(obj)
    if given or at(obj, "spec.type") != "LoadBalancer":
        return given or NONE
    return "<pending>"


def balancer(obj: Obj) -> str:
    """The names or addresses of a load balancer."""
    entries = at(obj, "status.loadBalancer.ingress", [])
    return ",".join(entry.get("hostname") or entry.get("ip", "") for entry in entries)


def service_ports(obj: Obj) -> str:
    """A Service's ports, with those on the nodes."""
    ports = []
    for port in at(obj, "spec.ports", []):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        ports.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(ports) or NONE


def hosts(obj: Obj) -> str:
    """The hosts of an Ingress."""
    return ",".join(rule.get("host", "*") for rule in at(obj, "spec.rules", [])) or "*"


def disruptions(field: str) -> Callable[[Obj], str]:
    """One of the two ways to write a disruption budget."""
    return lambda obj: str(at(obj, f"spec.{field}", "N/A"))


def event_object(obj: Obj) -> str:
    """What an event is about."""
    involved = obj.get("involvedObject") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def last_seen(obj: Obj, now: datetime) -> str:
    """How long ago an event was seen last."""
    seen = obj.get("lastTimestamp") or obj.get("eventTime") or meta(obj).get("creationTimestamp")
    return since(seen, now)
