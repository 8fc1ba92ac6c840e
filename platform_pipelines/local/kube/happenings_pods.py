"""What happened to a pod, in the words of the scheduler, its node's kubelet, and its owner."""

from collections.abc import Iterator
from typing import Any

from platform_pipelines.local.kube.happening import (
    KUBELET,
    NODE_CONTROLLER,
    Happening,
    conditions,
    owner,
    state_of,
    status,
)
from platform_pipelines.local.kube.kinds import NODE
from platform_pipelines.local.kube.objects import Obj, meta, name_of, namespace_of
from platform_pipelines.local.kube.store import Store

SCHEDULER = "default-scheduler"
EVICTOR = "taint-eviction-controller"
_ADDED = {
    "StatefulSet": "create Pod {pod} in StatefulSet {owner} successful",
    "ReplicaSet": "Created pod: {pod}",
    "DaemonSet": "Created pod: {pod}",
    "Job": "Created pod: {pod}",
}
_DELETED = {
    "StatefulSet": "delete Pod {pod} in StatefulSet {owner} successful",
    "ReplicaSet": "Deleted pod: {pod}",
    "DaemonSet": "Deleted pod: {pod}",
}


def of_pod(store: Store, old: Obj | None, new: Obj | None) -> Iterator[Happening]:
    """Everything that one change of a pod tells."""
    if new is None:
        yield from _gone(store, old or {})
    elif old is None:
        yield from _of_owner(store, new, "SuccessfulCreate", _ADDED)
    else:
        yield from _scheduling(old, new)
        yield from _containers(old, new)
        yield from _disruption(store, old, new)


def _scheduling(old: Obj, new: Obj) -> Iterator[Happening]:
    node = new["spec"].get("nodeName")
    if node and not old["spec"].get("nodeName"):
        text = f"Successfully assigned {namespace_of(new)}/{name_of(new)} to {node}"
        yield Happening(about=new, component=SCHEDULER, reason="Scheduled", message=text)
    told = conditions(new).get("PodScheduled", {})
    if told.get("reason") == "Unschedulable" and told != conditions(old).get("PodScheduled"):
        yield Happening(
            about=new,
            component=SCHEDULER,
            reason="FailedScheduling",
            message=told.get("message", ""),
            warning=True,
        )


def _disruption(store: Store, old: Obj, new: Obj) -> Iterator[Happening]:
    node = store.peek(NODE, None, new["spec"].get("nodeName", ""))
    lost = (state_of(old, "Ready"), state_of(new, "Ready")) == ("True", "False")
    if lost and node is not None and state_of(node, "Ready") != "True":
        text = "Node is not ready"
        yield Happening(
            about=new, component=NODE_CONTROLLER, reason="NodeNotReady", message=text, warning=True
        )
    target = conditions(new).get("DisruptionTarget", {})
    tainted = target.get("reason") == "DeletionByTaintManager"
    if tainted and "DisruptionTarget" not in conditions(old):
        text = f"Marking for deletion Pod {namespace_of(new)}/{name_of(new)}"
        yield Happening(about=new, component=EVICTOR, reason="TaintManagerEviction", message=text)
    if meta(new).get("deletionTimestamp") and not meta(old).get("deletionTimestamp"):
        yield from _deleted(store, new)


def _gone(store: Store, pod: Obj) -> Iterator[Happening]:
    if not meta(pod).get("deletionTimestamp"):
        yield from _deleted(store, pod)


def _deleted(store: Store, pod: Obj) -> Iterator[Happening]:
    """Somebody asked for its deletion: its owner, if that has one too many."""
    yield from _killing(store, pod)
    by = owner(store, pod)
    if by is not None and not _wanted(by):
        yield from _of_owner(store, pod, "SuccessfulDelete", _DELETED)


def _wanted(by: Obj) -> bool:
    """Whether an owner still wants the pod that went: then somebody else deleted it."""
    if meta(by).get("deletionTimestamp"):
        return False
    return int(status(by).get("replicas", 0)) <= int(by["spec"].get("replicas", 1))


def _of_owner(store: Store, pod: Obj, reason: str, messages: dict[str, str]) -> Iterator[Happening]:
    by = owner(store, pod)
    if by is None or by["kind"] not in messages:
        return
    text = messages[by["kind"]].format(pod=name_of(pod), owner=name_of(by))
    component = f"{by['kind'].lower()}-controller"
    yield Happening(about=by, component=component, reason=reason, message=text)


def _containers(old: Obj, new: Obj) -> Iterator[Happening]:
    before = {one["name"]: one.get("state") or {} for one in _statuses(old)}
    for one in _statuses(new):
        was, now = before.get(one["name"], {}), one.get("state") or {}
        if "running" in now and "running" not in was:
            yield from _started(new, one)
        elif "waiting" in now and now != was:
            yield from _waits(new, one, now["waiting"])


def _statuses(pod: Obj) -> list[dict[str, Any]]:
    return status(pod).get("containerStatuses") or []


def _started(pod: Obj, container: Obj) -> Iterator[Happening]:
    text = f'Successfully pulled image "{container["image"]}"'
    yield _kubelet(pod, container, "Pulled", text)
    yield _kubelet(pod, container, "Created", "Container created")
    yield _kubelet(pod, container, "Started", "Container started")


def _waits(pod: Obj, container: Obj, waiting: Obj) -> Iterator[Happening]:
    image, why = container["image"], waiting.get("message", "")
    match waiting.get("reason"):
        case "ContainerCreating":
            yield _kubelet(pod, container, "Pulling", f'Pulling image "{image}"')
        case "ErrImagePull":
            text = f'Failed to pull image "{image}": {why}'
            yield _kubelet(pod, container, "Failed", text, warning=True)
            yield _kubelet(pod, container, "Failed", "Error: ErrImagePull", warning=True)
        case "ImagePullBackOff":
            yield _kubelet(pod, container, "BackOff", f'Back-off pulling image "{image}"')
            yield _kubelet(pod, container, "Failed", "Error: ImagePullBackOff", warning=True)
        case "CrashLoopBackOff":
            yield _kubelet(pod, container, "BackOff", why, warning=True)


def _killing(store: Store, pod: Obj) -> Iterator[Happening]:
    """A kubelet that runs says what it stops; of a dead node nobody hears."""
    node = store.peek(NODE, None, pod["spec"].get("nodeName", ""))
    if node is None or state_of(node, "Ready") != "True":
        return
    for one in _statuses(pod):
        if "running" in (one.get("state") or {}):
            yield _kubelet(pod, one, "Killing", f"Stopping container {one['name']}")


def _kubelet(
    pod: Obj, container: Obj, reason: str, message: str, *, warning: bool = False
) -> Happening:
    return Happening(
        about=pod,
        component=KUBELET,
        reason=reason,
        message=message,
        warning=warning,
        host=pod["spec"].get("nodeName", ""),
        field=f"spec.containers{{{container['name']}}}",
    )
