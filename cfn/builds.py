"""The CodeBuild projects of a service's pipeline, each with a role that can do its stage's work only.

A test runs whatever a repository says, so its role reaches no registry. Only the build's role pushes,
to one repository; the role that waits for the other Region only reads there.
"""

from dataclasses import dataclass

from troposphere import GetAtt, Ref, Template
from troposphere.codebuild import (
    Artifacts,
    CloudWatchLogs,
    Environment,
    EnvironmentVariable,
    LogsConfig,
    Project,
    Source,
)
from troposphere.iam import Role
from troposphere.logs import LogGroup

from cfn import buildspecs
from cfn.names import KEPT, LOG_DAYS, logical
from cfn.service_role import Statement, allow, service_role
from platform_pipelines.model import Platform, Region, Service

IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
QUEUED_MINUTES = 30
# Most images are copied in less than 30 minutes, says ECR; the project's own limit comes after.
WAIT_SECONDS = 40 * 60
POLL_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One kind of project."""

    kind: str  # a word of its name
    spec: str
    minutes: int  # after which it is stopped
    docker: bool  # builds images, and so is privileged


TEST = Build(kind="test", spec=buildspecs.TEST, minutes=30, docker=True)
BUILD = Build(kind="build", spec=buildspecs.BUILD, minutes=30, docker=True)
PARITY = Build(kind="parity", spec=buildspecs.PARITY, minutes=45, docker=False)
KINDS = (TEST, BUILD, PARITY)


def project_name(platform: Platform, service: Service, build: Build) -> str:
    """`<pipeline>-<kind>`, equal in both Regions."""
    return f"{platform.pipeline_name(service)}-{build.kind}"


def project_arn(platform: Platform, region: Region, service: Service, build: Build) -> str:
    """The ARN of a project."""
    name = project_name(platform, service, build)
    return f"arn:aws:codebuild:{region.name}:{platform.account}:project/{name}"


def add(template: Template, platform: Platform, region: Region, service: Service) -> None:
    """The service's log group, and its projects with their roles."""
    group = template.add_resource(_logs(service))
    for build in KINDS:
        role = template.add_resource(_role(platform, region, service, build))
        template.add_resource(_project(platform, region, service, build, role, group))


def _logs(service: Service) -> LogGroup:
    """Made here, so that it ends some day: CodeBuild's own log groups keep all for ever."""
    return LogGroup(logical("Logs", service.name), RetentionInDays=LOG_DAYS, **KEPT)


def _project(
    platform: Platform,
    region: Region,
    service: Service,
    build: Build,
    role: Role,
    group: LogGroup,
) -> Project:
    return Project(
        logical("Project", service.name, build.kind),
        Name=project_name(platform, service, build),
        ServiceRole=GetAtt(role, "Arn"),
        EncryptionKey=Ref("Key"),
        Source=Source(Type="CODEPIPELINE", BuildSpec=build.spec),
        Artifacts=Artifacts(Type="CODEPIPELINE"),
        Environment=Environment(
            Type="LINUX_CONTAINER",
            ComputeType="BUILD_GENERAL1_SMALL",
            Image=IMAGE,
            PrivilegedMode=build.docker,
            EnvironmentVariables=_variables(platform, region, service),
        ),
        LogsConfig=LogsConfig(
            CloudWatchLogs=CloudWatchLogs(
                Status="ENABLED", GroupName=Ref(group), StreamName=build.kind
            )
        ),
        TimeoutInMinutes=build.minutes,
        QueuedTimeoutInMinutes=QUEUED_MINUTES,
    )


def _variables(platform: Platform, region: Region, service: Service) -> list[EnvironmentVariable]:
    """What the buildspecs read; the pipeline adds COMMIT, and DIGEST once there is one."""
    values = {
        "REGISTRY": platform.registry_host(region),
        "REPOSITORY": service.repository,
        "OTHER_REGION": platform.other(region.alias).name,
        "WAIT_SECONDS": str(WAIT_SECONDS),
        "POLL_SECONDS": str(POLL_SECONDS),
    }
    return [
        EnvironmentVariable(Name=name, Value=value, Type="PLAINTEXT")
        for name, value in values.items()
    ]


def _role(platform: Platform, region: Region, service: Service, build: Build) -> Role:
    return service_role(
        platform,
        logical("Role", service.name, build.kind),
        "codebuild",
        [
            _own_logs(service),
            *source(platform, region),
            *_images(platform, region, service, build),
        ],
        [project_arn(platform, region, service, build)],
    )


def _own_logs(service: Service) -> Statement:
    group = GetAtt(logical("Logs", service.name), "Arn")
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], group)


def source(platform: Platform, region: Region) -> list[Statement]:
    """Read what the stage before left in the artifacts bucket."""
    return [
        allow(
            ["s3:GetObject", "s3:GetObjectVersion"],
            f"arn:aws:s3:::{platform.artifacts_bucket(region)}/*",
        ),
        allow(["kms:Decrypt", "kms:DescribeKey"], Ref("Key")),
    ]


def _images(platform: Platform, region: Region, service: Service, build: Build) -> list[Statement]:
    """What a kind of project does with images."""
    if build is BUILD:
        return [
            allow(["ecr:GetAuthorizationToken"], "*"),  # takes no resource
            allow(PUSH, _repository(platform, region, service)),
        ]
    if build is PARITY:
        there = platform.other(region.alias)
        return [allow(["ecr:DescribeImages"], _repository(platform, there, service))]
    return []


PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",  # docker asks for the manifest before it pushes
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def _repository(platform: Platform, region: Region, service: Service) -> str:
    return f"arn:aws:ecr:{region.name}:{platform.account}:repository/{service.repository}"
