"""What keeps a DB cluster from being deleted, and the snapshot that is left of it."""

from platform_pipelines.local.aws import rds_global
from platform_pipelines.local.aws.rds_store import SNAPSHOTS, Record, check_name, instances_of
from platform_pipelines.local.aws.service import Call, Fault, Params

_STATE = "InvalidDBClusterStateFault"


def check(call: Call, record: Record) -> None:
    """Refuse to delete a cluster that something holds. Raises: Fault."""
    if record["DeletionProtection"]:
        text = "Cannot delete protected Cluster, please disable deletion protection and try again."
        raise Fault("InvalidParameterCombination", text)
    if record["Status"] == "deleting":
        raise Fault(_STATE, f"{record['DBClusterIdentifier']} is being deleted already.")
    if rds_global.joined(call.account, record["DBClusterArn"]):
        text = "This cluster is a part of a global cluster, please remove it from globalcluster"
        raise Fault(_STATE, f"{text} first")
    if any(one["DBInstanceStatus"] != "deleting" for one in instances_of(record)):
        text = "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        raise Fault(_STATE, text)


def final_snapshot(call: Call) -> str | None:
    """The name of the snapshot that was asked for, if one was. Raises: Fault."""
    params: Params = call.params
    given = params.get("FinalDBSnapshotIdentifier")
    if params.get("SkipFinalSnapshot") and given:
        text = "FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is set."
        raise Fault("InvalidParameterCombination", text)
    if params.get("SkipFinalSnapshot"):
        return None
    if not given:
        text = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        raise Fault("InvalidParameterCombination", text)
    name = check_name("FinalDBSnapshotIdentifier", given)
    if SNAPSHOTS.get(call.account, call.region, name):
        raise Fault("DBClusterSnapshotAlreadyExistsFault", f"{name} exists already.")
    return name
