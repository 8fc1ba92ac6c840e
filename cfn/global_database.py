"""Stack `global_database` (once): the empty global clusters, and their administrators' secrets.

A global cluster has no source here: `SourceDBClusterIdentifier` reads back as the writer of the day,
and "correcting" it after a failover would replace the global cluster. The DB clusters join it.
The secret is replicated, because RDS manages no password for a member of a global cluster.
"""

from troposphere import Template
from troposphere.rds import GlobalCluster
from troposphere.secretsmanager import GenerateSecretString, ReplicaRegion, Secret

from cfn.names import KEPT, database_secret, logical
from platform_pipelines.model import Database, Platform, Region

ENGINE = "aurora-mysql"
ADMIN = "platform_admin"


def build(platform: Platform, region: Region) -> Template:
    """A global cluster and a secret for each database."""
    template = Template(Description=f"{platform.platform}: the global databases")
    for database in platform.databases:
        template.add_resource(_secret(platform, region, database))
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


def _secret(platform: Platform, region: Region, database: Database) -> Secret:
    return Secret(
        logical("Admin", database.name),
        Name=database_secret(platform, database),
        Description=f"Administrator of {platform.global_cluster_id(database)}",
        GenerateSecretString=GenerateSecretString(
            SecretStringTemplate=f'{{"username":"{ADMIN}"}}',
            GenerateStringKey="password",
            PasswordLength=32,
            ExcludePunctuation=True,
        ),
        ReplicaRegions=[ReplicaRegion(Region=platform.other(region.alias).name)],
        **KEPT,
    )
