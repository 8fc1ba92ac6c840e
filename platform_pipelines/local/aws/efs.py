"""EFS: the operations of replication; file systems and the rest are ministack's.

ENABLING → ENABLED with the first sync; DELETING → gone, and the destination takes writes again.
https://docs.aws.amazon.com/efs/latest/ug/efs-replication.html
"""

from typing import Any, NoReturn

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_file_systems as files
from platform_pipelines.local.aws import efs_replication as replication
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.efs_replication import Record
from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation

_SYNC, _DELETED = "efs_sync", "efs_deleted"


class Efs(Service):
    """The operations of replication; ministack's for the rest."""

    name = "efs"
    passes = frozenset(
        {
            *("DeleteFileSystem", "UpdateFileSystem", "UpdateFileSystemProtection"),
            *("CreateMountTarget", "DescribeMountTargets", "DeleteMountTarget"),
            *("DescribeMountTargetSecurityGroups", "ModifyMountTargetSecurityGroups"),
            *("CreateAccessPoint", "DescribeAccessPoints", "DeleteAccessPoint"),
            *("TagResource", "UntagResource", "ListTagsForResource"),
            *("PutFileSystemPolicy", "DescribeFileSystemPolicy", "DeleteFileSystemPolicy"),
            *("PutBackupPolicy", "DescribeBackupPolicy"),
            *("PutLifecycleConfiguration", "DescribeLifecycleConfiguration"),
            *("PutAccountPreferences", "DescribeAccountPreferences"),
        }
    )

    def start(self) -> None:
        self.world.timers.on(_SYNC, self._sync)
        self.world.timers.on(_DELETED, self._deleted)
        # So that deletion and protection of a file system see a replication where it is known.
        self._module.__dict__["_replication_of"] = self._known_replication_of

    @property
    def _module(self) -> Any:
        return ministack.service("efs")

    @operation
    def CreateFileSystem(self, call: Call) -> Result:  # noqa: N802
        token = call.params["CreationToken"]
        if any(item["CreationToken"] == token for item in self._module._file_systems.values()):
            message = f"File system with creation token {token!r} already exists."
            raise Fault("FileSystemAlreadyExists", message, 409)
        return stores.ask(call)

    @operation
    def DescribeFileSystems(self, call: Call) -> Result:  # noqa: N802
        wanted, token = call.params.get("FileSystemId"), call.params.get("CreationToken")
        found = list(self._module._file_systems.values())
        if wanted:
            found = [self._file_system(call.account, call.region, _id(wanted))]
        if token:
            found = [item for item in found if item["CreationToken"] == token]
        views = [files.view(item) for item in found]
        shown, marker = _page(views, call.params.get("Marker"), call.params.get("MaxItems", 100))
        return {"FileSystems": shown} | ({"NextMarker": marker} if marker else {})

    @operation
    def CreateReplicationConfiguration(self, call: Call) -> Result:  # noqa: N802
        source = self._file_system(
            call.account, call.region, _id(call.params["SourceFileSystemId"])
        )
        destinations = call.params["Destinations"]
        if len(destinations) != 1:
            _bad("Exactly one destination is supported.")
        self._check_free(call.account, source["FileSystemId"])
        wanted = destinations[0]
        region = wanted.get("Region") or call.region
        if stores.dark(self.world, region):
            raise Fault("InternalServerError", f"The Region {region} could not be reached.", 500)
        target = self._destination(call, source, wanted, region)
        target["FileSystemProtection"] = {"ReplicationOverwriteProtection": "REPLICATING"}
        ends = (call.region, region)
        record = replication.new(source, target, ends, wanted.get("RoleArn"), self.world.now())
        self._module._replication_configs[source["FileSystemId"]] = record
        self._later(_SYNC, self.world.durations.efs_replication_enabling, call.account, record)
        return replication.view(record, call.region)

    @operation
    def DescribeReplicationConfigurations(self, call: Call) -> Result:  # noqa: N802
        known = [item for item in replication.all_of(call.account) if call.region in item["_sides"]]
        known.sort(key=lambda item: str(item["SourceFileSystemId"]))
        if wanted := call.params.get("FileSystemId"):
            known = [item for item in known if _id(wanted) in replication.members(item)]
            if not known:
                self._file_system(call.account, call.region, _id(wanted))
                _not_replicated(_id(wanted))
        limit = call.params.get("MaxResults", 100)
        shown, token = _page(known, call.params.get("NextToken"), limit)
        views = [replication.view(item, call.region) for item in shown]
        return {"Replications": views} | ({"NextToken": token} if token else {})

    @operation
    def DeleteReplicationConfiguration(self, call: Call) -> Result:  # noqa: N802
        """Named by the source's id in either Region. AWS lists no error for a second delete while
        the first one runs; here it is accepted and changes nothing."""
        record = self._replication_to_delete(call)
        local = call.params.get("DeletionMode") == "LOCAL_CONFIGURATION_ONLY"
        if local and record["SourceFileSystemRegion"] == record["Destinations"][0]["Region"]:
            _bad("LOCAL_CONFIGURATION_ONLY is not valid within one Region.")
        sides: dict[str, str] = record["_sides"]
        ending = [call.region] if local else list(sides)
        if sides[call.region] != "DELETING":
            for side in ending:
                sides[side] = "DELETING"
            delay = self.world.durations.efs_replication_deleting
            self._later(_DELETED, delay, call.account, record, sides=ending)
        return {}

    def _replication_to_delete(self, call: Call) -> Record:
        source_id = _id(call.params["SourceFileSystemId"])
        record = self._find(call.account, source_id)
        if record is None or call.region not in record["_sides"]:
            regions = [region.name for region in self.world.platform.regions]
            stored = self._module._file_systems
            if not any(stored.get_scoped(call.account, name, source_id) for name in regions):
                _no_file_system(source_id)
            _not_replicated(source_id)
        return record

    def _destination(self, call: Call, source: Record, wanted: Params, region: str) -> Record:
        with ministack.scope(call.account, region):
            if "FileSystemId" not in wanted:
                return self._new_destination(source, wanted)
            target = self._file_system(call.account, region, _id(wanted["FileSystemId"]))
        if target is source:
            _bad("The source and the destination are the same file system.")
        self._check_free(call.account, target["FileSystemId"])
        if files.protection(target) != "DISABLED":
            _bad("The destination's replication overwrite protection must be DISABLED.")
        if source.get("Encrypted") and not target.get("Encrypted"):
            message = "The source file system is encrypted but the destination is not."
            raise Fault("ConflictException", message, 409)
        return target

    def _new_destination(self, source: Record, wanted: Params) -> Record:
        body = {
            "PerformanceMode": source["PerformanceMode"],
            "Encrypted": bool(source.get("Encrypted") or wanted.get("KmsKeyId")),
            **_only(wanted, "KmsKeyId", "AvailabilityZoneName"),
        }
        before = set(self._module._file_systems)
        self._module._create_file_system(body)
        (created,) = set(self._module._file_systems) - before
        record: Record = self._module._file_systems[created]
        return record

    def _sync(self, account: str, source: str, created: float) -> None:
        """Replicate once, if both Regions are up, and come again after the interval."""
        record = self._find(account, source)
        if record is None or record["CreationTime"] != created or not replication.active(record):
            return
        period = max(1.0, self.world.durations.efs_replication_sync)
        if any(stores.dark(self.world, region) for region in record["_sides"]):
            record["_stalled"] = True
        else:
            replication.sync(record, self.world.now(), period)
        self._later(_SYNC, period, account, record)

    def _deleted(self, account: str, source: str, created: float, sides: list[str]) -> None:
        """A deletion is done: the destination takes writes again where the sides include it."""
        record = self._find(account, source)
        if record is None or record["CreationTime"] != created:
            return
        destination = record["Destinations"][0]
        for side in sides:
            record["_sides"].pop(side, None)
        if destination["Region"] in sides:
            target = self._module._file_systems.get_scoped(
                account, destination["Region"], destination["FileSystemId"]
            )
            target["FileSystemProtection"] = {"ReplicationOverwriteProtection": "ENABLED"}
        for orphan in record["_sides"]:
            record["_sides"][orphan] = "ERROR"
        if not record["_sides"]:
            region = record["SourceFileSystemRegion"]
            self._module._replication_configs.pop_scoped(account, region, source)

    def _later(self, kind: str, delay: float, account: str, record: Record, **more: Any) -> None:
        source, created = record["SourceFileSystemId"], record["CreationTime"]
        self.world.timers.after(
            delay, kind, account=account, source=source, created=created, **more
        )

    def _find(self, account: str, source_id: str) -> Record | None:
        known = replication.all_of(account)
        return next((item for item in known if item["SourceFileSystemId"] == source_id), None)

    def _file_system(self, account: str, region: str, identifier: str) -> Record:
        found: Record | None = self._module._file_systems.get_scoped(account, region, identifier)
        if found is None:
            _no_file_system(identifier)
        return found

    def _check_free(self, account: str, identifier: str) -> None:
        if replication.of(account, identifier) is not None:
            _bad(f"File system {identifier!r} is already part of a replication configuration.")

    def _known_replication_of(self, identifier: str) -> Record | None:
        return replication.of(self._module.get_account_id(), identifier)


def _only(params: Params, *keys: str) -> Params:
    return {key: params[key] for key in keys if key in params}


def _id(value: str) -> str:
    return value.rpartition("/")[2]


def _page(items: list[Any], token: str | None, limit: int) -> tuple[list[Any], str | None]:
    try:
        return page(items, token, limit)
    except BadToken:
        _bad("The token is not valid.")


def _bad(message: str) -> NoReturn:
    raise Fault("BadRequest", message, 400)


def _no_file_system(identifier: str) -> NoReturn:
    raise Fault("FileSystemNotFound", f"File system {identifier!r} does not exist.", 404)


def _not_replicated(identifier: str) -> NoReturn:
    message = f"File system {identifier!r} does not have a replication configuration."
    raise Fault("ReplicationNotFound", message, 404)
