"""Stack `cluster` (each): the EKS cluster, its add-ons and its node groups, equal in both Regions.

No node group has a `ScalingConfig`: counts are run-time state of `converge_roles`. With a count in
the template, the next edit of the group would set the standby to it in the middle of a disaster.
Nobody may do anything in the cluster until the stack `access` lets them, not even who created it.
"""

import json

from troposphere import GetAtt, Output, Ref, Tags, Template
from troposphere.ec2 import (
    EBSBlockDevice,
    LaunchTemplate,
    LaunchTemplateBlockDeviceMapping,
    LaunchTemplateData,
    MetadataOptions,
    TagSpecifications,
)
from troposphere.eks import (
    AccessConfig,
    Addon,
    Cluster,
    ClusterLogging,
    EncryptionConfig,
    LaunchTemplateSpecification,
    Logging,
    LoggingTypeConfig,
    Nodegroup,
    PodIdentityAssociationProperty,
    Provider,
    ResourcesVpcConfig,
    Taint,
)
from troposphere.iam import Role
from troposphere.logs import LogGroup

from cfn import parameters, pods
from cfn.controllers import CONTROLLERS
from cfn.names import LOG_DAYS, logical
from cfn.roles import aws_role
from platform_pipelines.model import NodeGroup, Platform, Region

# The group without a taint: it carries what every cluster needs, and all that has no other home.
UNTAINTED = "manage"
IDENTITIES = "eks-pod-identity-agent"
# Every node is watched, also those with a taint; the DaemonSets of the others do so by default.
CONFIGURATION = {"amazon-cloudwatch-observability": {"tolerations": [{"operator": "Exists"}]}}
CONTROL_PLANE_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
)


def build(platform: Platform, region: Region) -> Template:
    """The Region's cluster. Outputs: Cluster, SecurityGroup, NodeRole."""
    template = Template(Description=f"{platform.platform}: the cluster in {region.name}")
    parameters.add(template, "PrivateSubnets", "Key")
    cluster = _cluster(template, platform, region)
    role = template.add_resource(aws_role("NodeRole", "ec2", NODE_POLICIES))
    machine = template.add_resource(_machine(platform))
    for group in platform.node_groups:
        template.add_resource(_node_group(platform, group, cluster, role, machine))
    for name, version in sorted(platform.addons.items()):
        addon = template.add_resource(_addon(name, version, cluster))
        _identify(template, platform, region, addon)
    template.add_output(Output("Cluster", Value=Ref(cluster)))
    template.add_output(Output("SecurityGroup", Value=GetAtt(cluster, "ClusterSecurityGroupId")))
    template.add_output(Output("NodeRole", Value=GetAtt(role, "Arn")))
    return template


def _cluster(template: Template, platform: Platform, region: Region) -> Cluster:
    role = template.add_resource(aws_role("ClusterRole", "eks", ("AmazonEKSClusterPolicy",)))
    logs = template.add_resource(_logs(platform, region))
    return template.add_resource(
        Cluster(
            "Cluster",
            Name=platform.cluster_name(region),
            Version=platform.kubernetes_version,
            RoleArn=GetAtt(role, "Arn"),
            AccessConfig=AccessConfig(
                AuthenticationMode="API", BootstrapClusterCreatorAdminPermissions=False
            ),
            EncryptionConfig=[
                EncryptionConfig(Resources=["secrets"], Provider=Provider(KeyArn=Ref("Key")))
            ],
            Logging=_logging(),
            ResourcesVpcConfig=ResourcesVpcConfig(
                SubnetIds=Ref("PrivateSubnets"),
                EndpointPrivateAccess=True,
                EndpointPublicAccess=True,
                PublicAccessCidrs=list(platform.cluster_access.networks),
            ),
            DependsOn=logs.title,
        )
    )


def _logs(platform: Platform, region: Region) -> LogGroup:
    """EKS would make it, and keep logs for ever. It goes with the cluster: a cluster of the same
    name could not be made again beside it."""
    return LogGroup(
        "Logs",
        LogGroupName=f"/aws/eks/{platform.cluster_name(region)}/cluster",
        RetentionInDays=LOG_DAYS,
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def _logging() -> Logging:
    """Of the API and its audit first of all."""
    kinds = [LoggingTypeConfig(Type=kind) for kind in CONTROL_PLANE_LOGS]
    return Logging(ClusterLogging=ClusterLogging(EnabledTypes=kinds))


def _machine(platform: Platform) -> LaunchTemplate:
    """What all nodes have in common: IMDSv2 only, an encrypted disk, a name."""
    return LaunchTemplate(
        "NodeTemplate",
        LaunchTemplateData=LaunchTemplateData(
            # Two hops: the CloudWatch agent asks for its Region from inside a pod.
            MetadataOptions=MetadataOptions(HttpTokens="required", HttpPutResponseHopLimit=2),
            BlockDeviceMappings=[
                LaunchTemplateBlockDeviceMapping(
                    DeviceName="/dev/xvda",
                    Ebs=EBSBlockDevice(VolumeSize=50, VolumeType="gp3", Encrypted=True),
                )
            ],
            TagSpecifications=[
                TagSpecifications(
                    ResourceType="instance", Tags=Tags(Name=f"{platform.platform}-node")
                )
            ],
        ),
    )


def _node_group(
    platform: Platform, group: NodeGroup, cluster: Cluster, role: Role, machine: LaunchTemplate
) -> Nodegroup:
    nodes = Nodegroup(
        logical("NodeGroup", group.name),
        ClusterName=Ref(cluster),
        NodegroupName=group.name,
        Version=platform.kubernetes_version,  # else nodes stay behind when the cluster goes on
        NodeRole=GetAtt(role, "Arn"),
        AmiType="AL2023_x86_64_STANDARD",
        InstanceTypes=list(group.instance_types),
        LaunchTemplate=LaunchTemplateSpecification(
            Id=Ref(machine), Version=GetAtt(machine, "LatestVersionNumber")
        ),
        Subnets=Ref("PrivateSubnets"),
        Labels={"role": group.name},
    )
    if group.name != UNTAINTED:
        nodes.Taints = [Taint(Key="role", Value=group.name, Effect="NO_SCHEDULE")]
    return nodes


def _addon(name: str, version: str, cluster: Cluster) -> Addon:
    """An add-on; some of them wait for a node to run on, so the untainted group comes first."""
    addon = Addon(
        logical("Addon", name),
        ClusterName=Ref(cluster),
        AddonName=name,
        AddonVersion=version,
        ResolveConflicts="OVERWRITE",  # a new cluster has self-managed ones of the same name
        DependsOn=logical("NodeGroup", UNTAINTED),
    )
    if name in CONFIGURATION:
        addon.ConfigurationValues = json.dumps(CONFIGURATION[name], separators=(",", ":"))
    return addon


def _identify(template: Template, platform: Platform, region: Region, addon: Addon) -> None:
    """An add-on that cannot work without a role of its own starts with it: a pod is given a role
    when it starts, never later. The agent that hands the role out is there first.
    https://docs.aws.amazon.com/eks/latest/userguide/add-ons-iam.html
    """
    for controller in CONTROLLERS:
        if controller.addon == addon.AddonName:
            role = template.add_resource(pods.role(platform, region, controller))
            addon.PodIdentityAssociations = [
                PodIdentityAssociationProperty(ServiceAccount=account, RoleArn=GetAtt(role, "Arn"))
                for account in controller.accounts
            ]
            addon.DependsOn = [addon.DependsOn, logical("Addon", IDENTITIES)]
