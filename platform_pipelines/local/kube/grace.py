"""How long a pod that is to be deleted has to stop: until its kubelet deletes it for good.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from platform_pipelines.local.kube.kinds import POD, Kind
from platform_pipelines.local.kube.objects import Obj, meta

BY_DEFAULT = 30  # seconds
_FIELD = "deletionGracePeriodSeconds"


def seconds(kind: Kind, obj: Obj, asked: int | None) -> int:
    """What an object is given; nothing for what no kubelet runs, or runs no more."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if kind is not POD or not spec.get("nodeName") or status.get("phase") in _OVER:
        return 0
    if asked is None:
        given = spec.get("terminationGracePeriodSeconds")
        return BY_DEFAULT if given is None else int(given)
    return max(0, asked)


def stopping(obj: Obj) -> bool:
    """Whether a kubelet still has to stop it."""
    return int(meta(obj).get(_FIELD) or 0) > 0


_OVER = ("Succeeded", "Failed")
