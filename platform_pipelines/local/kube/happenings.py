"""What a change of an object means in the words of whoever made it, by kind.

Pure rules for `events`: an object before and after, and the store to look up its owner or its node.
Reasons and messages are those of Kubernetes 1.36, the AWS Load Balancer Controller and Argo CD 3.5.
"""

from collections.abc import Callable, Iterator

from platform_pipelines.local.kube.happening import (
    KUBELET,
    NODE_CONTROLLER,
    Happening,
    conditions,
    owner,
    state_of,
    status,
)
from platform_pipelines.local.kube.happenings_pods import of_pod
from platform_pipelines.local.kube.history import Change
from platform_pipelines.local.kube.kinds import (
    APPLICATION,
    INGRESS,
    JOB,
    NODE,
    POD,
    REPLICA_SET,
    Kind,
)
from platform_pipelines.local.kube.objects import Obj, name_of
from platform_pipelines.local.kube.store import Store

ARGO_CD = "argocd-application-controller"
Rule = Callable[[Store, Obj | None, Obj | None], Iterator[Happening]]


def happenings(store: Store, change: Change) -> Iterator[Happening]:
    """Everything that one change tells."""
    rule = _RULES.get(change.kind)
    if rule is not None:
        yield from rule(store, change.previous, None if change.type == "DELETED" else change.obj)


def _of_node(_store: Store, old: Obj | None, new: Obj | None) -> Iterator[Happening]:
    node = new or old or {}
    name = name_of(node)
    if old is None or new is None:
        reason, what = ("RegisteredNode", "Registered") if new else ("RemovingNode", "Removing")
        where = "in" if new else "from"
        text = f"Node {name} event: {what} Node {name} {where} Controller"
        yield Happening(about=node, component=NODE_CONTROLLER, reason=reason, message=text)
        return
    was, ready = state_of(old, "Ready"), state_of(new, "Ready")
    if was != "True" and ready == "True":
        yield _node_is(node, KUBELET, "NodeReady")
    elif was == "True" and ready != "True":
        yield _node_is(node, NODE_CONTROLLER, "NodeNotReady")
    if _cordoned(old) is not _cordoned(new):
        told = "NodeNotSchedulable" if _cordoned(new) else "NodeSchedulable"
        yield _node_is(node, KUBELET, told)


def _cordoned(node: Obj) -> bool:
    return bool((node.get("spec") or {}).get("unschedulable"))


def _node_is(node: Obj, component: str, reason: str) -> Happening:
    name = name_of(node)
    return Happening(
        about=node,
        component=component,
        reason=reason,
        message=f"Node {name} status is now: {reason}",
        host=name if component == KUBELET else "",
    )


def _of_replica_set(store: Store, old: Obj | None, new: Obj | None) -> Iterator[Happening]:
    if new is None:
        return
    deployment = owner(store, new)
    before = int(old["spec"].get("replicas", 0)) if old else 0
    after = int(new["spec"].get("replicas", 0))
    if deployment is None or before == after:
        return
    way = "up" if after > before else "down"
    yield Happening(
        about=deployment,
        component="deployment-controller",
        reason="ScalingReplicaSet",
        message=f"Scaled {way} replica set {name_of(new)} from {before} to {after}",
    )


def _of_job(_store: Store, old: Obj | None, new: Obj | None) -> Iterator[Happening]:
    if old is None or new is None:
        return
    if state_of(new, "Complete") == "True" and state_of(old, "Complete") != "True":
        yield Happening(
            about=new, component="job-controller", reason="Completed", message="Job completed"
        )
    if state_of(new, "Failed") == "True" and state_of(old, "Failed") != "True":
        told = conditions(new)["Failed"]
        yield Happening(
            about=new,
            component="job-controller",
            reason=told.get("reason", "Failed"),
            message=told.get("message", ""),
            warning=True,
        )


def _of_ingress(_store: Store, old: Obj | None, new: Obj | None) -> Iterator[Happening]:
    def addresses(obj: Obj | None) -> object:
        return (status(obj).get("loadBalancer") or {}).get("ingress")

    if new is not None and addresses(new) and addresses(new) != addresses(old):
        text = "Successfully reconciled"
        yield Happening(
            about=new, component="ingress", reason="SuccessfullyReconciled", message=text
        )


def _of_application(_store: Store, old: Obj | None, new: Obj | None) -> Iterator[Happening]:
    if old is None or new is None:
        return
    for part in ("sync", "health"):
        was, now = ((status(one).get(part) or {}).get("status", "") for one in (old, new))
        if was != now:
            text = f"Updated {part} status: {was} -> {now}"
            yield Happening(about=new, component=ARGO_CD, reason="ResourceUpdated", message=text)
    before, state = (status(one).get("operationState") or {} for one in (old, new))
    if state and state != before:
        yield from _of_operation(new, state)


def _of_operation(application: Obj, state: Obj) -> Iterator[Happening]:
    revision = (state.get("syncResult") or {}).get("revision", "")
    by = state["operation"].get("initiatedBy") or {}
    started = "Initiated automated sync" if by.get("automated") else "Initiated sync"
    text = f"{started} to '{revision}'"
    yield Happening(about=application, component=ARGO_CD, reason="OperationStarted", message=text)
    worked = state["phase"] == "Succeeded"
    ended = "succeeded" if worked else f"failed: {state.get('message', '')}"
    yield Happening(
        about=application,
        component=ARGO_CD,
        reason="OperationCompleted",
        message=f"Sync operation to {revision} {ended}",
        warning=not worked,
    )


_RULES: dict[Kind, Rule] = {
    NODE: _of_node,
    POD: of_pod,
    REPLICA_SET: _of_replica_set,
    JOB: _of_job,
    INGRESS: _of_ingress,
    APPLICATION: _of_application,
}
