"""What CloudFormation may do for our stacks: the policy of the role `stacks`.

It is broad on purpose: it makes networks, clusters, databases and roles, and what AWS asks for on the
way changes with the types. It is held to the services that the stacks use, to this platform's names
where AWS lets a name be asked for, and to the platform's Regions. What is never its business is
denied: the state that roles own. So no template, however wrong, starts or ends a replication, fails
a database over, or moves traffic.
"""

from cfn.service_role import Statement, allow
from cfn.traffic import OBJECT
from platform_pipelines.model import Platform, Region

# Services whose resources have names of AWS's own making, or are asked for without any.
SERVICES = (
    *("acm", "autoscaling", "cloudwatch", "codebuild", "codeconnections", "codepipeline"),
    *("codestar-notifications", "ec2", "ecr", "eks", "elasticfilesystem", "fis", "kms", "logs"),
    *("rds", "sns"),
)
# Their control planes are elsewhere, whatever Region a stack is in.
GLOBAL = ("chatbot", "route53")
# What roles own at run time. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
DENIED = (
    "elasticfilesystem:CreateReplicationConfiguration",
    "elasticfilesystem:DeleteReplicationConfiguration",
    "elasticfilesystem:UpdateFileSystemProtection",
    "rds:FailoverGlobalCluster",
    "rds:SwitchoverGlobalCluster",
)
ROLES = (
    *("AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy"),
    *("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags"),
    *("PassRole", "PutRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole"),
    "UpdateRoleDescription",
)


def statements(platform: Platform, region: Region) -> list[Statement]:
    """For the stacks of a Region; tables, secrets and databases have a part in the other one."""
    account, own = platform.account, platform.platform
    places = [*(one.name for one in platform.regions), platform.witness]
    there = {"StringEquals": {"aws:RequestedRegion": places}}
    named = [
        f"arn:aws:s3:::{own}-*-{account}-{region.name}",
        f"arn:aws:s3:::{own}-*-{account}-{region.name}/*",
        *(f"arn:aws:dynamodb:{place}:{account}:table/{own}-*" for place in places),
        *(f"arn:aws:secretsmanager:{place}:{account}:secret:{own}-*" for place in places),
    ]
    linked = f"arn:aws:iam::{account}:role/aws-service-role/*"
    return [
        allow([f"{service}:*" for service in SERVICES], "*", there),
        allow([f"{service}:*" for service in GLOBAL], "*"),
        allow(["dynamodb:*", "s3:*", "secretsmanager:*"], named),
        allow(["secretsmanager:GetRandomPassword"], "*", there),
        allow([f"iam:{name}" for name in ROLES], f"arn:aws:iam::{account}:role/{own}-*"),
        allow(["iam:CreateServiceLinkedRole", "iam:GetRole"], linked),
        _deny(DENIED, "*"),
        _deny(("s3:DeleteObject", "s3:PutObject"), f"arn:aws:s3:::{own}-traffic-*/{OBJECT}"),
    ]


def _deny(actions: tuple[str, ...], resources: str) -> Statement:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resources}
