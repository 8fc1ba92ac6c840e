"""Updates of a cluster, node group or add-on: one at a time, InProgress, then Successful or Failed.

Successful means that the setting is applied; the nodes themselves come and go later. An update is
kept in the record of what it changes, with what the record returns to if it fails.
https://docs.aws.amazon.com/eks/latest/APIReference/API_Update.html
"""

from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks_health, stores
from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.eks_records import (
    ADDONS,
    CLUSTERS,
    NODEGROUPS,
    Record,
    identity,
    in_use,
    store,
)
from platform_pipelines.local.aws.service import Call, Result
from platform_pipelines.local.world import World

RUNNING, DONE, FAILED = "InProgress", "Successful", "Failed"
_KEPT = 50
_TIMER = "eks_update_done"
_AGAIN = 10.0  # AWS-like seconds between two looks at nodes that are replaced
_NAMES = {CLUSTERS: "name", NODEGROUPS: "nodegroupName", ADDONS: "addonName"}
_WHAT = {CLUSTERS: "Cluster", NODEGROUPS: "Nodegroup", ADDONS: "Addon"}
# What an update ends with that a fault lets fail, and the state of an add-on whose update did.
_FAILURE = {
    "errorCode": "Unknown",
    "errorMessage": "The update could not be completed by an internal failure.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an update changes of a record."""

    kind: str  # as EKS names it: ConfigUpdate, VersionUpdate, …
    duration: str  # of the transition
    now: Record = field(default_factory=dict)  # members that change at once
    then: Record = field(default_factory=dict)  # members that change when it is done
    listed: dict[str, str] = field(default_factory=dict)  # the parameters that EKS tells


class Updates:
    """The updates of one world's clusters, node groups and add-ons."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.timers.on(_TIMER, self._done)

    def begin(self, call: Call, where: str, key: str, change: "Change") -> Result:
        """Open the update of the record `key` of a store. Raises: Fault, while another one runs."""
        record = store(where)[key]
        refuse_while_busy(record, where)
        update: Record = {
            "id": identity(),
            "status": RUNNING,
            "type": change.kind,
            "params": [{"type": name, "value": value} for name, value in change.listed.items()],
            "createdAt": self.world.now(),
            "errors": [],
            "_token": call.params.get("clientRequestToken"),
            "_then": change.then,
            "_undo": {name: record.get(name) for name in change.now},
        }
        record |= change.now
        record["status"] = "UPDATING"
        touch(record, self.world.now())
        record["_updates"] = [*all_of(record), update][-_KEPT:]
        what = {"where": where, "key": key, "update": update["id"]}
        scope = {"account": call.account, "here": call.region}
        resource = record[_NAMES[where]]
        self.world.transition(
            change.duration, _TIMER, region=call.region, resource=resource, **scope, **what
        )
        return view(update)

    def _done(
        self, account: str, here: str, where: str, key: str, update: str, *, failed: bool = False
    ) -> None:
        args = {"account": account, "where": where, "key": key, "update": update}
        if parked(self.world, _TIMER, here=here, failed=failed, **args):
            return
        with ministack.scope(account, here):
            record: Record = store(where).get(key, {})
            wanted = coming(record).get("version")
            if wanted and not failed and eks_health.rolling(self.world, here, record, wanted):
                self.world.timers.after(_AGAIN, _TIMER, here=here, **args)
                return
            for one in all_of(record):
                if one["id"] == update and one["status"] == RUNNING:
                    self._end(record, one, failed=failed, addon=where == ADDONS)

    def _end(self, record: Record, update: Record, *, failed: bool, addon: bool) -> None:
        update["status"] = FAILED if failed else DONE
        issues = record.get("health", {}).get("issues")
        record["status"] = "DEGRADED" if issues else "ACTIVE"
        if failed:
            update["errors"] = [_FAILURE | {"resourceIds": []}]
            restore(record, update["_undo"])
            record["status"] = "UPDATE_FAILED" if addon else record["status"]
        else:
            record |= update["_then"]
        touch(record, self.world.now())


def coming(record: Record) -> Record:
    """The version that an update in progress brings."""
    for one in all_of(record):
        if one["status"] == RUNNING and "version" in one["_then"]:
            return {"version": one["_then"]["version"]}
    return {}


def known(call: Call, record: Record) -> Result | None:
    """The update that the same request opened before."""
    token = call.params.get("clientRequestToken")
    found = (one for one in all_of(record) if token and one["_token"] == token)
    update = next(found, None)
    return None if update is None else view(update)


def refuse_while_busy(record: Record, where: str) -> None:
    """Raises: Fault, while an update of the record runs, or when it is in no state for one."""
    what, name = _WHAT[where], record[_NAMES[where]]
    running = next((one for one in all_of(record) if one["status"] == RUNNING), None)
    if running is not None and where == CLUSTERS:
        raise in_use(f"Cannot change cluster {name}: it currently has update in progress")
    if running is not None:
        raise in_use(f"{what} cannot be updated as it is currently in update {running['id']}")
    if record["status"] not in ("ACTIVE", "DEGRADED", "UPDATE_FAILED"):
        raise in_use(f"{what} cannot be updated as it is currently not in Active State")


def all_of(record: Record) -> list[Record]:
    """The updates of a record, oldest first."""
    found: list[Record] = record.get("_updates", [])
    return found


def view(update: Record) -> Result:
    """An update as EKS describes it."""
    shown = {key: value for key, value in update.items() if not key.startswith("_")}
    return shown | {"createdAt": moment(update["createdAt"])}


def touch(record: Record, now: float) -> None:
    """Note that a record changed; EKS does not tell when a cluster did."""
    if "modifiedAt" in record:
        record["modifiedAt"] = now


def restore(record: Record, members: Record) -> None:
    """Give a record back what it had; None is a member that it did not have."""
    for name, value in members.items():
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value


def parked(world: World, timer: str, *, here: str, failed: bool, **args: Any) -> bool:
    """Whether the control plane of a Region (an AWS name) stands still; then the timer comes again."""
    again = args | {"here": here} | ({"failed": True} if failed else {})
    return stores.parked(world, here, timer, **again)
