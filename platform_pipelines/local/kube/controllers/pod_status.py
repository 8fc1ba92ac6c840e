"""What a kubelet writes into a pod's status, and what it reads of how long the pod takes to stop."""

import hashlib

from platform_pipelines.local.kube.controllers.objects import Object, uid

Said = dict[str, tuple[str, str | None, str | None]]  # conditions: status, reason, message by type
NOT_READY = "ContainersNotReady"


def conditions(pod: Object, *, ready: bool) -> Said:
    """The conditions of a pod whose containers are ready, or not."""
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    why = (None, None) if ready else (NOT_READY, f"containers with unready status: [{names}]")
    value = "True" if ready else "False"
    return {
        "PodReadyToStartContainers": (value, None, None),
        "Initialized": ("True", None, None),
        "ContainersReady": (value, *why),
        "Ready": (value, *why),
    }


def containers(pod: Object, state: Object, *, ready: bool) -> list[Object]:
    """All of a pod's containers in one state."""
    return [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": container["image"] if ready else "",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": state,
        }
        for container in pod["spec"]["containers"]
    ]


def ended(pod: Object, now: str) -> tuple[Said, Object]:
    """The conditions and the rest of the status of a pod that has done its work."""
    why = ("PodCompleted", None)
    said: Said = {
        "PodReadyToStartContainers": ("False", None, None),
        "Initialized": ("True", *why),
        "ContainersReady": ("False", *why),
        "Ready": ("False", *why),
    }
    told = [
        one
        | {
            "ready": False,
            "started": False,
            "state": {"terminated": _terminated(one.get("state") or {}, now)},
        }
        for one in pod["status"]["containerStatuses"]
    ]
    return said, {"phase": "Succeeded", "containerStatuses": told}


def stopping_seconds(pod: Object, usual: float) -> float:
    """How long a pod takes to stop: its longest preStop sleep, and what a process needs to end."""
    sleeps = (
        (((one.get("lifecycle") or {}).get("preStop") or {}).get("sleep") or {}).get("seconds", 0)
        for one in pod["spec"]["containers"]
    )
    return float(max(sleeps, default=0)) + usual


def pod_address(pod: Object, cidr: str) -> str:
    """An address in the upper half of the Region's range, from the pod's identity."""
    digest = hashlib.sha256(uid(pod).encode()).digest()
    first, second = cidr.split(".")[:2]
    return f"{first}.{second}.{192 + digest[0] % 64}.{1 + digest[1] % 250}"


def _terminated(state: Object, now: str) -> Object:
    started = (state.get("running") or {}).get("startedAt", now)
    return {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": now}
