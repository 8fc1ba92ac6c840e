"""What a node says of itself, and what the node lifecycle controller says of one that is silent.

https://kubernetes.io/docs/reference/node/node-status/#condition
"""

from collections.abc import Sequence

from platform_pipelines.local.kube.controllers.objects import Object, is_true, with_condition

UNREACHABLE = "node.kubernetes.io/unreachable"
# (status, reason) by type.
HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}
SILENT = dict.fromkeys(HEALTHY, ("Unknown", "NodeStatusUnknown"))


def told(
    known: Sequence[Object], *, silent: bool, now: str, heartbeat: bool = False
) -> list[Object]:
    """A node's conditions from now on; what says the same stays as it is, but for the time of the
    last report, if this is one."""
    message = (
        "Kubelet stopped posting node status." if silent else "kubelet is posting ready status"
    )
    result = list(known)
    for kind, (value, reason) in (SILENT if silent else HEALTHY).items():
        old = next((one for one in known if one["type"] == kind), {})
        heard = old.get("lastHeartbeatTime", now) if silent or not heartbeat else now
        new = {"type": kind, "status": value, "reason": reason, "message": message}
        result = with_condition(result, new | {"lastHeartbeatTime": heard}, now)
    return result


def ready(node: Object) -> bool:
    """Whether a node is Ready."""
    return is_true(node, "Ready")


def taints(known: Sequence[Object], *, silent: bool, now: str) -> list[Object]:
    """A node's taints from now on: an unreachable one has two more."""
    ours = [taint for taint in known if taint["key"] == UNREACHABLE]
    if bool(ours) == silent:
        return list(known)
    kept = [taint for taint in known if taint["key"] != UNREACHABLE]
    if silent:
        effects = ("NoSchedule", "NoExecute")
        kept += [{"key": UNREACHABLE, "effect": one, "timeAdded": now} for one in effects]
    return kept
