"""What is watched in a Region: lag, health, capacity; part of stack `alerts`.

Everything is keyed by Region, as if the Region had either role. A metric that exists in one role
only (a secondary's lag, a source's replication) is not there in the other: then nothing is wrong.
Whether the *service* answers is Route 53's checkers' and the controller's to see, from outside.
EFS with elastic throughput has no capacity to watch.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import Ref, Select

from cfn.alarms import ALWAYS_THERE, Measure, Watched
from cfn.names import control_id
from platform_pipelines.model import Database, FileSystem, Platform, Region

INSIGHTS = "ContainerInsights"  # the observability add-on's namespace
GIB = 1024**3
STOP = ("drill", "stop")  # the words of the alarm that ends a drill


def watched(platform: Platform, region: Region) -> tuple[Watched, ...]:
    """Everything that is watched in a Region."""
    return (
        *(one for database in platform.databases for one in _lag(platform, region, database)),
        *(
            one
            for index, files in enumerate(platform.file_systems)
            for one in _file_lag(platform, files, index)
        ),
        *_cluster(platform, region),
        *(one for database in platform.databases for one in _database(platform, region, database)),
        _control(platform, region),
        _quota(),
    )


def _rds(
    platform: Platform, region: Region, database: Database, name: str, **other: Any
) -> Measure:
    """A metric of a DB cluster: the worst of its instances."""
    dimensions = {"DBClusterIdentifier": platform.db_cluster_id(database, region)}
    return Measure(namespace="AWS/RDS", name=name, dimensions=dimensions, **other)


def _lag(platform: Platform, region: Region, database: Database) -> Iterator[Watched]:
    """Both metrics are a secondary's, in milliseconds."""
    yield Watched(
        words=("lag", "database", database.name),
        group="lag",
        about=(
            f"Aurora's replication of {database.name} is so far behind that a failover would wait "
            f"for a person (approval_lag). Look at the writer's load and at replication_check."
        ),
        measures=(_rds(platform, region, database, "AuroraGlobalDBReplicationLag"),),
        threshold=platform.failover.approval_lag.aurora.total_seconds() * 1000,
    )
    yield Watched(
        words=("rpo", "database", database.name),
        group="lag",
        about=(
            f"A failover now would lose more of {database.name} than the objective of the Region "
            f"allows. Look at the writer's load and at replication_check."
        ),
        measures=(_rds(platform, region, database, "AuroraGlobalDBRPOLag"),),
        threshold=platform.objectives.region_down.rpo.total_seconds() * 1000,
        periods=3,
    )


def _file_lag(platform: Platform, files: FileSystem, index: int) -> Iterator[Watched]:
    """The metric is the source's, of the pair, in seconds."""
    pair = {
        "FileSystemId": Select(index, Ref("FileSystems")),
        "DestinationFileSystemId": Select(index, Ref("PeerFileSystems")),
    }
    measure = Measure(namespace="AWS/EFS", name="TimeSinceLastSync", dimensions=pair)
    yield Watched(
        words=("lag", "files", files.name),
        group="lag",
        about=(
            f"EFS's replication of {files.name} is so far behind that a failover would wait for a "
            f"person (approval_lag). Look at replication_check; large bursts take their time."
        ),
        measures=(measure,),
        threshold=platform.failover.approval_lag.efs.total_seconds(),
        periods=3,
    )
    yield Watched(
        words=("rpo", "files", files.name),
        group="lag",
        about=(
            f"A failover now would lose more of {files.name} than the objective of the Region "
            f"allows. EFS itself promises less than the objective: see whether it lasts."
        ),
        measures=(measure,),
        threshold=platform.objectives.region_down.rpo.total_seconds(),
        periods=5,
    )


def _cluster(platform: Platform, region: Region) -> Iterator[Watched]:
    def nodes(name: str, statistic: str = "Maximum") -> Measure:
        cluster = {"ClusterName": platform.cluster_name(region)}
        return Measure(namespace=INSIGHTS, name=name, dimensions=cluster, statistic=statistic)

    yield Watched(
        words=("nodes", "failed"),
        group="health",
        about=(
            "A node has failed, or the cluster sends no metrics at all. Look at the node groups' "
            "health issues, then at the observability add-on."
        ),
        measures=(nodes("cluster_failed_node_count"),),
        threshold=0,
        missing=ALWAYS_THERE,
    )
    yield Watched(
        words=STOP,
        group="health",
        about=(
            "More than half of the nodes have failed: a drill of one zone does more than that, and "
            "is stopped. Outside of a drill, look whether the Region is down."
        ),
        measures=(nodes("cluster_failed_node_count"), nodes("cluster_node_count")),
        expression="IF(m1 > 0, 100 * m0 / m1, 0)",
        threshold=50,
        periods=1,
    )
    for resource, limit, statistic in (
        ("cpu", 80, "Average"),
        ("memory", 85, "Average"),
        ("filesystem", 80, "Maximum"),
    ):
        yield Watched(
            words=("nodes", resource),
            group="capacity",
            about=f"The nodes' {resource} is above {limit}%. Raise the node groups' counts.",
            measures=(nodes(f"node_{resource}_utilization", statistic),),
            threshold=limit,
            periods=15,
        )


def _database(platform: Platform, region: Region, database: Database) -> Iterator[Watched]:
    def rds(name: str, statistic: str = "Maximum") -> Measure:
        return _rds(platform, region, database, name, statistic=statistic)

    yield Watched(
        words=("restarted", database.name),
        group="health",
        about=(
            f"An instance of {database.name} restarted less than five minutes ago, or none of them "
            f"sends metrics. Look at the cluster's events."
        ),
        measures=(rds("EngineUptime", "Minimum"),),
        threshold=300,
        below=True,
        periods=3,
        missing=ALWAYS_THERE,
    )
    yield Watched(
        words=("cpu", database.name),
        group="capacity",
        about=f"An instance of {database.name} is above 80% CPU. Take a larger class, or more.",
        measures=(rds("CPUUtilization"),),
        threshold=80,
        periods=15,
    )
    yield Watched(
        words=("storage", database.name),
        group="capacity",
        about=(
            f"An instance of {database.name} has less than 5 GiB for temporary tables and sorts. "
            f"Look for large queries; a larger class has more."
        ),
        measures=(rds("FreeLocalStorage", "Minimum"),),
        threshold=5 * GIB,
        below=True,
    )


def _control(platform: Platform, region: Region) -> Watched:
    """A full disk stops Dagster, and with it the Region's controller."""
    instance = {"DBInstanceIdentifier": control_id(platform, region)}
    measure = Measure(
        namespace="AWS/RDS", name="FreeStorageSpace", dimensions=instance, statistic="Minimum"
    )
    return Watched(
        words=("storage", "control"),
        group="capacity",
        about="Dagster's PostgreSQL has less than 4 GiB left. Raise control.storage_gib and apply.",
        measures=(measure,),
        threshold=4 * GIB,
        below=True,
    )


def _quota() -> Watched:
    """A Region that has no vCPUs left cannot take over."""
    usage = Measure(
        namespace="AWS/Usage",
        name="ResourceCount",
        dimensions={
            "Service": "EC2",
            "Type": "Resource",
            "Resource": "vCPU",
            "Class": "Standard/OnDemand",
        },
        period=300,
    )
    return Watched(
        words=("quota", "vcpu"),
        group="capacity",
        about="More than 80% of the vCPU quota L-1216C47A is used. Ask for more before a failover.",
        measures=(usage,),
        expression="100 * m0 / SERVICE_QUOTA(m0)",
        threshold=80,
        periods=3,
    )
