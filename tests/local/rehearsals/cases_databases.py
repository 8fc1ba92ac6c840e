"""Aurora's transitions, for `test_transitions_in_trouble`."""

from tests.local.rehearsals.building import GLOBAL, VERSION
from tests.local.rehearsals.cases import GONE, Case
from tests.local.rehearsals.rehearsal import Rehearsal, gone


def made_cluster(stage: Rehearsal) -> str:
    """A DB cluster that is being created."""
    stage.aws("rds").create_db_cluster(
        DBClusterIdentifier="new",
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        MasterUsername="admin",
        MasterUserPassword="a-password",
    )
    return "new"


def db_cluster(stage: Rehearsal, name: str) -> str:
    """The status of a DB cluster."""
    if gone(stage.aws("rds").describe_db_clusters, DBClusterIdentifier=name):
        return GONE
    found = stage.aws("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    return str(found["Status"])


def made_instance(stage: Rehearsal) -> str:
    """Another reader, being created."""
    stage.aws("rds").create_db_instance(
        DBInstanceIdentifier="new",
        DBClusterIdentifier=f"{GLOBAL}-seoul",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )
    return "new"


def modified_instance(stage: Rehearsal) -> str:
    """A reader that gets another class."""
    name = f"{GLOBAL}-seoul-3"
    stage.aws("rds").modify_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.r6g.xlarge", ApplyImmediately=True
    )
    return name


def rebooted_instance(stage: Rehearsal) -> str:
    """A reader that restarts."""
    name = f"{GLOBAL}-seoul-3"
    stage.aws("rds").reboot_db_instance(DBInstanceIdentifier=name)
    return name


def deleted_instance(stage: Rehearsal) -> str:
    """A reader that goes."""
    name = f"{GLOBAL}-seoul-3"
    stage.aws("rds").delete_db_instance(DBInstanceIdentifier=name)
    return name


def db_instance(stage: Rehearsal, name: str) -> str:
    """The status of a DB instance."""
    if gone(stage.aws("rds").describe_db_instances, DBInstanceIdentifier=name):
        return GONE
    found = stage.aws("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return str(found["DBInstanceStatus"])


def made_snapshot(stage: Rehearsal) -> str:
    """A snapshot of the writer's cluster."""
    stage.aws("rds").create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="new", DBClusterIdentifier=f"{GLOBAL}-seoul"
    )
    return "new"


def snapshot(stage: Rehearsal, name: str) -> str:
    """The status of a snapshot."""
    rds = stage.aws("rds")
    found = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
    return str(found["DBClusterSnapshots"][0]["Status"])


def failed_over(stage: Rehearsal) -> str:
    """The global database, on its way to Tokyo whatever is lost."""
    stage.aws("rds", "tokyo").failover_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=stage.places["tokyo"].database,
        AllowDataLoss=True,
    )
    return "tokyo"


def switched_over(stage: Rehearsal) -> str:
    """The global database, on its way to Tokyo in quiet times."""
    stage.aws("rds", "tokyo").switchover_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=stage.places["tokyo"].database,
    )
    return "tokyo"


def global_cluster(stage: Rehearsal, alias: str) -> str:
    """The status of the global cluster as a Region tells it, and its writer."""
    found = stage.aws("rds", alias).describe_global_clusters()["GlobalClusters"][0]
    return f"{found['Status']}, {stage.global_writer(alias)} writes"


def detached(stage: Rehearsal) -> str:
    """Tokyo's cluster, on its way out of the global one."""
    stage.aws("rds", "tokyo").remove_from_global_cluster(
        GlobalClusterIdentifier=GLOBAL, DbClusterIdentifier=stage.places["tokyo"].database
    )
    return "tokyo"


def member(stage: Rehearsal, alias: str) -> str:
    """The status of a Region's cluster, and whether the global one has it."""
    found = stage.aws("rds", alias).describe_global_clusters()["GlobalClusters"][0]
    arns = [one["DBClusterArn"] for one in found["GlobalClusterMembers"]]
    joined = "a member" if stage.places[alias].database in arns else "alone"
    return f"{stage.database(alias)}, {joined}"


def another_writer(stage: Rehearsal) -> str:
    """The writer's cluster gets another writer of the same Region."""
    stage.aws("rds").failover_db_cluster(DBClusterIdentifier=f"{GLOBAL}-seoul")
    return "seoul"


def writing(stage: Rehearsal, alias: str) -> str:
    """The status of a Region's cluster, and the number of its writer."""
    return f"{stage.database(alias)}, {stage.writer(alias)} writes"


CASES = (
    Case(
        transition="db_cluster_creating",
        begin=made_cluster,
        look=db_cluster,
        running="creating",
        failed="failed",
        done="available",
    ),
    Case(
        transition="db_instance_creating",
        begin=made_instance,
        look=db_instance,
        running="creating",
        failed="failed",
        done="available",
    ),
    Case(
        transition="db_instance_modifying",
        begin=modified_instance,
        look=db_instance,
        running="modifying",
        failed="failed",
        done="available",
    ),
    Case(
        transition="db_instance_rebooting",
        begin=rebooted_instance,
        look=db_instance,
        running="rebooting",
        failed="failed",
        done="available",
    ),
    Case(
        transition="db_instance_deleting",
        begin=deleted_instance,
        look=db_instance,
        running="deleting",
        failed=None,
        done=GONE,
    ),
    Case(
        transition="db_snapshot_creating",
        begin=made_snapshot,
        look=snapshot,
        running="creating",
        failed="failed",
        done="available",
    ),
    Case(
        transition="aurora_failover",
        begin=failed_over,
        look=global_cluster,
        running="failing-over, seoul writes",
        failed="available, seoul writes",
        done="available, tokyo writes",
    ),
    Case(
        transition="aurora_switchover",
        begin=switched_over,
        look=global_cluster,
        running="switching-over, seoul writes",
        failed="available, seoul writes",
        done="available, tokyo writes",
    ),
    Case(
        transition="aurora_detaching",
        begin=detached,
        look=member,
        running="promoting, a member",
        failed="available, a member",
        done="available, alone",
    ),
    Case(
        transition="aurora_instance_failover",
        begin=another_writer,
        look=writing,
        running="failing-over, 1 writes",
        failed="available, 1 writes",
        done="available, 2 writes",
    ),
)
