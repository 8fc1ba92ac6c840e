"""Stack `files` (each): the EFS file systems, reachable in three zones, with equal access points.

There is no replication in the template, and no protection: both follow the role of the Region. A
`ReplicationConfiguration` here could start over the data that the other Region has written since.
"""

from troposphere import GetAtt, Join, Output, Ref, Select, Template
from troposphere.ec2 import SecurityGroup, SecurityGroupRule
from troposphere.efs import (
    AccessPoint,
    BackupPolicy,
    CreationInfo,
    FileSystem,
    LifecyclePolicy,
    MountTarget,
    PosixUser,
    RootDirectory,
)

from cfn import parameters
from cfn.names import KEPT, logical, named
from platform_pipelines.model import FileSystem as Declared
from platform_pipelines.model import Platform, Region

NFS = 2049
USER = "1000"
COLD = "AFTER_30_DAYS"  # what nobody has read for so long is kept for less money


def build(platform: Platform, region: Region) -> Template:
    """The Region's file systems. Outputs: FileSystems, all ids in the order of platform.yaml; per
    file system: FileSystem<Name>, AccessPoint<Name>."""
    template = Template(Description=f"{platform.platform}: the file systems in {region.name}")
    parameters.add(template, *parameters.STORAGE)
    group = template.add_resource(_door(platform))
    for declared in platform.file_systems:
        _file_system(template, platform, region, declared, group)
    every = [Ref(logical("FileSystem", declared.name)) for declared in platform.file_systems]
    template.add_output(Output("FileSystems", Value=Join(",", every)))
    return template


def _door(platform: Platform) -> SecurityGroup:
    """Only the cluster's nodes and pods mount."""
    return SecurityGroup(
        "MountTargets",
        GroupDescription="NFS from the cluster",
        VpcId=Ref("Vpc"),
        SecurityGroupIngress=[
            SecurityGroupRule(
                IpProtocol="tcp",
                FromPort=NFS,
                ToPort=NFS,
                SourceSecurityGroupId=Ref("ClusterSecurityGroup"),
            )
        ],
        Tags=named(f"{platform.platform}-files"),
    )


def _file_system(
    template: Template, platform: Platform, region: Region, declared: Declared, door: SecurityGroup
) -> None:
    name = platform.file_system_name(declared)
    title = logical("FileSystem", declared.name)
    files = template.add_resource(
        FileSystem(
            title,
            Encrypted=True,
            KmsKeyId=Ref("Key"),
            ThroughputMode="elastic",
            BackupPolicy=BackupPolicy(Status="ENABLED"),
            LifecyclePolicies=[LifecyclePolicy(TransitionToIA=COLD)],
            FileSystemPolicy=_policy(platform, region),
            FileSystemTags=named(name),
            **KEPT,
        )
    )
    for index, _ in enumerate(region.zones):
        template.add_resource(
            MountTarget(
                logical("MountTarget", declared.name, str(index + 1)),
                FileSystemId=Ref(files),
                SubnetId=Select(index, Ref("PrivateSubnets")),
                SecurityGroups=[GetAtt(door, "GroupId")],
            )
        )
    point = template.add_resource(_access_point(name, declared, files))
    template.add_output(Output(title, Value=Ref(files)))
    template.add_output(Output(logical("AccessPoint", declared.name), Value=Ref(point)))


def _policy(platform: Platform, region: Region) -> dict[str, object]:
    """Over TLS only, in the VPC, and through an access point: nobody is root, or sees it all.
    https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
    """
    points = f"arn:aws:elasticfilesystem:{region.name}:{platform.account}:access-point/*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AccessPoints",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "Resource": "*",
                "Condition": {
                    "Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"},
                    "StringLike": {"elasticfilesystem:AccessPointArn": points},
                },
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _access_point(name: str, declared: Declared, files: FileSystem) -> AccessPoint:
    """The same path and owner in both Regions: a pod finds after a failover what it wrote."""
    return AccessPoint(
        logical("AccessPoint", declared.name),
        FileSystemId=Ref(files),
        PosixUser=PosixUser(Uid=USER, Gid=USER),
        RootDirectory=RootDirectory(
            Path=f"/{declared.name}",
            CreationInfo=CreationInfo(OwnerUid=USER, OwnerGid=USER, Permissions="0755"),
        ),
        AccessPointTags=named(name),
        **KEPT,
    )
