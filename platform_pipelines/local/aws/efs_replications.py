"""EFS: the operations of replication.

ENABLING → ENABLED with the first sync; PAUSING → PAUSED while EFS may not replicate; ERROR when it
cannot ever again; DELETING → gone, and the destination takes writes again. Each Region sees its own
side: one that is cut off hears of a deletion when it is back.
https://docs.aws.amazon.com/efs/latest/ug/efs-replication.html
"""

from typing import Any, NoReturn

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_file_systems as files
from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws import efs_replication as replication
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.answers import taken
from platform_pipelines.local.aws.efs_file_systems import FileSystems
from platform_pipelines.local.aws.efs_permission import why_not
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

_SYNC, _DELETED, _TELL = "efs_sync", "efs_deleted", "efs_tell"
_LATER = 5.0  # AWS-like seconds until the next try to tell the other Region


class Replications(FileSystems):
    """The operations of replication, over those of file systems."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_SYNC, self._sync)
        self.world.timers.on(_DELETED, self._deleted)
        self.world.timers.on(_TELL, self._tell)
        # ministack's own code asks this before it deletes or changes a file system.
        records.module().__dict__["_replication_of"] = lambda identifier: replication.of(
            records.module().get_account_id(), identifier
        )

    @operation(
        raises=(
            *("BadRequest", "FileSystemNotFound", "IncorrectFileSystemLifeCycleState"),
            *("ConflictException", "InternalServerError", "ValidationException"),
        ),
        states="ENABLING → ENABLED → PAUSING → PAUSED | ERROR",
    )
    def CreateReplicationConfiguration(self, call: Call) -> Result:  # noqa: N802
        source = records.available(call.params["SourceFileSystemId"])
        destinations = call.params["Destinations"]
        if len(destinations) != 1:
            records.bad("Exactly one destination is supported.")
        _check_free(call.account, source["FileSystemId"])
        wanted = destinations[0]
        region = _region(call, wanted)
        if stores.apart(self.world, call.region, region):
            raise Fault("InternalServerError", f"The Region {region} could not be reached.")
        target = self._destination(call, source, wanted, region)
        target["FileSystemProtection"] = {"ReplicationOverwriteProtection": "REPLICATING"}
        ends = (call.region, region)
        record = replication.new(source, target, ends, wanted.get("RoleArn"), self.world.now())
        replication.keep(call.account, record)
        self._next_sync("efs_replication_enabling", call.account, record)
        return replication.view(record, call.region)

    @operation(raises=("BadRequest", "FileSystemNotFound", "ReplicationNotFound"))
    def DescribeReplicationConfigurations(self, call: Call) -> Result:  # noqa: N802
        known = [item for item in replication.all_of(call.account) if call.region in item["_sides"]]
        known.sort(key=lambda item: str(item["SourceFileSystemId"]))
        if wanted := call.params.get("FileSystemId"):
            known = [item for item in known if records.bare(wanted) in replication.members(item)]
            if not known:
                _not_replicated(records.file_system(wanted)["FileSystemId"])
        token = ("NextToken", "NextToken")
        part = records.paged(known, call.params, "Replications", marker=token, limit="MaxResults")
        views = [replication.view(item, call.region) for item in part["Replications"]]
        return part | {"Replications": views}

    @operation(
        raises=("BadRequest", "FileSystemNotFound", "ReplicationNotFound"),
        states="DELETING → gone | ERROR",
    )
    def DeleteReplicationConfiguration(self, call: Call) -> Result:  # noqa: N802
        """Named by the source's id in either Region. AWS lists no error for a second delete while
        the first one runs; here it is accepted and changes nothing."""
        record = self._known(call)
        local = call.params.get("DeletionMode") == "LOCAL_CONFIGURATION_ONLY"
        source, destination = replication.regions(record)
        if local and source == destination:
            records.bad("LOCAL_CONFIGURATION_ONLY is not valid within one Region.")
        if record["_sides"][call.region] == "DELETING":
            return {}
        self._delete_side(call.account, record, call.region, orphans=local)
        for other in set(record["_sides"]) - {call.region} if not local else ():
            self._tell(**_args(call.account, record), place=other, asked=call.region)
        return {}

    def _known(self, call: Call) -> Record:
        """The replication of a source that the call's Region knows. Raises: Fault."""
        source = records.bare(call.params["SourceFileSystemId"])
        known = [one for one in replication.all_of(call.account) if call.region in one["_sides"]]
        found = next((one for one in known if one["SourceFileSystemId"] == source), None)
        if found is None:
            places = {call.region} | {region.name for region in self.world.platform.regions}
            store = records.store(files.STORE)
            if not any(store.contains_scoped(call.account, name, source) for name in places):
                records.no_file_system(source)
            _not_replicated(source)
        return found

    def _destination(self, call: Call, source: Record, wanted: Params, region: str) -> Record:
        with ministack.scope(call.account, region):
            if "FileSystemId" not in wanted:
                body = {
                    "PerformanceMode": source["PerformanceMode"],
                    "Encrypted": bool(source.get("Encrypted") or wanted.get("KmsKeyId")),
                    **taken(wanted, "KmsKeyId", "AvailabilityZoneName"),
                }
                return self.create(call.account, region, body)
            target = records.available(wanted["FileSystemId"])
        if target is source:
            records.bad("The source and the destination are the same file system.")
        _check_free(call.account, target["FileSystemId"])
        if files.protection(target) != "DISABLED":
            records.bad("The destination's replication overwrite protection must be DISABLED.")
        if source.get("Encrypted") and not target.get("Encrypted"):
            message = "The source file system is encrypted but the destination is not."
            raise Fault("ConflictException", message)
        return target

    def _sync(self, account: str, source: str, created: float, failed: bool = False) -> None:
        """Replicate once, if both Regions are up, and come again after the interval."""
        record = replication.find(account, source, created)
        if record is None or not replication.active(record):
            return
        if failed:
            replication.state(record, "ERROR", replication.BROKEN)
            return
        if stores.apart(self.world, *replication.regions(record)):
            record["_stalled"] = True
        elif reason := why_not(account, record):
            paused = set(record["_sides"].values()) <= {"PAUSING", "PAUSED"}
            replication.state(record, "PAUSED" if paused else "PAUSING", reason)
            record["_stalled"] = True
        else:
            period = self.world.durations.efs_replication_sync
            replication.sync(record, self.world.now(), period, self._behind(record))
        self._next_sync("efs_replication_sync", account, record)

    def _behind(self, record: Record) -> float:
        """Extra seconds that a fault keeps the destination back; it names either file system."""
        region = replication.regions(record)[1]
        return max(
            self.world.faults.lag("efs", region, member) for member in replication.members(record)
        )

    def _next_sync(self, transition: str, account: str, record: Record) -> None:
        about = {
            "region": replication.regions(record)[1],
            "resource": record["SourceFileSystemId"],
        }
        self.world.transition(transition, _SYNC, **about, **_args(account, record))

    def _tell(self, account: str, source: str, created: float, place: str, asked: str) -> None:
        """Have the other Region delete its side, as soon as it can be reached."""
        record = replication.find(account, source, created)
        if record is None or record["_sides"].get(place, "DELETING") == "DELETING":
            return
        if stores.apart(self.world, asked, place):
            about = _args(account, record) | {"place": place, "asked": asked}
            self.world.timers.after(_LATER, _TELL, **about)
        else:
            self._delete_side(account, record, place, orphans=False)

    def _delete_side(self, account: str, record: Record, place: str, *, orphans: bool) -> None:
        record["_sides"][place] = "DELETING"
        about = {"place": place, "orphans": orphans}
        self.world.transition(
            "efs_replication_deleting",
            _DELETED,
            region=place,
            resource=record["SourceFileSystemId"],
            **_args(account, record),
            **about,
        )

    def _deleted(
        self,
        account: str,
        source: str,
        created: float,
        place: str,
        orphans: bool,
        failed: bool = False,
    ) -> None:
        """A side is gone; a destination takes writes again."""
        record = replication.find(account, source, created)
        if record is None or place not in record["_sides"]:
            return
        if failed:
            record["_sides"][place] = "ERROR"
            record["_messages"][place] = replication.BROKEN
            return
        del record["_sides"][place]
        record["_messages"].pop(place, None)
        if place == replication.regions(record)[1]:
            _release(account, record)
        if orphans:
            replication.state(record, "ERROR", replication.ORPHAN)
        if not record["_sides"]:
            replication.drop(record)


