"""Stack `control` (each): what a Region's Dagster keeps: its PostgreSQL, and a bucket for the rest.

Neither is copied to the other Region: each Dagster has runs of its own, and what both must know is
in the ledger. The bucket holds logs of runs, reports, and templates too large for a call.
"""

from troposphere import GetAtt, Output, Ref, Template
from troposphere.ec2 import SecurityGroup, SecurityGroupRule
from troposphere.rds import DBInstance, DBParameterGroup, DBSubnetGroup
from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    Bucket,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    NoncurrentVersionExpiration,
    VersioningConfiguration,
)

from cfn import buckets, parameters
from cfn.names import KEPT, LOG_DAYS, control_id, control_secret, named
from cfn.roles import monitoring
from platform_pipelines.model import Platform, Region

POSTGRES = 5432
MONITORED = 60  # seconds between two measurements inside of the instance
BACKUP_DAYS = 7
# Reports are evidence and stay. What only explains a run, or was sent to CloudFormation, does not.
PASSING = ("logs/", "templates/")
REPLACED_DAYS = 30  # how long an object's older versions can be had back
UPLOAD_DAYS = 7


def build(platform: Platform, region: Region) -> Template:
    """Dagster's PostgreSQL and bucket. Outputs: Database (its endpoint's address), Bucket."""
    template = Template(Description=f"{platform.platform}: Dagster's own data in {region.name}")
    parameters.add(template, "Vpc", "PrivateSubnets", "Key")
    for shared in (_subnets(platform), _door(platform, region), _settings(platform)):
        template.add_resource(shared)
    template.add_resource(monitoring())
    database = template.add_resource(_database(platform, region))
    bucket = template.add_resource(_bucket(platform.control_bucket(region)))
    template.add_resource(_policy(platform.control_bucket(region)))
    template.add_output(Output("Database", Value=GetAtt(database, "Endpoint.Address")))
    template.add_output(Output("Bucket", Value=Ref(bucket)))
    return template


def _subnets(platform: Platform) -> DBSubnetGroup:
    return DBSubnetGroup(
        "Subnets",
        DBSubnetGroupDescription=f"Private subnets of {platform.platform}",
        SubnetIds=Ref("PrivateSubnets"),
    )


def _door(platform: Platform, region: Region) -> SecurityGroup:
    """From the VPC, not from the cluster: this stack must not wait for one."""
    return SecurityGroup(
        "Control",
        GroupDescription="PostgreSQL from the VPC",
        VpcId=Ref("Vpc"),
        SecurityGroupIngress=[
            SecurityGroupRule(
                IpProtocol="tcp", FromPort=POSTGRES, ToPort=POSTGRES, CidrIp=region.cidr
            )
        ],
        Tags=named(f"{platform.platform}-control"),
    )


def _settings(platform: Platform) -> DBParameterGroup:
    major = platform.control.engine_version.partition(".")[0]
    return DBParameterGroup(
        "Settings",
        Description=f"PostgreSQL {major}: TLS only",
        Family=f"postgres{major}",
        Parameters={"rds.force_ssl": "1"},
    )


def _database(platform: Platform, region: Region) -> DBInstance:
    """Dagster's schema is made by Dagster; an instance in each of two zones, one takes over."""
    secret = control_secret(platform, region)
    return DBInstance(
        "Database",
        DBInstanceIdentifier=control_id(platform, region),
        DBName="dagster",
        Engine="postgres",
        EngineVersion=platform.control.engine_version,
        DBInstanceClass=platform.control.instance_class,
        AllocatedStorage=str(platform.control.storage_gib),
        StorageType="gp3",
        StorageEncrypted=True,
        KmsKeyId=Ref("Key"),
        MultiAZ=True,
        DBSubnetGroupName=Ref("Subnets"),
        DBParameterGroupName=Ref("Settings"),
        VPCSecurityGroups=[GetAtt("Control", "GroupId")],
        PubliclyAccessible=False,
        MasterUsername=f"{{{{resolve:secretsmanager:{secret}:SecretString:username}}}}",
        MasterUserPassword=f"{{{{resolve:secretsmanager:{secret}:SecretString:password}}}}",
        BackupRetentionPeriod=BACKUP_DAYS,
        CopyTagsToSnapshot=True,
        DeleteAutomatedBackups=False,
        DeletionProtection=True,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        MonitoringInterval=MONITORED,
        MonitoringRoleArn=GetAtt("MonitoringRole", "Arn"),
        AutoMinorVersionUpgrade=False,  # the version is a fact of platform.yaml
        **KEPT,
    )


def _bucket(name: str) -> Bucket:
    """No key to ask for: a report must be readable in the middle of a failover."""
    return Bucket(
        "Bucket",
        BucketName=name,
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=LifecycleConfiguration(
            Rules=[_replaced(), *(_passing(prefix) for prefix in PASSING)]
        ),
        **buckets.closed(buckets.by_s3()),
        **KEPT,
    )


def _replaced() -> LifecycleRule:
    return LifecycleRule(
        Id="replaced",
        Status="Enabled",
        NoncurrentVersionExpiration=NoncurrentVersionExpiration(NoncurrentDays=REPLACED_DAYS),
        AbortIncompleteMultipartUpload=AbortIncompleteMultipartUpload(
            DaysAfterInitiation=UPLOAD_DAYS
        ),
    )


def _passing(prefix: str) -> LifecycleRule:
    return LifecycleRule(
        Id=prefix.rstrip("/"), Status="Enabled", Prefix=prefix, ExpirationInDays=LOG_DAYS
    )


def _policy(name: str) -> BucketPolicy:
    return BucketPolicy(
        "BucketPolicy",
        Bucket=Ref("Bucket"),
        PolicyDocument={"Version": "2012-10-17", "Statement": [buckets.tls_only(name)]},
    )
