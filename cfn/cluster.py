"""Stack `cluster` (each): the EKS cluster, its add-ons and its node groups, equal in both Regions.

No node group has a `ScalingConfig`: counts are run-time state of `converge_roles`. With a count in
the template, the next edit of the group would set the standby to it in the middle of a disaster.
"""

from troposphere import GetAtt, Output, Parameter, Ref, Tags, Template
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
    EncryptionConfig,
    LaunchTemplateSpecification,
    Nodegroup,
    Provider,
    ResourcesVpcConfig,
    Taint,
)
from troposphere.iam import Role

from cfn.names import logical
from platform_pipelines.model import NodeGroup, Platform, Region

# The group without a taint: it carries what every cluster needs, and all that has no other home.
UNTAINTED = "manage"
ADDONS = (
    "vpc-cni",
    "kube-proxy",
    "coredns",
    "eks-pod-identity-agent",
    "aws-efs-csi-driver",
    "amazon-cloudwatch-observability",
)
NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
    "CloudWatchAgentServerPolicy",
)


def build(platform: Platform, region: Region) -> Template:
    """The Region's cluster. Outputs: Cluster, SecurityGroup, NodeRole."""
    template = Template(Description=f"{platform.platform}: the cluster in {region.name}")
    template.add_parameter(Parameter("PrivateSubnets", Type="List<AWS::EC2::Subnet::Id>"))
    template.add_parameter(Parameter("Key", Type="String"))
    cluster = _cluster(template, platform, region)
    role = template.add_resource(_role("NodeRole", "ec2", NODE_POLICIES))
    machine = template.add_resource(_machine(platform))
    for group in platform.node_groups:
        template.add_resource(_node_group(group, cluster, role, machine))
    for name in ADDONS:
        template.add_resource(_addon(name, cluster))
    template.add_output(Output("Cluster", Value=Ref(cluster)))
    template.add_output(Output("SecurityGroup", Value=GetAtt(cluster, "ClusterSecurityGroupId")))
    template.add_output(Output("NodeRole", Value=GetAtt(role, "Arn")))
    return template


def _role(title: str, service: str, policies: tuple[str, ...]) -> Role:
    """A role that an AWS service takes, with AWS's own policies."""
    return Role(
        title,
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": f"{service}.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
        ManagedPolicyArns=[f"arn:aws:iam::aws:policy/{name}" for name in policies],
    )


def _cluster(template: Template, platform: Platform, region: Region) -> Cluster:
    role = template.add_resource(_role("ClusterRole", "eks", ("AmazonEKSClusterPolicy",)))
    return template.add_resource(
        Cluster(
            "Cluster",
            Name=platform.cluster_name(region),
            Version=platform.kubernetes_version,
            RoleArn=GetAtt(role, "Arn"),
            AccessConfig=AccessConfig(
                AuthenticationMode="API", BootstrapClusterCreatorAdminPermissions=True
            ),
            EncryptionConfig=[
                EncryptionConfig(Resources=["secrets"], Provider=Provider(KeyArn=Ref("Key")))
            ],
            ResourcesVpcConfig=ResourcesVpcConfig(
                SubnetIds=Ref("PrivateSubnets"),
                EndpointPrivateAccess=True,
                EndpointPublicAccess=True,
            ),
        )
    )


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
    group: NodeGroup, cluster: Cluster, role: Role, machine: LaunchTemplate
) -> Nodegroup:
    nodes = Nodegroup(
        logical("NodeGroup", group.name),
        ClusterName=Ref(cluster),
        NodegroupName=group.name,
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


def _addon(name: str, cluster: Cluster) -> Addon:
    """An add-on; some of them wait for a node to run on, so the untainted group comes first."""
    return Addon(
        logical("Addon", name),
        ClusterName=Ref(cluster),
        AddonName=name,
        ResolveConflicts="OVERWRITE",  # a new cluster has self-managed ones of the same name
        DependsOn=logical("NodeGroup", UNTAINTED),
    )
