"""RDS: Aurora's global clusters and DB clusters, PostgreSQL, instances, snapshots and events.

All of these are ours, over time; groups and parameters are ministack's.
The modules of this service begin with `rds_`; this one puts their operations together.
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import rds_events, rds_views
from platform_pipelines.local.aws.rds_backlog import Backlogs
from platform_pipelines.local.aws.rds_clusters import Clusters
from platform_pipelines.local.aws.rds_db_snapshots import DbSnapshots
from platform_pipelines.local.aws.rds_default_groups import ParameterGroups
from platform_pipelines.local.aws.rds_failover import Failovers
from platform_pipelines.local.aws.rds_global import Views
from platform_pipelines.local.aws.rds_global_change import Changes
from platform_pipelines.local.aws.rds_global_clusters import GlobalClusters
from platform_pipelines.local.aws.rds_global_roles import GlobalRoles
from platform_pipelines.local.aws.rds_groups import Groups
from platform_pipelines.local.aws.rds_instances import Instances
from platform_pipelines.local.aws.rds_postgres import Postgres
from platform_pipelines.local.aws.rds_snapshots import Snapshots
from platform_pipelines.local.aws.rds_tags import Tags
from platform_pipelines.local.aws.rds_versions import Versions
from platform_pipelines.local.aws.service import Call, Result, operation


class Rds(
    GlobalClusters,
    GlobalRoles,
    Clusters,
    Instances,
    Snapshots,
    DbSnapshots,
    Groups,
    ParameterGroups,
    Tags,
    Versions,
):
    """The operations of RDS."""

    name = "rds"
    passes = frozenset(
        {
            *("CreateDBParameterGroup", "DescribePendingMaintenanceActions"),
            "ModifyDBSubnetGroup",
        }
    )

    def start(self) -> None:
        self.views = Views(self.world)
        self.failovers = Failovers(self.world)
        self.postgres = Postgres(self.world)
        self.backlogs = Backlogs(self.world)
        self.changes = Changes(self.world, self.views, self.failovers)
        # Instances are records only: nothing may look for Docker.
        ministack.service("rds").__dict__["_get_docker"] = _no_docker
        super().start()

    @operation(raises=("InvalidParameterCombination", "InvalidParameterValue"))
    def DescribeEvents(self, call: Call) -> Result:  # noqa: N802
        return rds_views.paged("Events", rds_events.select(self.world, call), call.params)


def _no_docker() -> None:
    return None
