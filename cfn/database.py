"""Stack `database` (each): the Region's member of each global cluster, with its instances.

Which member is the writer is run-time state. The cluster that was born first has credentials; the
other joined, and takes none. One that was rebuilt is of a later generation: it has names of its own,
beside those of the one whose place it took. Instances are counted by Region, never by role.
"""

from typing import Any

from troposphere import GetAtt, Output, Ref, Template
from troposphere.ec2 import SecurityGroup, SecurityGroupRule
from troposphere.rds import (
    DBCluster,
    DBClusterParameterGroup,
    DBInstance,
    DBParameterGroup,
    DBSubnetGroup,
)

from cfn import parameters
from cfn.global_database import ENGINE
from cfn.names import KEPT, database_secret, logical, named
from cfn.roles import monitoring
from platform_pipelines.model import Born, Database, Platform, Region

MYSQL = 3306
FAMILY = "aurora-mysql8.0"
LOGS = ["audit", "error", "slowquery"]
MONITORED = 60  # seconds between two measurements inside of an instance
BACKUP_DAYS = 7


def build(platform: Platform, region: Region) -> Template:
    """The Region's DB clusters. Outputs, per database: Cluster<Name>, its identifier."""
    template = Template(Description=f"{platform.platform}: the databases in {region.name}")
    parameters.add(template, *parameters.STORAGE)
    for shared in (_subnets(platform), _door(platform), _settings(), _instance_settings()):
        template.add_resource(shared)
    template.add_resource(monitoring())
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
        Description="Aurora MySQL 8.0: TLS only, and who did what",
        Family=FAMILY,
        Parameters={
            "require_secure_transport": "ON",
            "server_audit_logging": "1",
            "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
        },
    )


def _instance_settings() -> DBParameterGroup:
    """Statements that take longer than a second are logged."""
    return DBParameterGroup(
        "InstanceSettings",
        Description="Aurora MySQL 8.0: slow statements are logged",
        Family=FAMILY,
        Parameters={"slow_query_log": "1", "long_query_time": "1"},
    )


def _title(platform: Platform, region: Region, database: Database, kind: str, *words: str) -> str:
    """A logical id: the first generation's says nothing of generations."""
    generation = platform.member(database, region).generation
    again = (f"g{generation}",) if generation > 1 else ()
    return logical(kind, database.name, *again, *words)


def _cluster(platform: Platform, region: Region, database: Database) -> DBCluster:
    return DBCluster(
        _title(platform, region, database, "Cluster"),
        DBClusterIdentifier=platform.db_cluster_id(database, region),
        GlobalClusterIdentifier=platform.global_cluster_id(database),
        Engine=ENGINE,
        EngineVersion=database.engine_version,
        DBSubnetGroupName=Ref("Subnets"),
        DBClusterParameterGroupName=Ref("Settings"),
        VpcSecurityGroupIds=[GetAtt("Databases", "GroupId")],
        StorageEncrypted=True,
        KmsKeyId=Ref("Key"),
        BackupRetentionPeriod=BACKUP_DAYS,
        EnableCloudwatchLogsExports=LOGS,
        CopyTagsToSnapshot=True,
        DeletionProtection=True,
        **_credentials(platform, region, database),
        **KEPT,
    )


def _credentials(platform: Platform, region: Region, database: Database) -> dict[str, Any]:
    """Create-only: only the first member of a global cluster has them."""
    if platform.member(database, region).born is Born.JOINED:
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
        _title(platform, region, database, "Instance", str(number)),
        DBInstanceIdentifier=f"{platform.db_cluster_id(database, region)}-{number}",
        DBClusterIdentifier=Ref(_title(platform, region, database, "Cluster")),
        DBParameterGroupName=Ref("InstanceSettings"),
        DBInstanceClass=database.instance_class,
        Engine=ENGINE,
        AvailabilityZone=region.zones[(number - 1) % len(region.zones)],
        PubliclyAccessible=False,
        MonitoringInterval=MONITORED,
        MonitoringRoleArn=GetAtt("MonitoringRole", "Arn"),
        AutoMinorVersionUpgrade=False,  # the members' versions must not drift apart
        **KEPT,
    )
