"""The status of a Deployment: counters, and the two conditions that tell how it goes.

| moment | Available | Progressing |
|---|---|---|
| just made | False | True `NewReplicaSetCreated`, then `ReplicaSetUpdated` |
| no progress for `progressDeadlineSeconds` | False | False `ProgressDeadlineExceeded` |
| all pods available | True | True `NewReplicaSetAvailable` |
| complete once, pods lost since | False | True `NewReplicaSetAvailable`: it never times out again |
"""

from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.kube.controllers.objects import (
    Object,
    condition,
    counters,
    name,
    text_of,
    unix_of,
    with_condition,
)
from platform_pipelines.local.kube.controllers.strategy import Plan

COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
UPDATED, CREATED = "ReplicaSetUpdated", "NewReplicaSetCreated"
NO_DEADLINE = 2**31 - 1
COUNTERS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A Deployment with its ReplicaSets, at one moment."""

    deployment: Object
    new: Object
    old: list[Object]
    created: bool  # the new ReplicaSet was made just now
    now: float

    @property
    def replicas(self) -> int:
        """How many pods are wanted."""
        return int(self.deployment["spec"]["replicas"])

    @property
    def deadline(self) -> int:
        """Seconds without progress after which it has failed."""
        return int(self.deployment["spec"].get("progressDeadlineSeconds", 600))

    @property
    def progressing(self) -> Object | None:
        """The condition that says so, as it was told last."""
        return condition(self.deployment, "Progressing")

    def counts(self) -> dict[str, int]:
        """The counters, with zeros."""
        every = [self.new, *self.old]
        return {
            "replicas": _sum(every, "replicas"),
            "updatedReplicas": _sum([self.new], "replicas"),
            "readyReplicas": _sum(every, "readyReplicas"),
            "availableReplicas": _sum(every, "availableReplicas"),
        }

    def complete(self) -> bool:
        """Whether exactly the wanted pods of the new template are there and available."""
        counts = self.counts()
        wanted = ("replicas", "updatedReplicas", "availableReplicas")
        return all(counts[key] == self.replicas for key in wanted)

    def progressed(self) -> bool:
        """Whether more was reached since the last status."""
        before = _counts(self.deployment)
        now = self.counts()
        old_before = before["replicas"] - before["updatedReplicas"]
        old_now = now["replicas"] - now["updatedReplicas"]
        return old_now < old_before or any(now[key] > before[key] for key in COUNTERS[1:])


def status_of(rollout: Rollout) -> dict[str, Any]:
    """What the Deployment's status should say now."""
    counts = rollout.counts()
    wanted = sum(int(one["spec"]["replicas"]) for one in [rollout.new, *rollout.old])
    counts["unavailableReplicas"] = max(0, wanted - counts["availableReplicas"])
    return {
        "observedGeneration": rollout.deployment["metadata"].get("generation", 1),
        **counters(**counts),
        "conditions": _conditions(rollout),
    }


def _conditions(rollout: Rollout) -> list[Object]:
    told = (rollout.deployment.get("status") or {}).get("conditions") or []
    told = _put(told, _availability(rollout), rollout.now)
    if rollout.deadline == NO_DEADLINE:
        return [one for one in told if one["type"] != "Progressing"]
    progress = _progress(rollout)
    return told if progress is None else _put(told, progress, rollout.now)


def _availability(rollout: Rollout) -> Object:
    least = rollout.replicas - Plan.of(rollout.deployment).unavailable
    enough = rollout.counts()["availableReplicas"] >= least
    return {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": f"MinimumReplicas{'A' if enough else 'Una'}vailable",
        "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    }


def _progress(rollout: Rollout) -> Object | None:
    """The Progressing condition, if there is something to tell about it."""
    told, counts, label = rollout.progressing, rollout.counts(), f'"{name(rollout.new)}"'
    if rollout.created or told is None:
        return _progressing("True", CREATED, f"Created new replica set {label}")
    if told["reason"] == COMPLETE and counts["replicas"] == counts["updatedReplicas"]:
        return None
    if rollout.complete():
        return _progressing("True", COMPLETE, f"ReplicaSet {label} has successfully progressed.")
    if rollout.progressed():
        said = _progressing("True", UPDATED, f"ReplicaSet {label} is progressing.")
        return said | {"lastUpdateTime": text_of(rollout.now)}
    late = (
        unix_of(told.get("lastUpdateTime", text_of(rollout.now))) + rollout.deadline < rollout.now
    )
    if late and told["reason"] != COMPLETE:
        return _progressing("False", TIMED_OUT, f"ReplicaSet {label} has timed out progressing.")
    return None


def _progressing(status: str, reason: str, message: str) -> Object:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def _put(told: list[Object], new: Object, now: float) -> list[Object]:
    """Add the times that a Deployment's condition has; one that says the same is left alone."""
    old = next((one for one in told if one["type"] == new["type"]), None)
    if old is not None and all(old.get(key) == value for key, value in new.items()):
        return told
    return with_condition(told, {"lastUpdateTime": text_of(now)} | new, text_of(now))


def _sum(sets: list[Object], counter: str) -> int:
    return sum(int((one.get("status") or {}).get(counter, 0)) for one in sets)


def _counts(deployment: Object) -> dict[str, int]:
    status = deployment.get("status") or {}
    return {key: int(status.get(key, 0)) for key in COUNTERS}
