"""File systems of EFS as AWS describes them; the records are ministack's."""

from platform_pipelines.local.aws.efs_replication import Record, moment
from platform_pipelines.local.aws.service import Result


def view(item: Record) -> Result:
    """A file system as DescribeFileSystems has it."""
    hidden = {"FileSystemPolicy", *(["KmsKeyId"] if not item.get("KmsKeyId") else [])}
    view = {key: value for key, value in item.items() if key not in hidden}
    size = dict(item["SizeInBytes"])
    size["Timestamp"] = moment(size["Timestamp"])
    return view | {
        "CreationTime": moment(item["CreationTime"]),
        "SizeInBytes": size,
        "FileSystemProtection": {"ReplicationOverwriteProtection": protection(item)},
    }


def protection(item: Record) -> str:
    """Its overwrite protection: ENABLED, DISABLED or REPLICATING."""
    return str(
        item.get("FileSystemProtection", {}).get("ReplicationOverwriteProtection", "ENABLED")
    )
