"""The roles that pods take by Pod Identity, and which pods: shared by stacks `cluster` and `access`.

The session's tags say whose pod it is, so a role is held to its service accounts in its own cluster.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
"""

from typing import Any

from troposphere.iam import Policy, Role

from cfn.controllers import Controller
from cfn.names import logical
from cfn.service_role import Statement, document
from platform_pipelines.model import Platform, Region


def role(platform: Platform, region: Region, controller: Controller) -> Role:
    """The role of a controller's pods, which no other pod can take."""
    made = Role(
        logical("role", controller.name),
        AssumeRolePolicyDocument=trust(platform, region, controller),
    )
    if controller.managed:
        made.ManagedPolicyArns = list(controller.managed)
    if controller.work:
        made.Policies = [work(controller.work(platform, region))]
    return made


def work(statements: list[Statement]) -> Policy:
    """The one policy of a role."""
    return Policy(PolicyName="work", PolicyDocument=document(statements))


def trust(platform: Platform, region: Region, pods: Controller) -> dict[str, Any]:
    """Pods of these service accounts, in the Region's cluster only."""
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