def _release(account: str, record: Record) -> None:
    """Give the destination back to its clients."""
    _, region = replication.regions(record)
    target = records.store(files.STORE).get_scoped(account, region, replication.members(record)[1])
    if target is not None:
        target["FileSystemProtection"] = {"ReplicationOverwriteProtection": "ENABLED"}


def _region(call: Call, wanted: Params) -> str:
    """The destination's Region. Raises: Fault, for another account's file system."""
    identifier = wanted.get("FileSystemId", "")
    account = records.owner(identifier)
    if account not in (None, call.account):
        message = f"Account {account} is not in the local Regions: replicate within one account."
        raise Fault("ValidationException", message)
    named = identifier.split(":")[3] if account else call.region
    region = str(wanted.get("Region", named))
    if account and region != named:
        records.bad(f"{identifier!r} is not in {region}.")
    return region


def _args(account: str, record: Record) -> dict[str, Any]:
    """What names a replication in a timer."""
    return {
        "account": account,
        "source": record["SourceFileSystemId"],
        "created": record["CreationTime"],
    }


def _check_free(account: str, identifier: str) -> None:
    if replication.of(account, identifier) is not None:
        records.bad(f"File system {identifier!r} is already part of a replication configuration.")


def _not_replicated(identifier: str) -> NoReturn:
    message = f"File system {identifier!r} does not have a replication configuration."
    raise Fault("ReplicationNotFound", message)
