"""Stack `access` (each): who may do what, in the Region's cluster and in AWS.

Pods get their roles by Pod Identity, each held to its own service account of its own cluster. Dagster
works as four roles, one for each kind of job (`cfn.duties`), and CloudFormation as a fifth. Into
the cluster's API go the administrators of platform.yaml; Dagster's roles follow in stack `entries`.
https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
"""

from troposphere import GetAtt, Output, Parameter, Ref, Template
from troposphere.eks import AccessEntry, AccessPolicy, AccessScope, PodIdentityAssociation
from troposphere.iam import Role as IamRole

from cfn import pods, policies, stacks_role
from cfn.controllers import CONTROLLERS, Controller
from cfn.duties import NAMESPACE, Role, service_account
from cfn.names import logical
from cfn.service_role import document
from platform_pipelines.model import Platform, Region

ADMINISTRATION = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def build(platform: Platform, region: Region) -> Template:
    """The Region's roles and entries. Outputs: StacksRole."""
    template = Template(Description=f"{platform.platform}: who may do what in {region.name}")
    template.add_parameter(Parameter("Cluster", Type="String"))
    for controller in CONTROLLERS:
        if controller.addon:
            continue  # it needs its role when it starts: stack `cluster` has both
        _controller(template, platform, region, controller)
    for role in Role:
        _dagster(template, platform, region, role)
    for number, principal in enumerate(platform.cluster_access.administrators, start=1):
        template.add_resource(_administrator(f"Administrator{number}", principal))
    stacks = template.add_resource(_stacks(platform, region))
    template.add_output(Output("StacksRole", Value=GetAtt(stacks, "Arn")))
    return template


def _controller(
    template: Template, platform: Platform, region: Region, controller: Controller
) -> None:
    role = template.add_resource(pods.role(platform, region, controller))
    for account in controller.accounts:
        template.add_resource(_association(str(role.title), controller.namespace, account))


def _dagster(template: Template, platform: Platform, region: Region, role: Role) -> None:
    runs = Controller(name=role, namespace=NAMESPACE, accounts=(service_account(role),))
    title = logical("role", NAMESPACE, role)
    template.add_resource(
        IamRole(
            title,
            RoleName=platform.role_name(role, region),
            AssumeRolePolicyDocument=pods.trust(platform, region, runs),
            Policies=[pods.work(policies.of_role(platform, region, role))],
        )
    )
    template.add_resource(_association(title, NAMESPACE, service_account(role)))


def _association(role: str, namespace: str, account: str) -> PodIdentityAssociation:
    return PodIdentityAssociation(
        logical("pods", account),
        ClusterName=Ref("Cluster"),
        Namespace=namespace,
        ServiceAccount=account,
        RoleArn=GetAtt(role, "Arn"),
    )


def _administrator(title: str, principal: str) -> AccessEntry:
    return AccessEntry(
        title,
        ClusterName=Ref("Cluster"),
        PrincipalArn=principal,
        AccessPolicies=[
            AccessPolicy(PolicyArn=ADMINISTRATION, AccessScope=AccessScope(Type="cluster"))
        ],
    )


def _stacks(platform: Platform, region: Region) -> IamRole:
    """What CloudFormation works as. A stack that has it once keeps it, so it has a fixed name."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return IamRole(
        "RoleStacks",
        RoleName=platform.role_name("stacks", region),
        AssumeRolePolicyDocument=document([trust]),
        Policies=[pods.work(stacks_role.statements(platform, region))],
    )
