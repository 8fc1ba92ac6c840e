"""The resource types of EFS, through its API: a file system is complete when it is available, a
mount target when it has been made in its zone."""

import json
from typing import Any
from uuid import uuid4

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Fault


class _Efs(ResourceType):
    """What every thing of EFS has: tags by its id, and a life cycle."""

    tags: str  # the property that has them

    def _create(self, operation: str, props: Properties) -> dict[str, Any]:
        rest = {name: value for name, value in props.items() if name != self.tags}
        params = parameters("efs", operation, rest)
        if props.get(self.tags):
            params["Tags"] = props[self.tags]
        return self.call("efs", operation, params)

    def _retag(self, id_: str, old: Properties, new: Properties) -> None:
        before, after = old.get(self.tags), new.get(self.tags)
        retag(self.call, "efs", {"ResourceId": id_}, before, after)

    def _refuse(self, one: Existing, new: Properties, *known: str) -> None:
        if unknown := changed(one.properties, new) - {self.tags, *known}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")

    @staticmethod
    def _look(found: dict[str, Any], made: Made, actual: Properties) -> Look:
        state = found["LifeCycleState"]
        condition = judge(state, ready=("available",), failed=("error",), gone=("deleted",))
        return Look(condition=condition, reason=f"it is {state}", made=made, actual=actual)


