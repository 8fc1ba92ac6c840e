"""A replication of EFS: one record with two sides, in ministack's store of replications.

The sides, one in each Region, differ while one is cut off, and after LOCAL_CONFIGURATION_ONLY. The
times of syncs are a sawtooth: nothing is synced while the Regions are apart, so what the destination
says when the source is lost is the achieved recovery point. Used by `efs_replications` and
`cloudwatch`.
https://docs.aws.amazon.com/efs/latest/ug/monitoring-replication-status.html
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.efs_records import Record, shown
from platform_pipelines.local.aws.service import Result

__all__ = ["Record", "active", "all_of", "last_synced", "members", "moment", "of", "regions"]

ORPHAN = "The other side's configuration was deleted; delete this one."
BROKEN = "The file system failed and cannot be recovered; delete the replication configuration."


def new(
    source: Record, target: Record, ends: tuple[str, str], role: str | None, now: float
) -> Record:
    """A replication between two file systems in the Regions `ends`, not enabled yet."""
    destination = {
        "FileSystemId": target["FileSystemId"],
        "Region": ends[1],
        "OwnerId": target["OwnerId"],
    }
    return {
        "SourceFileSystemId": source["FileSystemId"],
        "SourceFileSystemRegion": ends[0],
        "SourceFileSystemArn": source["FileSystemArn"],
        "OriginalSourceFileSystemArn": source["FileSystemArn"],
        "SourceFileSystemOwnerId": source["OwnerId"],
        "CreationTime": now,
        "Destinations": [destination | ({"RoleArn": role} if role else {})],
        "_sides": dict.fromkeys(ends, "ENABLING"),  # Region -> status
        "_messages": {},  # Region -> why it is PAUSED or in ERROR
        "_stalled": False,
    }


def keep(account: str, record: Record) -> None:
    """Store a new replication; an orphan of the same source keeps its place."""
    region, key = record["SourceFileSystemRegion"], record["SourceFileSystemId"]
    store = ministack.service("efs")._replication_configs
    while store.contains_scoped(account, region, key):
        key += "+"
    store.set_scoped(account, region, key, record)


def drop(record: Record) -> None:
    """Forget a replication that no Region knows any more."""
    store = ministack.service("efs")._replication_configs
    for owner, region, key in [key for key, value in store.all_items() if value is record]:
        store.pop_scoped(owner, region, key)


def all_of(account: str) -> list[Record]:
    """Every replication of the account, whichever Region knows of it."""
    items = ministack.service("efs")._replication_configs.all_items()
    return [record for (owner, _, _), record in items if owner == account]


def find(account: str, source: str, created: float) -> Record | None:
    """A replication by its source and the time when it was made."""
    for record in all_of(account):
        if record["SourceFileSystemId"] == source and record["CreationTime"] == created:
            return record
    return None


def of(account: str, file_system: str) -> Record | None:
    """The replication that a file system's own Region knows of."""
    for record in all_of(account):
        for member, region in zip(members(record), regions(record), strict=True):
            if member == file_system and region in record["_sides"]:
                return record
    return None


def members(record: Record) -> tuple[str, str]:
    """The ids of the source and the destination."""
    return record["SourceFileSystemId"], record["Destinations"][0]["FileSystemId"]


def regions(record: Record) -> tuple[str, str]:
    """The Regions of the source and the destination, as AWS names them."""
    return record["SourceFileSystemRegion"], record["Destinations"][0]["Region"]


def active(record: Record) -> bool:
    """Whether it still replicates: known on both sides, and not being deleted."""
    return set(record["_sides"]) == set(regions(record)) and not (
        {"DELETING", "ERROR"} & set(record["_sides"].values())
    )


def last_synced(record: Record) -> float | None:
    """AWS-like Unix time of the last sync; None before the first."""
    value: float | None = record["Destinations"][0].get("_last")
    return value


def sync(record: Record, now: float, period: float, behind: float = 0.0) -> None:
    """Move the last sync on by whole periods, so that late timers do not bend the sawtooth; it stays
    `behind` seconds back, and never moves back."""
    last = None if record["_stalled"] else last_synced(record)
    synced = now if last is None else last + (now - last) // period * period
    known = last_synced(record)
    if behind:
        synced = max(now - behind, record["CreationTime"])
    record["Destinations"][0]["_last"] = synced if known is None else max(known, synced)
    record["_stalled"] = bool(behind)
    state(record, "ENABLED")


def state(record: Record, status: str, message: str = "") -> None:
    """Set the status of both sides, and why."""
    record["_sides"] = dict.fromkeys(record["_sides"], status)
    record["_messages"] = dict.fromkeys(record["_sides"], message) if message else {}


def view(record: Record, region: str) -> Result:
    """A replication as one of its Regions describes it."""
    destination = shown(record["Destinations"][0])
    destination["Status"] = record["_sides"][region]
    if message := record["_messages"].get(region):
        destination["StatusMessage"] = message
    last = last_synced(record)
    if last is not None:
        destination["LastReplicatedTimestamp"] = moment(last)
    created = moment(record["CreationTime"])
    return shown(record) | {"CreationTime": created, "Destinations": [destination]}
