"""Aurora global clusters: who is a member, who writes, and what each Region knows of it.

There is one truth, and a view of it in each Region, which follows it after a moment, and not at all
while the Regions are apart: so a Region that was cut off goes on believing that it writes. Our notes
in a record begin with `_`. CloudWatch asks `lag`, the other modules of RDS ask who writes.
"""

import copy
from typing import Any

from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.rds_store import (
    GLOBALS,
    LOOK,
    Record,
    name_of,
    region_of,
    tags_of,
)
from platform_pipelines.local.aws.rds_views import shown
from platform_pipelines.local.aws.service import Fault, Result
from platform_pipelines.local.world import World

__all__ = ["Views", "all_of", "find", "lag", "region_of", "secondaries", "writer_of"]

CONNECTED, RESYNC = "connected", "pending-resync"
_VIEW = "rds_global_view"
_CATCH_UP = 10.0  # how many times faster than it was written a backlog is read
# What a Region may know late.
_SEEN = ("Status", "FailoverState", "GlobalClusterMembers", "EngineVersion", "DeletionProtection")


class Views:
    """Tells the Regions of one world what became of a global cluster."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.timers.on(_VIEW, self._follow)

    def publish(self, account: str, record: Record, origin: str) -> None:
        """A change was made in the Region `origin`: it knows at once, the others follow."""
        record["_views"][origin] = _copy(record)
        others = {region.name for region in self._world.platform.regions} - {origin}
        delay = self._world.durations.aurora_view
        for region in sorted(others):
            self._later(delay, account, record["GlobalClusterIdentifier"], origin, region)

    def _follow(self, account: str, identifier: str, origin: str, place: str) -> None:
        record = GLOBALS.get(account, identifier)
        if record is None:
            return
        if stores.apart(self._world, origin, place) or stores.frozen(self._world, place):
            self._later(LOOK, account, identifier, origin, place)
        else:
            record["_views"][place] = _copy(record)

    def _later(self, delay: float, account: str, identifier: str, origin: str, place: str) -> None:
        about = {"account": account, "identifier": identifier, "origin": origin, "place": place}
        if not self._world.timers.pending(_VIEW, **about):
            self._world.timers.after(delay, _VIEW, **about)


def find(account: str, identifier: str) -> Record:
    """A global cluster. Raises: Fault."""
    record = GLOBALS.get(account, name_of(identifier))
    if record is None:
        raise Fault("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found.")
    return record


def all_of(account: str) -> list[Record]:
    """Every global cluster of an account."""
    return GLOBALS.of(account)


def joined(account: str, arn: str) -> Record | None:
    """The global cluster that a DB cluster is a member of."""
    return next((one for one in all_of(account) if member_of(one, arn)), None)


def member_of(record: Record, arn: str) -> Record | None:
    """A DB cluster's entry in a global cluster."""
    members: list[Record] = record["GlobalClusterMembers"]
    return next((one for one in members if one["DBClusterArn"] == arn), None)


def writer_of(record: Record) -> Record | None:
    """The member that takes writes."""
    return next((item for item in record["GlobalClusterMembers"] if item["IsWriter"]), None)


def secondaries(record: Record) -> list[str]:
    """The ARNs of the members that only read."""
    members = record["GlobalClusterMembers"]
    return [item["DBClusterArn"] for item in members if not item["IsWriter"]]


def seen(record: Record, region: str) -> Record:
    """A global cluster as a Region knows it."""
    known: Record = record | record["_views"].get(region, {})
    return known


def is_secondary(account: str, arn: str) -> bool:
    """Whether a DB cluster only reads, as far as its own Region knows."""
    record = joined(account, arn)
    known = member_of(seen(record, region_of(arn)), arn) if record else None
    return known is not None and not known["IsWriter"]


def lag(world: World, account: str, arn: str) -> float | None:
    """Seconds that a secondary is behind the writer; None where AWS measures nothing: for a writer,
    outside of a global cluster, before a resync has ended, and while nothing arrives."""
    record = joined(account, arn)
    member = member_of(record, arn) if record else None
    writer = writer_of(record) if record else None
    if member is None or writer is None or member is writer:
        return None
    source, here = region_of(writer["DBClusterArn"]), region_of(arn)
    if member["SynchronizationStatus"] != CONNECTED or stores.apart(world, source, here):
        return None
    caught_up = (world.now() - member.get("_back", 0.0)) * (_CATCH_UP - 1)
    missed: float = max(0.0, member.get("_missed", 0.0) - caught_up)
    return world.durations.aurora_lag + missed + world.faults.lag("aurora", here, name_of(arn))


def forget_backlog(entry: Record) -> None:
    """A member that was rebuilt, or that writes, has nothing to catch up with."""
    for note in ("_back", "_cut_off", "_missed", "_writes"):
        entry.pop(note, None)


def member(arn: str, *, writer: bool) -> Record:
    """A new entry of a global cluster."""
    return {
        "DBClusterArn": arn,
        "IsWriter": writer,
        "GlobalWriteForwardingStatus": "disabled",
        "SynchronizationStatus": CONNECTED,
    }


def view(account: str, record: Record, region: str) -> Result:
    """A global cluster as a Region describes it."""
    known = seen(record, region)
    members = [
        shown(one) | {"Readers": _readers(known, one)} for one in known["GlobalClusterMembers"]
    ]
    answer = shown(known) | {
        "GlobalClusterMembers": members,
        "Endpoint": endpoint_of(record),
        "TagList": tags_of(account, record["GlobalClusterArn"]),
    }
    return {key: value for key, value in answer.items() if value is not None}


def endpoint_of(record: Record) -> str:
    """The global writer endpoint, which follows the writer."""
    mark = str(record["GlobalClusterResourceId"])[-12:]
    return f"{record['GlobalClusterIdentifier']}.global-{mark}.global.rds.amazonaws.com"


def _readers(record: Record, one: Record) -> list[str]:
    return secondaries(record) if one["IsWriter"] else []


def _copy(record: Record) -> dict[str, Any]:
    return {key: copy.deepcopy(record[key]) for key in _SEEN}