class FileSystem(_Efs):
    """AWS::EFS::FileSystem. Its replication belongs to whoever runs the platform, not to a stack."""

    name = "AWS::EFS::FileSystem"
    create_only = ("AvailabilityZoneName", "Encrypted", "KmsKeyId", "PerformanceMode")
    reads = frozenset(
        {
            *("Encrypted", "KmsKeyId", "PerformanceMode", "ThroughputMode", "FileSystemTags"),
            *("FileSystemProtection", "LifecyclePolicies"),
        }
    )
    tags = "FileSystemTags"

    _LATER = ("BackupPolicy", "FileSystemPolicy", "FileSystemProtection", "LifecyclePolicies")

    def create(self, props: Properties) -> Made:
        known = {name: value for name, value in props.items() if name not in self._LATER}
        token = {"CreationToken": str(uuid4())}
        return self._made(self._create("CreateFileSystem", known | token))

    def settle(self, one: Existing) -> bool:
        self._apply(one.id, {}, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        throughput = {"ThroughputMode", "ProvisionedThroughputInMibps"}
        self._refuse(one, new, *throughput, *self._LATER)
        if changed(one.properties, new) & throughput:
            wanted = {name: new[name] for name in throughput & new.keys()}
            params = parameters("efs", "UpdateFileSystem", {"ThroughputMode": "bursting"} | wanted)
            self.call("efs", "UpdateFileSystem", params | {"FileSystemId": one.id})
        self._apply(one.id, one.properties, new)
        self._retag(one.id, one.properties, new)
        return self._made(self._found(one.id))

    def delete(self, one: Existing) -> None:
        self.call("efs", "DeleteFileSystem", {"FileSystemId": one.id})

    def look(self, one: Existing) -> Look:
        found, key = self._found(one.id), {"FileSystemId": one.id}
        policies = self.call("efs", "DescribeLifecycleConfiguration", key)["LifecyclePolicies"]
        names = ("Encrypted", "KmsKeyId", "PerformanceMode", "ThroughputMode")
        actual = {name: found[name] for name in names if name in found}
        actual |= {"FileSystemTags": found.get("Tags", []), "LifecyclePolicies": policies}
        if "FileSystemProtection" in found:
            actual["FileSystemProtection"] = found["FileSystemProtection"]
        return self._look(found, self._made(found), actual)

    def _apply(self, id_: str, old: Properties, new: Properties) -> None:
        """What has operations of its own, and an available file system as its condition."""
        for name in sorted(changed(old, new) & {*self._LATER}):
            value = new.get(name)
            match name:
                case "LifecyclePolicies":
                    self._call("PutLifecycleConfiguration", id_, {name: value or []})
                case "BackupPolicy":
                    self._call("PutBackupPolicy", id_, {name: value or {"Status": "DISABLED"}})
                case "FileSystemProtection":
                    protection = value or {"ReplicationOverwriteProtection": "ENABLED"}
                    self._call("UpdateFileSystemProtection", id_, protection)
                case "FileSystemPolicy":
                    self._call("PutFileSystemPolicy", id_, {"Policy": _text(value)})

    def _call(self, operation: str, id_: str, props: Properties) -> None:
        params = parameters("efs", operation, props)
        self.call("efs", operation, params | {"FileSystemId": id_})

    def _found(self, id_: str) -> dict[str, Any]:
        asked = {"FileSystemId": id_}
        return dict(self.call("efs", "DescribeFileSystems", asked)["FileSystems"][0])

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        id_, arn = found["FileSystemId"], found["FileSystemArn"]
        return Made(id=id_, attributes={"FileSystemId": id_, "Arn": arn})


class MountTarget(_Efs):
    """AWS::EFS::MountTarget."""

    name = "AWS::EFS::MountTarget"
    create_only = ("FileSystemId", "IpAddress", "IpAddressType", "Ipv6Address", "SubnetId")
    reads = frozenset({"FileSystemId", "SecurityGroups", "SubnetId"})
    tags = ""

    def create(self, props: Properties) -> Made:
        return self._made(self._create("CreateMountTarget", props))

    def update(self, one: Existing, new: Properties) -> Made:
        self._refuse(one, new, "SecurityGroups")
        params = {"MountTargetId": one.id, "SecurityGroups": new.get("SecurityGroups", [])}
        self.call("efs", "ModifyMountTargetSecurityGroups", params)
        return self._made(self._found(one.id))

    def delete(self, one: Existing) -> None:
        self.call("efs", "DeleteMountTarget", {"MountTargetId": one.id})

    def look(self, one: Existing) -> Look:
        found, key = self._found(one.id), {"MountTargetId": one.id}
        actual = {name: found[name] for name in ("FileSystemId", "SubnetId")}
        if found["LifeCycleState"] == "available":
            groups = self.call("efs", "DescribeMountTargetSecurityGroups", key)["SecurityGroups"]
            actual["SecurityGroups"] = groups
        return self._look(found, self._made(found), actual)

    def _found(self, id_: str) -> dict[str, Any]:
        asked = {"MountTargetId": id_}
        return dict(self.call("efs", "DescribeMountTargets", asked)["MountTargets"][0])

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        attributes = {"Id": found["MountTargetId"], "IpAddress": found.get("IpAddress", "")}
        return Made(id=found["MountTargetId"], attributes=attributes)


class AccessPoint(_Efs):
    """AWS::EFS::AccessPoint."""

    name = "AWS::EFS::AccessPoint"
    create_only = ("ClientToken", "FileSystemId", "PosixUser", "RootDirectory")
    reads = frozenset({"FileSystemId", "PosixUser", "RootDirectory", "AccessPointTags"})
    tags = "AccessPointTags"

    def create(self, props: Properties) -> Made:
        token = {"ClientToken": str(uuid4())}
        return self._made(self._create("CreateAccessPoint", token | props))

    def update(self, one: Existing, new: Properties) -> Made:
        self._refuse(one, new)
        self._retag(one.id, one.properties, new)
        return self._made(self._found(one.id))

    def delete(self, one: Existing) -> None:
        self.call("efs", "DeleteAccessPoint", {"AccessPointId": one.id})

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        names = ("FileSystemId", "PosixUser", "RootDirectory")
        actual = {name: found[name] for name in names if name in found}
        actual["AccessPointTags"] = found.get("Tags", [])
        return self._look(found, self._made(found), actual)

    def _found(self, id_: str) -> dict[str, Any]:
        asked = {"AccessPointId": id_}
        return dict(self.call("efs", "DescribeAccessPoints", asked)["AccessPoints"][0])

    @staticmethod
    def _made(found: dict[str, Any]) -> Made:
        id_, arn = found["AccessPointId"], found["AccessPointArn"]
        return Made(id=id_, attributes={"AccessPointId": id_, "Arn": arn})


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)
