"""Updates of a cluster or node group: one at a time, InProgress, then Successful. Kept in its record.

Successful means that the setting is applied; the nodes themselves come and go later.
https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Call, Fault, Params, Result
from platform_pipelines.local.world import World

Record = dict[str, Any]

CLUSTERS, NODEGROUPS = "_clusters", "_nodegroups"  # ministack's stores
RUNNING = "InProgress"
_DONE = "eks_update_done"
_KEPT = 50
# What UpdateClusterConfig changes member by member; everything else is replaced as a whole.
_MERGED = frozenset({"resourcesVpcConfig", "accessConfig"})
_NOT_APPLIED = frozenset(
    {"name", "clusterName", "nodegroupName", "clientRequestToken", "force", "rollbackConfig"}
)


class Updates:
    """The updates of one world's clusters and node groups."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.timers.on(_DONE, self._done)

    def begin(self, call: Call, store: str, key: str, kind: str) -> Result:
        """Apply a change to the record `key` of a store of ministack's, and open its update; a
        known token gets its own update again. Raises: Fault."""
        record = _store(store)[key]
        token = call.params.get("clientRequestToken")
        known = next((one for one in all_of(record) if token and one["token"] == token), None)
        if known is not None:
            return view(known)
        refuse_while_updating(record)
        _APPLY[store](record, call.params)
        record["modifiedAt"] = self.world.now()
        update: Record = {
            "id": str(uuid.uuid4()),
            "status": RUNNING,
            "type": kind,
            "params": _parameters(call.params),
            "createdAt": self.world.now(),
            "token": token,
        }
        record["_updates"] = [*all_of(record), update][-_KEPT:]
        self._later(call, store=store, key=key, update=update["id"])
        return view(update)

    def _later(self, call: Call, **args: str) -> None:
        delay = self.world.durations.nodegroup_update
        self.world.timers.after(delay, _DONE, account=call.account, region=call.region, **args)

    def _done(self, account: str, region: str, store: str, key: str, update: str) -> None:
        record = _store(store).get_scoped(account, region, key, {})
        for one in all_of(record):
            if one["id"] == update:
                one["status"] = "Successful"


def refuse_while_updating(record: Record) -> None:
    """Raises: Fault, while an update of the record runs."""
    running = next((one for one in all_of(record) if one["status"] == RUNNING), None)
    if running is not None:
        message = f"It cannot be changed as it is currently in update {running['id']}"
        raise Fault("ResourceInUseException", message, 409)


def status_of(record: Record) -> str:
    """UPDATING while an update runs."""
    running = any(one["status"] == RUNNING for one in all_of(record))
    return "UPDATING" if running else "ACTIVE"


def all_of(record: Record) -> list[Record]:
    """The updates of a node group, oldest first."""
    found: list[Record] = record.get("_updates", [])
    return found


def view(update: Record) -> Result:
    """An update as EKS describes it."""
    shown = {key: value for key, value in update.items() if key != "token"}
    return shown | {"createdAt": moment(update["createdAt"]), "errors": []}


def check_scaling(scaling: Params) -> None:
    """Raises: Fault, if the counts do not fit each other."""
    minimum, desired, maximum = (int(scaling[key]) for key in ("minSize", "desiredSize", "maxSize"))
    if minimum < 0 or maximum < 1:
        raise Fault("InvalidParameterException", "minSize must be at least 0, maxSize at least 1.")
    if not minimum <= desired <= maximum:
        message = (
            f"Minimum capacity {minimum}, desired capacity {desired} and maximum capacity "
            f"{maximum} must be in this order."
        )
        raise Fault("InvalidParameterException", message)


def moment(value: Any) -> datetime:
    """A time that ministack or we noted, as AWS answers it."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime.fromtimestamp(value, UTC)


def _store(name: str) -> Any:
    return getattr(ministack.service("eks"), name)


def _apply_to_cluster(record: Record, params: Params) -> None:
    for key in params.keys() - _NOT_APPLIED:
        value = params[key]
        record[key] = record.get(key, {}) | value if key in _MERGED else value


def _apply_to_nodegroup(record: Record, params: Params) -> None:
    if scaling := params.get("scalingConfig"):
        wanted = record["scalingConfig"] | scaling
        check_scaling(wanted)
        record["scalingConfig"] = wanted
    labels = params.get("labels", {})
    kept = {k: v for k, v in record["labels"].items() if k not in labels.get("removeLabels", [])}
    record["labels"] = kept | labels.get("addOrUpdateLabels", {})
    taints = params.get("taints", {})
    changed = [*taints.get("addOrUpdateTaints", []), *taints.get("removeTaints", [])]
    gone = {(taint["key"], taint["effect"]) for taint in changed}
    record["taints"] = [
        *(one for one in record["taints"] if (one["key"], one["effect"]) not in gone),
        *taints.get("addOrUpdateTaints", []),
    ]
    replaced = ("updateConfig", "nodeRepairConfig", "launchTemplate", "version", "releaseVersion")
    record.update({key: params[key] for key in replaced if key in params})


_APPLY = {CLUSTERS: _apply_to_cluster, NODEGROUPS: _apply_to_nodegroup}


def _parameters(params: Params) -> list[dict[str, str]]:
    names = {
        "minSize": "MinSize",
        "maxSize": "MaxSize",
        "desiredSize": "DesiredSize",
        "version": "Version",
        "releaseVersion": "ReleaseVersion",
    }
    given = params.get("scalingConfig", {}) | params
    return [{"type": names[key], "value": str(given[key])} for key in names if key in given]
