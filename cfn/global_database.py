"""Stack `global_database` (once): the empty global clusters.

A global cluster has no source here: `SourceDBClusterIdentifier` reads back as the writer of the day,
and "correcting" it after a failover would replace the global cluster. The DB clusters join it.
"""

from troposphere import Template
from troposphere.rds import GlobalCluster

from cfn.names import KEPT, logical
from platform_pipelines.model import Platform, Region

ENGINE = "aurora-mysql"


def build(platform: Platform, region: Region) -> Template:  # noqa: ARG001  # once: in home
    """A global cluster for each database."""
    template = Template(Description=f"{platform.platform}: the global databases")
    for database in platform.databases:
        template.add_resource(
            GlobalCluster(
                logical("Global", database.name),
                GlobalClusterIdentifier=platform.global_cluster_id(database),
                Engine=ENGINE,
                EngineVersion=database.engine_version,
                StorageEncrypted=True,
                DeletionProtection=True,
                **KEPT,
            )
        )
    return template
