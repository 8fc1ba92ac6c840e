"""Claims are bound to the static volume that they name; nothing is provisioned dynamically here."""

from typing import ClassVar

from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    deleting,
    name,
    namespace,
    uid,
)
from platform_pipelines.local.kube.kinds import PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, Kind
from platform_pipelines.local.kube.objects import clone

BOUND = "pv.kubernetes.io/bind-completed"


class Volumes(Controller):
    """The static volumes of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM})

    def reconcile(self) -> None:
        for volume in self.store.peek_all(PERSISTENT_VOLUME):
            if "phase" not in (volume.get("status") or {}):
                self.cluster.set_status(PERSISTENT_VOLUME, volume, {"phase": "Available"})
        for claim in self.store.peek_all(PERSISTENT_VOLUME_CLAIM):
            if not deleting(claim) and not _bound(claim):
                self._bind(claim)
        for volume in self.store.peek_all(PERSISTENT_VOLUME):
            self._release(volume)

    def _bind(self, claim: Object) -> None:
        wanted = claim["spec"].get("volumeName")
        volume = self.store.peek(PERSISTENT_VOLUME, None, wanted) if wanted else None
        if volume is None or not _free_for(volume, claim):
            self.cluster.set_status(PERSISTENT_VOLUME_CLAIM, claim, {"phase": "Pending"})
            return
        self._reserve(volume, claim)
        status = {
            "phase": "Bound",
            "accessModes": volume["spec"].get("accessModes") or [],
            "capacity": volume["spec"].get("capacity") or {},
        }
        marked = clone(claim)
        marked["metadata"].setdefault("annotations", {})[BOUND] = "yes"
        claim = self.store.update(PERSISTENT_VOLUME_CLAIM, marked)
        self.cluster.set_status(PERSISTENT_VOLUME_CLAIM, claim, status)

    def _reserve(self, volume: Object, claim: Object) -> None:
        changed = clone(volume)
        changed["spec"]["claimRef"] = (changed["spec"].get("claimRef") or {}) | {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": namespace(claim),
            "name": name(claim),
            "uid": uid(claim),
        }
        volume = self.store.update(PERSISTENT_VOLUME, changed)
        self.cluster.set_status(PERSISTENT_VOLUME, volume, {"phase": "Bound"})

    def _release(self, volume: Object) -> None:
        """A volume whose claim is gone is Released, and no other claim gets what it holds."""
        holder = volume["spec"].get("claimRef") or {}
        if (volume.get("status") or {}).get("phase") != "Bound" or "uid" not in holder:
            return
        claim = self.store.peek(
            PERSISTENT_VOLUME_CLAIM, holder.get("namespace"), holder.get("name", "")
        )
        if claim is None or uid(claim) != holder["uid"]:
            self.cluster.set_status(PERSISTENT_VOLUME, volume, {"phase": "Released"})


def _bound(claim: Object) -> bool:
    return (claim.get("status") or {}).get("phase") == "Bound"


def _free_for(volume: Object, claim: Object) -> bool:
    holder = volume["spec"].get("claimRef") or {}
    if not holder:
        return True
    named = (holder.get("namespace"), holder.get("name")) == (namespace(claim), name(claim))
    return named and holder.get("uid") in (None, uid(claim))
