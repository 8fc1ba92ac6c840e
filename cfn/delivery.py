"""Stack `delivery` (each): from a push to an image that both Regions have, by one digest.

Per service with a source: Source, Test, Build, Parity. Both Regions have the same pipelines; the
standby's is held before the stage after Source by `converge_roles`, never here. It keeps the newest
commit waiting there (SUPERSEDED), and goes on with it when its Region becomes active.
Who first makes the stack confirms the connection once, in the console: AWS asks for a person.
"""

import json
from typing import Any

from troposphere import GetAtt, Output, Ref, Template
from troposphere.codeconnections import Connection
from troposphere.codepipeline import (
    Actions,
    ActionTypeId,
    ArtifactStore,
    EncryptionKey,
    GitBranchFilterCriteria,
    GitConfiguration,
    GitPushFilter,
    InputArtifacts,
    OutputArtifacts,
    Pipeline,
    PipelineTriggerDeclaration,
    Stages,
)
from troposphere.iam import Role

from cfn import artifacts, builds, parameters
from cfn.builds import BUILD, KINDS, PARITY, TEST, Build
from cfn.names import logical
from cfn.service_role import allow, service_role
from platform_pipelines.model import Platform, Region, Service, Source

COMMIT = "#{Source.CommitId}"
DIGEST = "#{Build.DIGEST}"
CODE = "Code"  # the artifact of stage Source


def build(platform: Platform, region: Region) -> Template:
    """The Region's pipelines. Outputs: Connection, if a service has a source."""
    template = Template(Description=f"{platform.platform}: the pipelines in {region.name}")
    parameters.add(template, "Key")
    artifacts.add(template, platform, region)
    built = [service for service in platform.services if service.source]
    if built:
        connection = template.add_resource(_connection(platform))
        template.add_output(Output("Connection", Value=Ref(connection)))
    for service in built:
        builds.add(template, platform, region, service)
        _add_pipeline(template, platform, region, service)
    return template


def _connection(platform: Platform) -> Connection:
    """Is PENDING, and no source can be read, until somebody has confirmed it at the provider."""
    return Connection("Connection", ConnectionName=platform.platform, ProviderType="GitHub")


def _add_pipeline(template: Template, platform: Platform, region: Region, service: Service) -> None:
    if service.source is None:
        return
    role = template.add_resource(_role(platform, region, service))
    template.add_resource(
        Pipeline(
            logical("Pipeline", service.name),
            Name=platform.pipeline_name(service),
            PipelineType="V2",
            ExecutionMode="SUPERSEDED",
            RoleArn=GetAtt(role, "Arn"),
            ArtifactStore=ArtifactStore(
                Type="S3",
                Location=Ref(artifacts.BUCKET),
                EncryptionKey=EncryptionKey(Id=Ref("Key"), Type="KMS"),
            ),
            Triggers=[_trigger(service.source)],
            Stages=[
                Stages(Name="Source", Actions=[_source(service.source)]),
                Stages(Name="Test", Actions=[_built(service, TEST)]),
                Stages(Name="Build", Actions=[_built(service, BUILD, COMMIT=COMMIT)]),
                Stages(
                    Name="Parity",
                    Actions=[_built(service, PARITY, COMMIT=COMMIT, DIGEST=DIGEST)],
                ),
            ],
            # A change of the pipeline is no change of the code.
            RestartExecutionOnUpdate=False,
        )
    )


def _trigger(source: Source) -> PipelineTriggerDeclaration:
    """Every push to the branch; it takes the place of CodePipeline's own detection."""
    branch = GitBranchFilterCriteria(Includes=[source.branch])
    return PipelineTriggerDeclaration(
        ProviderType="CodeStarSourceConnection",
        GitConfiguration=GitConfiguration(
            SourceActionName="Source", Push=[GitPushFilter(Branches=branch)]
        ),
    )


def _source(source: Source) -> Actions:
    return Actions(
        Name="Source",
        Namespace="Source",
        ActionTypeId=ActionTypeId(
            Category="Source", Owner="AWS", Provider="CodeStarSourceConnection", Version="1"
        ),
        Configuration={
            "ConnectionArn": Ref("Connection"),
            "FullRepositoryId": source.repository,
            "BranchName": source.branch,
            "OutputArtifactFormat": "CODE_ZIP",
        },
        OutputArtifacts=[OutputArtifacts(Name=CODE)],
    )


def _built(service: Service, build: Build, **variables: str) -> Actions:
    """An action that runs a CodeBuild project; its exported variables get the stage's name."""
    name = build.kind.title()
    values = [{"name": k, "value": v, "type": "PLAINTEXT"} for k, v in variables.items()]
    configuration: dict[str, Any] = {
        "ProjectName": Ref(logical("Project", service.name, build.kind))
    }
    if values:
        configuration["EnvironmentVariables"] = json.dumps(values, separators=(",", ":"))
    return Actions(
        Name=name,
        Namespace=name,
        ActionTypeId=ActionTypeId(
            Category="Test" if build is TEST else "Build",
            Owner="AWS",
            Provider="CodeBuild",
            Version="1",
        ),
        Configuration=configuration,
        InputArtifacts=[InputArtifacts(Name=CODE)],
    )


def _role(platform: Platform, region: Region, service: Service) -> Role:
    """Reads the source through the connection, keeps artifacts, starts this service's builds.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    """
    name = platform.pipeline_name(service)
    bucket = f"arn:aws:s3:::{platform.artifacts_bucket(region)}"
    return service_role(
        platform,
        logical("Role", service.name, "pipeline"),
        "codepipeline",
        [
            allow(["codeconnections:UseConnection"], Ref("Connection")),
            *builds.source(platform, region),
            allow(["s3:PutObject"], f"{bucket}/*"),
            allow([f"s3:GetBucket{what}" for what in ("Acl", "Location", "Versioning")], bucket),
            allow(["kms:GenerateDataKey"], Ref("Key")),
            allow(
                ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
                [builds.project_arn(platform, region, service, build) for build in KINDS],
            ),
        ],
        [f"arn:aws:codepipeline:{region.name}:{platform.account}:{name}"],
    )
