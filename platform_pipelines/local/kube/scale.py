"""The scale subresource: the replicas of a workload, whatever its kind.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/scale-v1/
"""

from platform_pipelines.local.kube import faults
from platform_pipelines.local.kube.faults import Cause
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.models import of_model
from platform_pipelines.local.kube.objects import Obj, clone, meta, name_of
from platform_pipelines.local.kube.shape import Problem, shaped

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def view(obj: Obj) -> Obj:
    """The Scale of a workload."""
    labels = (obj["spec"].get("selector") or {}).get("matchLabels") or {}
    status = {
        "replicas": obj.get("status", {}).get("replicas", 0),
        "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
    }
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta(obj)[key] for key in _METADATA if key in meta(obj)},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": status,
    }


def scaled(kind: Kind, obj: Obj, wanted: Obj) -> Obj:
    """A copy of the workload with the replicas of a Scale. Raises: KubeFault, when it is invalid."""
    decoded, flaws = shaped(wanted, of_model("V1Scale"))
    if any(flaw.problem is Problem.TYPE for flaw in flaws):
        raise faults.bad_request("Scale in version v1 cannot be handled as a Scale")
    replicas = decoded.get("spec", {}).get("replicas", 0)
    if replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = Cause(reason="FieldValueInvalid", message=message, field="spec.replicas")
        raise faults.invalid(kind, name_of(obj), [cause])
    stale = meta(decoded).get("resourceVersion")
    if stale and stale != meta(obj)["resourceVersion"]:
        raise faults.modified(kind, name_of(obj))
    new: Obj = clone(obj)
    new["spec"]["replicas"] = replicas
    return new
