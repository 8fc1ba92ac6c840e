"""The action types that CodePipeline knows: how many artifacts each takes and gives, and what its
configuration has to say.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from dataclasses import dataclass

Key = tuple[str, str, str, str]  # owner, category, provider, version


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionType:
    """One kind of action."""

    inputs: tuple[int, int]  # least and most
    outputs: tuple[int, int]
    required: frozenset[str] = frozenset()  # keys of the configuration
    newer: bool = False  # in pipelines of type V2 only


def _type(
    inputs: tuple[int, int], outputs: tuple[int, int], *required: str, newer: bool = False
) -> ActionType:
    return ActionType(inputs=inputs, outputs=outputs, required=frozenset(required), newer=newer)


NONE, ONE, ANY = (0, 0), (1, 1), (0, 5)
_CODEBUILD = _type((1, 5), (0, 5), "ProjectName")
_COMMANDS = _type((1, 10), (0, 1), newer=True)
_UNBOUND = _type((0, 10), (0, 10))  # its artifacts and its configuration are not looked at

_AWS: dict[tuple[str, str], ActionType] = {
    ("Source", "CodeCommit"): _type(NONE, ONE, "RepositoryName", "BranchName"),
    ("Source", "CodeStarSourceConnection"): _type(
        NONE, ONE, "ConnectionArn", "FullRepositoryId", "BranchName"
    ),
    ("Source", "ECR"): _type(NONE, ONE, "RepositoryName"),
    ("Source", "S3"): _type(NONE, ONE, "S3Bucket", "S3ObjectKey"),
    ("Build", "CodeBuild"): _CODEBUILD,
    ("Test", "CodeBuild"): _CODEBUILD,
    ("Build", "ECRBuildAndPublish"): _type(ONE, NONE, newer=True),
    ("Build", "Commands"): _COMMANDS,
    ("Compute", "Commands"): _COMMANDS,
    ("Test", "DeviceFarm"): _type(ONE, NONE),
    ("Approval", "Manual"): _type(NONE, NONE),
    ("Deploy", "AppConfig"): _type(ONE, NONE),
    ("Deploy", "CloudFormation"): _type((0, 10), (0, 1), "ActionMode", "StackName"),
    ("Deploy", "CloudFormationStackInstances"): _UNBOUND,
    ("Deploy", "CloudFormationStackSet"): _UNBOUND,
    ("Deploy", "CodeDeployToECS"): _UNBOUND,
    ("Deploy", "EC2"): _UNBOUND,
    ("Deploy", "Lambda"): _UNBOUND,
    ("Deploy", "OpsWorks"): _UNBOUND,
    ("Invoke", "InspectorScan"): _UNBOUND,
    ("Deploy", "CodeDeploy"): _type(ONE, NONE, "ApplicationName", "DeploymentGroupName"),
    ("Deploy", "ECS"): _type(ONE, NONE, "ClusterName", "ServiceName"),
    ("Deploy", "EKS"): _type(ONE, NONE, newer=True),
    ("Deploy", "ElasticBeanstalk"): _type(ONE, NONE, "ApplicationName", "EnvironmentName"),
    ("Deploy", "S3"): _type(ONE, NONE, "BucketName", "Extract"),
    ("Deploy", "ServiceCatalog"): _type(ONE, NONE),
    ("Invoke", "CodePipeline"): _type(NONE, NONE, "PipelineName"),
    ("Invoke", "Lambda"): _type(ANY, ANY, "FunctionName"),
    ("Invoke", "StepFunctions"): _type((0, 1), (0, 1), "StateMachineArn"),
}

ACTION_TYPES: dict[Key, ActionType] = {
    ("AWS", category, provider, "1"): one for (category, provider), one in _AWS.items()
}
CONNECTION = "CodeStarSourceConnection"
