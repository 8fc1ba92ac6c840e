"""The claims of a StatefulSet's pods: each pod has its own, and finds it again under its name.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
"""

from platform_pipelines.local.kube.controllers import pods
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    name,
    namespace,
    owner_reference,
)
from platform_pipelines.local.kube.kinds import PERSISTENT_VOLUME_CLAIM
from platform_pipelines.local.kube.objects import clone
from platform_pipelines.local.kube.store import Store


def claim(store: Store, stateful_set: Object, pod: Object) -> None:
    """Have the pod mount its claims, and make those that are not there."""
    templates = stateful_set["spec"].get("volumeClaimTemplates") or []
    if not templates:
        return
    mounted = {name(one): _mount(one, name(pod)) for one in templates}
    others = [one for one in pod["spec"].get("volumes") or [] if one["name"] not in mounted]
    pod["spec"]["volumes"] = [*mounted.values(), *others]
    for template in templates:
        wanted = _claim(stateful_set, template, name(pod))
        if store.peek(PERSISTENT_VOLUME_CLAIM, namespace(stateful_set), name(wanted)) is None:
            store.create(PERSISTENT_VOLUME_CLAIM, wanted)


def forget(store: Store, stateful_set: Object) -> None:
    """Delete the claims of pods that were scaled away, if the policy says so."""
    if _policy(stateful_set, "whenScaled") != "Delete":
        return
    spec, own = stateful_set["spec"], name(stateful_set)
    first = int((spec.get("ordinals") or {}).get("start", 0))
    wanted = range(first, first + int(spec.get("replicas", 1)))
    used = {name(pod) for pod in pods.owned(store, stateful_set)}
    kept = used | {f"{own}-{ordinal}" for ordinal in wanted}
    for template in spec.get("volumeClaimTemplates") or []:
        start = f"{name(template)}-{own}-"
        for one in store.peek_all(PERSISTENT_VOLUME_CLAIM, namespace(stateful_set)):
            number = name(one).removeprefix(start)
            ours = name(one).startswith(start) and number.isdecimal()
            if ours and f"{own}-{number}" not in kept:
                store.delete(PERSISTENT_VOLUME_CLAIM, namespace(one), name(one))


def _mount(template: Object, pod: str) -> Object:
    source = {"claimName": f"{name(template)}-{pod}"}
    return {"name": name(template), "persistentVolumeClaim": source}


def _claim(stateful_set: Object, template: Object, pod: str) -> Object:
    spec = stateful_set["spec"]
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    metadata = clone(template["metadata"])
    metadata |= {"name": f"{name(template)}-{pod}", "namespace": namespace(stateful_set)}
    metadata["labels"] = (metadata.get("labels") or {}) | labels
    if _policy(stateful_set, "whenDeleted") == "Delete":
        owner = owner_reference(stateful_set)
        metadata["ownerReferences"] = [owner | {"controller": False}]
    return {"metadata": metadata, "spec": clone(template["spec"])}


def _policy(stateful_set: Object, when: str) -> str:
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return str(policy.get(when, "Retain"))
