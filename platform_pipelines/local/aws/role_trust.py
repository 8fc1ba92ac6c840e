"""Whether a service may assume a role: there is such a role, and its trust policy names the service.

CodePipeline, CodeBuild and FIS try it before they take a role; each says it in words of its own.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.policy_documents import allows, statements


def is_assumable(arn: str, principal: str) -> bool:
    """Whether `principal`, as codebuild.amazonaws.com, is let into the account's role of this ARN."""
    role = ministack.service("iam")._roles.get(arn.rpartition("/")[2])
    if role is None or role["Arn"] != arn:
        return False
    return any(allows(one, principal) for one in statements(role["AssumeRolePolicyDocument"]))
