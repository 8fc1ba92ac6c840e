"""Stack `access` (each): who may do what, in the Region's cluster and in AWS.

Pods get their roles by Pod Identity, each held to its own service account of its own cluster. Dagster
works as four roles, one for each kind of job (`cfn.duties`), and CloudFormation as a fifth. Into
the cluster's API go the administrators of platform.yaml, and Dagster's roles as the groups that
`manifests/argocd/base/access.yaml` gives rights to: AWS has no access policy that sees nodes and
applications and does not show every Secret.
https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
"""

from typing import Any

from troposphere import GetAtt, Output, Parameter, Ref, Template
from troposphere.eks import AccessEntry, AccessPolicy, AccessScope, PodIdentityAssociation
from troposphere.iam import Policy
from troposphere.iam import Role as IamRole

from cfn import policies, stacks_role
from cfn.controllers import CONTROLLERS, Controller
from cfn.duties import NAMESPACE, Role, group, service_account
from cfn.names import logical
from cfn.service_role import document
from platform_pipelines.model import Platform, Region

ADMINISTRATION = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
# Those whose work takes them into a cluster; a heartbeat only writes into the ledger.
ENTERS = (Role.READINESS, Role.APPLY, Role.FAILOVER)


def build(platform: Platform, region: Region) -> Template:
    """The Region's roles and entries. Outputs: StacksRole."""
    template = Template(Description=f"{platform.platform}: who may do what in {region.name}")
    template.add_parameter(Parameter("Cluster", Type="String"))
    for controller in CONTROLLERS:
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
    title = logical("role", controller.name)
    made = IamRole(title, AssumeRolePolicyDocument=_trust(platform, region, controller))
    if controller.managed:
        made.ManagedPolicyArns = list(controller.managed)
    if controller.work:
        made.Policies = [_work(controller.work(platform, region))]
    template.add_resource(made)
    for account in controller.accounts:
        template.add_resource(_association(title, controller.namespace, account))


def _dagster(template: Template, platform: Platform, region: Region, role: Role) -> None:
    pods = Controller(name=role, namespace=NAMESPACE, accounts=(service_account(role),))
    title = logical("role", NAMESPACE, role)
    template.add_resource(
        IamRole(
            title,
            RoleName=platform.role_name(role, region),
            AssumeRolePolicyDocument=_trust(platform, region, pods),
            Policies=[_work(policies.of_role(platform, region, role))],
        )
    )
    template.add_resource(_association(title, NAMESPACE, service_account(role)))
    if role in ENTERS:
        template.add_resource(
            AccessEntry(
                logical("entry", NAMESPACE, role),
                ClusterName=Ref("Cluster"),
                PrincipalArn=GetAtt(title, "Arn"),
                KubernetesGroups=[group(role)],
            )
        )


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
        Policies=[_work(stacks_role.statements(platform, region))],
    )


def _work(statements: list[dict[str, Any]]) -> Policy:
    return Policy(PolicyName="work", PolicyDocument=document(statements))


def _trust(platform: Platform, region: Region, pods: Controller) -> dict[str, Any]:
    """Pod Identity says whose pod it is by the session's tags."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {
                        "aws:SourceAccount": platform.account,
                        "aws:RequestTag/eks-cluster-name": platform.cluster_name(region),
                        "aws:RequestTag/kubernetes-namespace": pods.namespace,
                        "aws:RequestTag/kubernetes-service-account": list(pods.accounts),
                    }
                },
            }
        ]
    )
