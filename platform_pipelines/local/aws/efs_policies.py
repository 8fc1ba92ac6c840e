"""EFS: what is configured of a file system beside itself: policies, backup, lifecycle, tags.

https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import efs_records as records
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.efs_records import Record
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

_BACKUP = "efs_backup_policy"
_CHANGING = {"ENABLED": "ENABLING", "DISABLED": "DISABLING"}
_TAGS = 50  # of a resource
_ABSENT = ("FileSystemNotFound",)
_UNSETTLED = ("FileSystemNotFound", "IncorrectFileSystemLifeCycleState")
_NO_RESOURCE = ("BadRequest", "FileSystemNotFound", "AccessPointNotFound")
_LONG = {"ResourceIdType": "LONG_ID", "Resources": ["FILE_SYSTEM", "MOUNT_TARGET"]}


class Policies(Service):
    """The operations of policies, backup, lifecycle and account preferences."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_BACKUP, self._backup_changed)

    @operation(raises=("BadRequest", "InvalidPolicyException", *_UNSETTLED))
    def PutFileSystemPolicy(self, call: Call) -> Result:  # noqa: N802
        records.available(call.params["FileSystemId"])
        return stores.ask(call)

    @operation(raises=("PolicyNotFound", *_ABSENT))
    def DescribeFileSystemPolicy(self, call: Call) -> Result:  # noqa: N802
        record = records.file_system(call.params["FileSystemId"])
        if not record.get("FileSystemPolicy"):
            message = f"File system {record['FileSystemId']!r} has the default policy only."
            raise Fault("PolicyNotFound", message)
        return {"FileSystemId": record["FileSystemId"], "Policy": record["FileSystemPolicy"]}

    @operation(raises=_UNSETTLED)
    def DeleteFileSystemPolicy(self, call: Call) -> Result:  # noqa: N802
        records.available(call.params["FileSystemId"]).pop("FileSystemPolicy", None)
        return {}

    @operation(raises=("ValidationException", *_UNSETTLED), states="ENABLING → ENABLED")
    def PutBackupPolicy(self, call: Call) -> Result:  # noqa: N802
        record = records.available(call.params["FileSystemId"])
        wanted = call.params["BackupPolicy"]["Status"]
        if wanted not in _CHANGING:
            raise Fault("ValidationException", "Status must be ENABLED or DISABLED.")
        identifier = record["FileSystemId"]
        now = _backup(identifier)
        if now["Status"] != wanted:
            records.module()._backup_policies[identifier] = {"Status": _CHANGING[wanted]}
            about = {"account": call.account, "file_system": identifier, "to": wanted}
            where = {"region": call.region, "resource": identifier}
            self.world.transition(_BACKUP, _BACKUP, **where, place=call.region, **about)
        return {"BackupPolicy": dict(_backup(identifier))}

    @operation(raises=_ABSENT)
    def DescribeBackupPolicy(self, call: Call) -> Result:  # noqa: N802
        identifier = records.file_system(call.params["FileSystemId"])["FileSystemId"]
        return {"BackupPolicy": dict(_backup(identifier))}

    @operation(raises=("BadRequest", *_UNSETTLED))
    def PutLifecycleConfiguration(self, call: Call) -> Result:  # noqa: N802
        """Each policy is one transition of its own, as AWS wants it."""
        identifier = records.available(call.params["FileSystemId"])["FileSystemId"]
        policies: list[dict[str, Any]] = call.params["LifecyclePolicies"]
        named = [name for policy in policies for name in policy]
        if any(len(policy) != 1 for policy in policies) or len(set(named)) != len(named):
            records.bad("Each lifecycle policy has one transition, and each transition one policy.")
        records.module()._lifecycle_configs[identifier] = policies
        return {"LifecyclePolicies": policies}

    @operation(raises=_ABSENT)
    def DescribeLifecycleConfiguration(self, call: Call) -> Result:  # noqa: N802
        identifier = records.file_system(call.params["FileSystemId"])["FileSystemId"]
        return {"LifecyclePolicies": records.module()._lifecycle_configs.get(identifier, [])}

    @operation(raises=("BadRequest",))
    def PutAccountPreferences(self, call: Call) -> Result:  # noqa: N802
        """Short ids are gone from AWS since 2021."""
        if call.params["ResourceIdType"] != "LONG_ID":
            records.bad("Only LONG_ID is supported.")
        return {"ResourceIdPreference": _LONG}

    @operation
    def DescribeAccountPreferences(self, call: Call) -> Result:  # noqa: ARG002, N802
        return {"ResourceIdPreference": _LONG}

    @operation(raises=_NO_RESOURCE)
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        record = _tagged(call.params["ResourceId"])
        tags = {one["Key"]: one["Value"] for one in (*record["Tags"], *call.params["Tags"])}
        if len(tags) > _TAGS:
            records.bad(f"A resource has at most {_TAGS} tags.")
        record["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {}

    @operation(raises=_NO_RESOURCE)
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        record = _tagged(call.params["ResourceId"])
        keys = set(call.params["TagKeys"])
        record["Tags"] = [one for one in record["Tags"] if one["Key"] not in keys]
        return {}

    @operation(raises=_NO_RESOURCE)
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        tags = _tagged(call.params["ResourceId"])["Tags"]
        marker = ("NextToken", "NextToken")
        return records.paged(tags, call.params, "Tags", marker=marker, limit="MaxResults")

    def _backup_changed(
        self, account: str, place: str, file_system: str, to: str, failed: bool = False
    ) -> None:
        """`place` is the Region (AWS name); a failed change leaves what was before."""
        with ministack.scope(account, place):
            if records.store("file_systems").get(file_system) is None:
                return
            kept = "DISABLED" if to == "ENABLED" else "ENABLED"
            records.module()._backup_policies[file_system] = {"Status": kept if failed else to}


def _backup(identifier: str) -> dict[str, str]:
    found: dict[str, str] | None = records.module()._backup_policies.get(identifier)
    return found or {"Status": "DISABLED"}


def _tagged(value: str) -> Record:
    """What carries tags: a file system or an access point. Raises: Fault."""
    kind = records.bare(value).partition("-")[0]
    if kind == "fsap":
        return records.access_point(value)
    if kind != "fs":
        records.bad(f"{value!r} names neither a file system nor an access point.")
    return records.file_system(value)
