"""What EFS remembers: records in ministack's stores, found by id in the Region that is in scope.

Keys that begin with `_` are our notes. Everything else is as AWS describes it, with times as Unix
seconds. Used by all of `efs_*`; nothing else knows how the records are kept.
"""

import re
from typing import Any, NoReturn

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import paging
from platform_pipelines.local.aws.service import Fault, Params, Result

Record = dict[str, Any]

AVAILABLE, CREATING, UPDATING = "available", "creating", "updating"
DELETING, ERROR = "deleting", "error"
_ARN = re.compile(r"arn:aws[-a-z]*:elasticfilesystem:([^:]+):([^:]+):(?:file-system|access-point)/")


def module() -> Any:
    """ministack's EFS."""
    return ministack.service("efs")


def store(name: str) -> Any:
    """One of the stores: `file_systems`, `mount_targets` or `access_points`."""
    return getattr(module(), f"_{name}")


def bare(value: str) -> str:
    """An id, of an id or an ARN."""
    return value.rpartition("/")[2]


def owner(value: str) -> str | None:
    """The account that an ARN names; None of a bare id."""
    match = _ARN.match(value)
    return match[2] if match else None


def file_system(value: str) -> Record:
    """The file system of an id or an ARN. Raises: Fault."""
    found: Record | None = store("file_systems").get(bare(value))
    if found is None:
        no_file_system(value)
    return found


def available(value: str) -> Record:
    """A file system that can be changed now. Raises: Fault."""
    found = file_system(value)
    if found["LifeCycleState"] != AVAILABLE:
        message = f"File system {bare(value)!r} is {found['LifeCycleState']}, not available."
        raise Fault("IncorrectFileSystemLifeCycleState", message)
    return found


def mount_target(identifier: str) -> Record:
    """A mount target. Raises: Fault."""
    found: Record | None = store("mount_targets").get(identifier)
    if found is None:
        raise Fault("MountTargetNotFound", f"Mount target {identifier!r} does not exist.")
    return found


def access_point(value: str) -> Record:
    """The access point of an id or an ARN. Raises: Fault."""
    found: Record | None = store("access_points").get(bare(value))
    if found is None:
        raise Fault("AccessPointNotFound", f"Access point {value!r} does not exist.")
    return found


def of(name: str, file_system_id: str) -> list[Record]:
    """The mount targets or access points of a file system, in the order in which they were made."""
    return [one for one in store(name).values() if one["FileSystemId"] == file_system_id]


def tag(record: Record, key: str) -> str | None:
    """The value of a tag."""
    return next((str(one["Value"]) for one in record["Tags"] if one["Key"] == key), None)


def named(record: Record) -> dict[str, str]:
    """The Name that EFS reads off the tag of that key, if there is one."""
    name = tag(record, "Name")
    return {} if name is None else {"Name": name}


def shown(record: Record, *hidden: str) -> Result:
    """A record without our notes, and without what is hidden."""
    return {
        key: value for key, value in record.items() if not key.startswith("_") and key not in hidden
    }


def paged(
    items: list[Any], params: Params, key: str, *, marker: tuple[str, str], limit: str
) -> Result:
    """A page under `key`; `marker` names the parameter and the answer's member. Raises: Fault."""
    asked, answered = marker
    wrong = Fault("BadRequest", f"The {asked} is not valid.")
    names = (asked, limit)
    return paging.paged(key, items, params, wrong=wrong, limit=100, names=names, answered=answered)


def bad(message: str) -> NoReturn:
    """EFS's word for a request that makes no sense."""
    raise Fault("BadRequest", message)


def no_file_system(value: str) -> NoReturn:
    """There is none of this id."""
    raise Fault("FileSystemNotFound", f"File system {bare(value)!r} does not exist.")
