"""What the tests of pipelines and drills share: roles, declarations, and a world that is called."""

import json
from collections.abc import Mapping
from typing import Any

from tests.local.aws.stacks import StillWorld, resource

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"
ACCOUNT = "111122223333"
CONNECTION = f"arn:aws:codeconnections:{SEOUL}:{ACCOUNT}:connection/c"


def role(world: StillWorld, service: str, name: str = "") -> str:
    """A role that lets a service in; its ARN."""
    made = world.aws("iam").create_role(
        RoleName=name or service, AssumeRolePolicyDocument=json.dumps(trust(service))
    )
    return str(made["Role"]["Arn"])


def trust(service: str) -> dict[str, Any]:
    """A trust policy for one service."""
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [allowed]}


def role_resource(service: str) -> dict[str, Any]:
    """The same role, as a stack makes it."""
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust(service))


def action(category: str, provider: str, **more: Any) -> dict[str, Any]:
    """An action, named as its category."""
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": category, "actionTypeId": kind, **more}


def source(**more: Any) -> dict[str, Any]:
    """An action that fetches the code."""
    configuration = {
        "ConnectionArn": CONNECTION,
        "FullRepositoryId": "example/app",
        "BranchName": "main",
    }
    out = [{"name": "Code"}]
    given = {"configuration": configuration, "outputArtifacts": out} | more
    return action("Source", "CodeStarSourceConnection", **given)


def build(**more: Any) -> dict[str, Any]:
    """An action that builds the code."""
    given = {"configuration": {"ProjectName": "p"}, "inputArtifacts": [{"name": "Code"}]} | more
    return action("Build", "CodeBuild", **given)


def stage(*actions: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """A stage, named as its first action."""
    return {"name": name or actions[0]["name"], "actions": list(actions)}


def pipeline(role_arn: str, **more: Any) -> dict[str, Any]:
    """A pipeline's declaration: it fetches and builds."""
    return {
        "name": "app",
        "roleArn": role_arn,
        "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [stage(source()), stage(build())],
        **more,
    }


def project(role_arn: str, **more: Any) -> dict[str, Any]:
    """A project's declaration, for a pipeline."""
    return {
        "name": "app-build",
        "serviceRole": role_arn,
        "source": {"type": "CODEPIPELINE", "buildspec": "version: 0.2"},
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        **more,
    }


def experiment(role_arn: str, **more: Any) -> dict[str, Any]:
    """An experiment template: the subnets of a zone are cut off."""
    return {
        "clientToken": "token",
        "description": "a zone without network",
        "roleArn": role_arn,
        "stopConditions": [
            {
                "source": "aws:cloudwatch:alarm",
                "value": f"arn:aws:cloudwatch:{SEOUL}:{ACCOUNT}:alarm:stop",
            }
        ],
        "targets": {
            "Zone": {
                "resourceType": "aws:ec2:subnet",
                "resourceTags": {"zone": "a"},
                "selectionMode": "ALL",
                "parameters": {"availabilityZoneIdentifier": f"{SEOUL}a"},
            }
        },
        "actions": {
            "Cut": {
                "actionId": "aws:network:disrupt-connectivity",
                "parameters": {"duration": "PT2M", "scope": "all"},
                "targets": {"Subnets": "Zone"},
            }
        },
        **more,
    }
