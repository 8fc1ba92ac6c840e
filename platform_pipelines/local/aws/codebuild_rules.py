"""What CodeBuild demands of a project, in its words; looked at when one is created or updated.

https://docs.aws.amazon.com/codebuild/latest/userguide/create-project.html
"""

from typing import Any

from platform_pipelines.local.aws import role_trust
from platform_pipelines.local.aws.service import Fault

Declared = dict[str, Any]

INVALID = "InvalidInputException"
_PIPELINE = "CODEPIPELINE"
_RESERVED = "CODEBUILD_"
_LAMBDA = "BUILD_LAMBDA_"
_LAMBDAS = frozenset({"LINUX_LAMBDA_CONTAINER", "ARM_LAMBDA_CONTAINER"})
_NO_LOCATION = frozenset({_PIPELINE, "NO_SOURCE"})
_CURATED = "aws/codebuild/"


def check(project: Declared, region: str) -> None:
    """Whether there could be a project of this declaration in the Region. Raises: Fault."""
    if not role_trust.is_assumable(project["serviceRole"], "codebuild.amazonaws.com"):
        raise Fault(
            INVALID,
            "CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify "
            "that: 1) The provided service role exists, 2) The role name is case-sensitive and "
            "matches exactly, and 3) The role has the necessary trust policy configured.",
        )
    _check_source(project["source"])
    _check_artifacts(project["source"], project["artifacts"])
    _check_environment(project["environment"])
    _check_cache(project.get("cache", {}))
    _check_key(project.get("encryptionKey", ""), region)
    if project.get("badgeEnabled") and project["source"]["type"] == _PIPELINE:
        raise Fault(INVALID, "Build badges are not supported for CodePipeline source")


def _check_source(source: Declared) -> None:
    kind, location = source["type"], source.get("location")
    if kind not in _NO_LOCATION and not location:
        raise Fault(INVALID, "Project source location is required")
    if kind == "NO_SOURCE" and location:
        message = "Invalid input: source location must be empty for source type NO_SOURCE"
        raise Fault(INVALID, message)
    if kind == "NO_SOURCE" and not source.get("buildspec"):
        raise Fault(INVALID, "Invalid input: buildspec must be given for source type NO_SOURCE")


def _check_artifacts(source: Declared, artifacts: Declared) -> None:
    if (source["type"] == _PIPELINE) != (artifacts["type"] == _PIPELINE):
        message = "when using CodePipeline both sourceType, and artifactType must be set to"
        raise Fault(INVALID, f"Invalid input: {message}: {_PIPELINE}")
    if artifacts["type"] == "S3" and not artifacts.get("location"):
        raise Fault(INVALID, "Invalid artifacts: artifact type S3 should have a location")
    if artifacts["type"] != "S3" and "encryptionDisabled" in artifacts:
        message = f"artifact type {artifacts['type']} should have null encryptionDisabled"
        raise Fault(INVALID, f"Invalid artifacts: {message}")


def _check_environment(environment: Declared) -> None:
    kind, compute = environment["type"], environment["computeType"]
    if compute.startswith(_LAMBDA) != (kind in _LAMBDAS):
        raise Fault(INVALID, "Invalid compute type provided")
    privileged = environment.get("privilegedMode", False)
    if privileged and (kind in _LAMBDAS or kind.startswith("WINDOWS")):
        raise Fault(INVALID, f"PrivilegedMode is not supported for {kind} projects")
    pulls = environment.get("imagePullCredentialsType", "CODEBUILD")
    if environment["image"].startswith(_CURATED) and pulls != "CODEBUILD":
        message = "Curated images only support imagePullCredentialsType CODEBUILD"
        raise Fault(INVALID, f"Invalid environment: {message}")
    _check_variables([one["name"] for one in environment.get("environmentVariables", [])])


def _check_variables(names: list[str]) -> None:
    if any(name.startswith(_RESERVED) for name in names):
        raise Fault(INVALID, f"No user environment variables can start with {_RESERVED}")
    if len(names) != len(set(names)):
        raise Fault(INVALID, "EnvironmentVariable name cannot be duplicated")


def _check_cache(cache: Declared) -> None:
    if cache.get("type") == "S3" and not cache.get("location"):
        message = "location must be a valid S3 bucket, followed by slash and the prefix"
        raise Fault(INVALID, f"Invalid cache: {message}")
    if cache.get("type") == "LOCAL" and not cache.get("modes"):
        raise Fault(INVALID, "Invalid cache: modes are required for cache type LOCAL")


def _check_key(key: str, region: str) -> None:
    if key.startswith("arn:") and key.split(":")[3] != region:
        message = "Invalid encryption key: region does not match current region"
        raise Fault(INVALID, message)
