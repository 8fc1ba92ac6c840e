"""EFS's transitions, for `test_transitions_in_trouble`."""

from tests.local.rehearsals.cases import GONE, Case
from tests.local.rehearsals.rehearsal import Rehearsal, gone


def made_file_system(stage: Rehearsal) -> str:
    """A file system that is being created."""
    return str(stage.aws("efs").create_file_system(CreationToken="new")["FileSystemId"])


def file_system(stage: Rehearsal, identifier: str) -> str:
    """The state of a file system."""
    efs = stage.aws("efs")
    if gone(efs.describe_file_systems, FileSystemId=identifier):
        return GONE
    found = efs.describe_file_systems(FileSystemId=identifier)["FileSystems"][0]
    return str(found["LifeCycleState"])


def deleted_file_system(stage: Rehearsal) -> str:
    """A file system that is being deleted."""
    made = made_file_system(stage)
    stage.wait(15)
    stage.aws("efs").delete_file_system(FileSystemId=made)
    return made


def updated_file_system(stage: Rehearsal) -> str:
    """A file system whose throughput changes."""
    made = made_file_system(stage)
    stage.wait(15)
    stage.aws("efs").update_file_system(FileSystemId=made, ThroughputMode="elastic")
    return made


def made_mount_target(stage: Rehearsal) -> str:
    """A mount target that is being created."""
    efs, made = stage.aws("efs"), made_file_system(stage)
    stage.wait(15)
    subnet = next(iter(stage.places["seoul"].subnets.values()))
    return str(efs.create_mount_target(FileSystemId=made, SubnetId=subnet)["MountTargetId"])


def deleted_mount_target(stage: Rehearsal) -> str:
    """One of the platform's mount targets, being deleted."""
    efs, of = stage.aws("efs"), stage.file_system("seoul")
    identifier = efs.describe_mount_targets(FileSystemId=of)["MountTargets"][0]["MountTargetId"]
    efs.delete_mount_target(MountTargetId=identifier)
    return str(identifier)


def mount_target(stage: Rehearsal, identifier: str) -> str:
    """The state of a mount target."""
    efs = stage.aws("efs")
    if gone(efs.describe_mount_targets, MountTargetId=identifier):
        return GONE
    found = efs.describe_mount_targets(MountTargetId=identifier)["MountTargets"][0]
    return str(found["LifeCycleState"])


def made_access_point(stage: Rehearsal) -> str:
    """An access point that is being created."""
    of = stage.file_system("seoul")
    made = stage.aws("efs").create_access_point(ClientToken="new", FileSystemId=of)
    return str(made["AccessPointId"])


def access_point(stage: Rehearsal, identifier: str) -> str:
    """The state of an access point."""
    found = stage.aws("efs").describe_access_points(AccessPointId=identifier)
    return str(found["AccessPoints"][0]["LifeCycleState"])


def made_replication(stage: Rehearsal) -> str:
    """A replication of a file system into a new one."""
    made = made_file_system(stage)
    stage.wait(15)
    to = {"Region": stage.world.platform.region("tokyo").name}
    stage.aws("efs").create_replication_configuration(SourceFileSystemId=made, Destinations=[to])
    return made


def deleted_replication(stage: Rehearsal) -> str:
    """The platform's replication, being deleted as a failover does it."""
    source = stage.file_system("seoul")
    stage.aws("efs", "tokyo").delete_replication_configuration(SourceFileSystemId=source)
    return source


def replication(stage: Rehearsal, source: str) -> str:
    """The status of a file system's replication, as its destination's Region sees it."""
    found = stage.aws("efs", "tokyo").describe_replication_configurations()["Replications"]
    ours = [one for one in found if one["SourceFileSystemId"] == source]
    return str(ours[0]["Destinations"][0]["Status"]) if ours else GONE


CASES = (
    Case(
        transition="efs_file_system_creating",
        begin=made_file_system,
        look=file_system,
        running="creating",
        failed="error",
        done="available",
    ),
    Case(
        transition="efs_file_system_deleting",
        begin=deleted_file_system,
        look=file_system,
        running="deleting",
        failed="error",
        done=GONE,
    ),
    Case(
        transition="efs_file_system_updating",
        begin=updated_file_system,
        look=file_system,
        running="updating",
        failed="error",
        done="available",
    ),
    Case(
        transition="efs_mount_target_creating",
        begin=made_mount_target,
        look=mount_target,
        running="creating",
        failed="error",
        done="available",
    ),
    Case(
        transition="efs_mount_target_deleting",
        begin=deleted_mount_target,
        look=mount_target,
        running="deleting",
        failed="error",
        done=GONE,
    ),
    Case(
        transition="efs_access_point_creating",
        begin=made_access_point,
        look=access_point,
        running="creating",
        failed="error",
        done="available",
    ),
    Case(
        transition="efs_replication_enabling",
        begin=made_replication,
        look=replication,
        running="ENABLING",
        failed="ERROR",
        done="ENABLED",
    ),
    Case(
        transition="efs_replication_deleting",
        begin=deleted_replication,
        look=replication,
        running="DELETING",
        failed="ERROR",
        done=GONE,
    ),
)
