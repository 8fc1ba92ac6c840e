"""Stack `database` (each): the Region's member of each global cluster, with its instances.

Which member is the writer is run-time state. The cluster in home was born first and so has
credentials; the other joined, and takes none. Instances are counted by Region, never by role.
"""

from typing import Any

from troposphere import GetAtt, Output, Ref, Template
from troposphere.ec2 import SecurityGroup, SecurityGroupRule
from troposphere.rds import DBCluster, DBClusterParameterGroup, DBInstance, DBSubnetGroup

from cfn import parameters
from cfn.global_database import ENGINE
from cfn.names import KEPT, database_secret, logical, named
from platform_pipelines.model import Database, Platform, Region

MYSQL = 3306


def build(platform: Platform, region: Region) -> Template:
    """The Region's DB clusters. Outputs, per database: Cluster<Name>, its identifier."""
    template = Template(Description=f"{platform.platform}: the databases in {region.name}")
    parameters.add(template)
    template.add_resource(_subnets(platform))
    template.add_resource(_door(platform))
    template.add_resource(_settings())
    for database in platform.databases:
        cluster = template.add_resource(_cluster(platform, region, database))
        for number in range(1, database.instances[region.alias] + 1):
            template.add_resource(_instance(platform, region, database, number))
        template.add_output(Output(logical("Cluster", database.name), Value=Ref(cluster)))
    return template


def _subnets(platform: Platform) -> DBSubnetGroup:
    return DBSubnetGroup(
        "Subnets",
        DBSubnetGroupDescription=f"Private subnets of {platform.platform}",
        SubnetIds=Ref("PrivateSubnets"),
    )


def _door(platform: Platform) -> SecurityGroup:
    return SecurityGroup(
        "Databases",
        GroupDescription="MySQL from the cluster",
        VpcId=Ref("Vpc"),
        SecurityGroupIngress=[
            SecurityGroupRule(
                IpProtocol="tcp",
                FromPort=MYSQL,
                ToPort=MYSQL,
                SourceSecurityGroupId=Ref("ClusterSecurityGroup"),
            )
        ],
        Tags=named(f"{platform.platform}-databases"),
    )


def _settings() -> DBClusterParameterGroup:
    """The same in both Regions: a promoted member must behave as the one that it replaces."""
    return DBClusterParameterGroup(
        "Settings",
        Description="Aurora MySQL 8.0: TLS only",
        Family="aurora-mysql8.0",
        Parameters={"require_secure_transport": "ON"},
    )


def _cluster(platform: Platform, region: Region, database: Database) -> DBCluster:
    return DBCluster(
        logical("Cluster", database.name),
        DBClusterIdentifier=platform.db_cluster_id(database, region),
        GlobalClusterIdentifier=platform.global_cluster_id(database),
        Engine=ENGINE,
        EngineVersion=database.engine_version,
        DBSubnetGroupName=Ref("Subnets"),
        DBClusterParameterGroupName=Ref("Settings"),
        VpcSecurityGroupIds=[GetAtt("Databases", "GroupId")],
        StorageEncrypted=True,
        KmsKeyId=Ref("Key"),
        BackupRetentionPeriod=7,
        CopyTagsToSnapshot=True,
        DeletionProtection=True,
        **_credentials(platform, region, database),
        **KEPT,
    )


def _credentials(platform: Platform, region: Region, database: Database) -> dict[str, Any]:
    """Create-only: only the first member of a global cluster has them."""
    if region != platform.home_region:
        return {}
    secret = database_secret(platform, database)
    reference = f"{{{{resolve:secretsmanager:{secret}:SecretString:%s}}}}"
    return {
        "MasterUsername": reference % "username",
        "MasterUserPassword": reference % "password",
    }


def _instance(platform: Platform, region: Region, database: Database, number: int) -> DBInstance:
    """One instance, in the zones by turns."""
    return DBInstance(
        logical("Instance", database.name, str(number)),
        DBInstanceIdentifier=f"{platform.db_cluster_id(database, region)}-{number}",
        DBClusterIdentifier=Ref(logical("Cluster", database.name)),
        DBInstanceClass=database.instance_class,
        Engine=ENGINE,
        AvailabilityZone=region.zones[(number - 1) % len(region.zones)],
        PubliclyAccessible=False,
        **KEPT,
    )
