"""How a Deployment rolls: by how many pods it may be over and under while it does.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
"""

from dataclasses import dataclass

from platform_pipelines.local.kube.controllers.objects import Object, percent, uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many pods a Deployment may have more, and how many it may lack, while it rolls."""

    replicas: int
    surge: int
    unavailable: int
    recreate: bool

    @classmethod
    def of(cls, deployment: Object) -> "Plan":
        """What the Deployment's strategy says."""
        replicas = deployment["spec"]["replicas"]
        strategy = deployment["spec"].get("strategy") or {}
        if strategy.get("type") == "Recreate":
            return cls(replicas=replicas, surge=0, unavailable=0, recreate=True)
        rolling = strategy.get("rollingUpdate") or {}
        surge = percent(rolling.get("maxSurge", "25%"), replicas, up=True)
        unavailable = percent(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        return cls(
            replicas=replicas,
            surge=surge,
            unavailable=unavailable or (0 if surge else 1),  # both zero would never move
            recreate=False,
        )

    def grown(self, new: Object, old: list[Object]) -> int:
        """How many pods the new ReplicaSet should have now."""
        if wanted(new) >= self.replicas:
            return self.replicas
        room = self.replicas + self.surge - sum(wanted(one) for one in [new, *old])
        return wanted(new) + max(0, min(room, self.replicas - wanted(new)))

    def shrunk(self, new: Object, old: list[Object]) -> list[tuple[Object, int]]:
        """What the old ReplicaSets may lose now: pods that are not available first, then others."""
        least = self.replicas - self.unavailable
        waiting = wanted(new) - available(new)
        room = sum(wanted(one) for one in [new, *old]) - least - waiting
        counts = {uid(one): wanted(one) for one in old}
        for one in old:
            lost = max(0, min(room, wanted(one) - available(one)))
            counts[uid(one)] -= lost
            room -= lost
        spare = min(room, sum(available(one) for one in [new, *old]) - least)
        for one in old:
            lost = max(0, min(spare, counts[uid(one)]))
            counts[uid(one)] -= lost
            spare -= lost
        return [(one, counts[uid(one)]) for one in old]


def wanted(replica_set: Object) -> int:
    """How many pods it should have."""
    return int(replica_set["spec"]["replicas"])


def actual(replica_set: Object) -> int:
    """How many pods it has."""
    return int((replica_set.get("status") or {}).get("replicas", 0))


def available(replica_set: Object) -> int:
    """How many of them are available."""
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))
