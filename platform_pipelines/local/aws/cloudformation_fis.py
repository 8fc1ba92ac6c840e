"""The resource type of Fault Injection Service."""

import uuid
from typing import Any

from platform_pipelines.local.aws.cloudformation_mirror import mirrored, mirrored_map
from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    parameters,
)
from platform_pipelines.local.aws.service import Params

_MAPS = ("Actions", "Targets")
_OPTIONS, _REPORT = "ExperimentOptions", "ExperimentReportConfiguration"


class ExperimentTemplate(ResourceType):
    """AWS::FIS::ExperimentTemplate: Ref is the id. Of its options the account targeting is
    create-only, the rest is not."""

    name = "AWS::FIS::ExperimentTemplate"
    create_only = ()
    conditional = (_OPTIONS,)
    reads = frozenset(
        {
            *("Actions", "Description", _OPTIONS, "LogConfiguration", "RoleArn"),
            *("StopConditions", "Targets"),
        }
    )

    def create(self, props: Properties) -> Made:
        token = {"clientToken": uuid.uuid4().hex}
        params = parameters("fis", "CreateExperimentTemplate", _plain(props)) | token
        return _made(self._ask("CreateExperimentTemplate", params))

    def update(self, one: Existing, new: Properties) -> Made:
        if _targeting(one.properties) != _targeting(new):
            return self.create(new)
        told: Properties = {"Actions": {}, "Targets": {}} | _plain(new)
        told.pop("Tags", None)
        if _OPTIONS in told:
            mode = told[_OPTIONS].get("EmptyTargetResolutionMode", "fail")
            told[_OPTIONS] = {"EmptyTargetResolutionMode": mode}
        params = parameters("fis", "UpdateExperimentTemplate", told) | {"id": one.id}
        found = self._ask("UpdateExperimentTemplate", params)
        before, after = one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "fis", {"resourceArn": found["arn"]}, before, after)
        return _made(found)

    def delete(self, one: Existing) -> None:
        self._ask("DeleteExperimentTemplate", {"id": one.id})

    def look(self, one: Existing) -> Look:
        found = self._ask("GetExperimentTemplate", {"id": one.id})
        wanted = {key: one.properties[key] for key in self.reads & one.properties.keys()}
        actual = mirrored(wanted, found)
        for key in _MAPS:
            actual[key] = mirrored_map(wanted.get(key, {}), found[key.lower()])
        return Look(condition=Condition.READY, made=_made(found), actual=actual)

    def _ask(self, operation: str, params: Params) -> dict[str, Any]:
        return dict(self.call("fis", operation, params)["experimentTemplate"])


def _made(found: dict[str, Any]) -> Made:
    return Made(id=found["id"], attributes={"Id": found["id"]})


def _targeting(props: Properties) -> str:
    return str(props.get(_OPTIONS, {}).get("AccountTargeting", "single-account"))


def _plain(props: Properties) -> Properties:
    """Properties with the API's names: the bucket of a report is called otherwise there."""
    plain = dict(props)
    if _REPORT in props:
        outputs = props[_REPORT]["Outputs"]
        bucket = {"S3Configuration": outputs["ExperimentReportS3Configuration"]}
        plain[_REPORT] = props[_REPORT] | {"Outputs": bucket}
    return plain
