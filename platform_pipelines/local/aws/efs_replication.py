"""A replication of EFS: one record with two sides, in ministack's store of replications.

The sides, one in each Region, differ after LOCAL_CONFIGURATION_ONLY. The times of syncs are a
sawtooth: nothing is synced while either Region is dark, so what the destination says when the
source is lost is the achieved recovery point. Used by `efs`, `cloudwatch` and the load balancers.
https://docs.aws.amazon.com/efs/latest/ug/monitoring-replication-status.html
"""

from datetime import UTC, datetime
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Result

Record = dict[str, Any]  # as AWS describes it, with `_sides`: Region -> status

_ORPHAN = "The other side's configuration was deleted; delete this one."


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
        "_sides": dict.fromkeys(ends, "ENABLING"),
        "_stalled": False,
    }


def all_of(account: str) -> list[Record]:
    """Every replication of the account, whichever Region knows of it."""
    items = ministack.service("efs")._replication_configs.all_items()
    return [record for (owner, _, _), record in items if owner == account]


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


def sync(record: Record, now: float, period: float) -> None:
    """Move the last sync on by whole periods, so that late timers do not bend the sawtooth."""
    last = None if record["_stalled"] else last_synced(record)
    synced = now if last is None else last + (now - last) // period * period
    record["Destinations"][0]["_last"] = synced
    record["_stalled"] = False
    record["_sides"] = dict.fromkeys(record["_sides"], "ENABLED")


def view(record: Record, region: str) -> Result:
    """A replication as one of its Regions describes it."""
    status = record["_sides"][region]
    destination = {k: v for k, v in record["Destinations"][0].items() if not k.startswith("_")}
    destination["Status"] = status
    if status == "ERROR":
        destination["StatusMessage"] = _ORPHAN
    last = last_synced(record)
    if last is not None:
        destination["LastReplicatedTimestamp"] = moment(last)
    shown = {key: value for key, value in record.items() if not key.startswith("_")}
    return shown | {"CreationTime": moment(record["CreationTime"]), "Destinations": [destination]}


def moment(seconds: float) -> datetime:
    """A Unix time as AWS answers it."""
    return datetime.fromtimestamp(seconds, UTC)
