"""The resource type of CodeBuild."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_mirror import mirrored
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    parameters,
)
from platform_pipelines.local.aws.service import Fault

# What a property is again when a template says it no longer; UpdateProject leaves out what it is
# not told.
_BY_DEFAULT: Properties = {
    "Cache": {"Type": "NO_CACHE"},
    "Description": "",
    "QueuedTimeoutInMinutes": 480,
    "SecondaryArtifacts": [],
    "SecondarySources": [],
    "Tags": [],
    "TimeoutInMinutes": 60,
}


class Project(ResourceType):
    """AWS::CodeBuild::Project: Ref is the name."""

    name = "AWS::CodeBuild::Project"
    create_only = ("Name",)
    custom_name = "Name"
    reads = frozenset(
        {
            *("Artifacts", "Cache", "Description", "EncryptionKey", "Environment", "LogsConfig"),
            *("Name", "QueuedTimeoutInMinutes", "ServiceRole", "Source", "TimeoutInMinutes"),
            "VpcConfig",
        }
    )

    def create(self, props: Properties) -> Made:
        params = parameters("codebuild", "CreateProject", _plain(props))
        return _made(self.call("codebuild", "CreateProject", params)["project"])

    def update(self, one: Existing, new: Properties) -> Made:
        gone = one.properties.keys() - new.keys()
        back = {key: value for key, value in _BY_DEFAULT.items() if key in gone}
        params = parameters("codebuild", "UpdateProject", _plain(new | back) | {"Name": one.id})
        return _made(self.call("codebuild", "UpdateProject", params)["project"])

    def delete(self, one: Existing) -> None:
        self.call("codebuild", "DeleteProject", {"name": one.id})

    def look(self, one: Existing) -> Look:
        found = self.call("codebuild", "BatchGetProjects", {"names": [one.id]})["projects"]
        if not found:
            raise Fault("ResourceNotFoundException", f"Project {one.id} is gone")
        wanted = {key: one.properties[key] for key in self.reads & one.properties.keys()}
        actual = mirrored(wanted, found[0])
        return Look(condition=Condition.READY, made=_made(found[0]), actual=actual)


def _made(found: dict[str, Any]) -> Made:
    return Made(id=found["name"], attributes={"Arn": found["arn"], "Id": found["name"]})


def _plain(props: Properties) -> Properties:
    """Without what says that a project is private, which every project is."""
    return {key: value for key, value in props.items() if (key, value) != ("Visibility", "PRIVATE")}
