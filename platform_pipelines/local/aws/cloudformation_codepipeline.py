"""The resource type of CodePipeline.

Whether a stage's inbound transition is enabled is state of run time: it is set only where a template
says so, and an update of anything else leaves it alone.
"""

import json
from typing import Any

from platform_pipelines.local.aws.cloudformation_mirror import mirrored, told
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
from platform_pipelines.local.aws.service import Fault, Params

_APART = frozenset({"DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags"})
_TRANSITIONS = "DisableInboundStageTransitions"


class Pipeline(ResourceType):
    """AWS::CodePipeline::Pipeline: Ref is the name."""

    name = "AWS::CodePipeline::Pipeline"
    create_only = ("Name",)
    custom_name = "Name"
    reads = frozenset(
        {
            *("ArtifactStore", "ArtifactStores", "ExecutionMode", "Name", "PipelineType"),
            *("RoleArn", "Stages", "Triggers", "Variables"),
        }
    )

    def create(self, props: Properties) -> Made:
        tags = {"Tags": props.get("Tags", [])}
        params = _declaration("CreatePipeline", props) | parameters(
            "codepipeline", "CreatePipeline", tags
        )
        return self._made(self.call("codepipeline", "CreatePipeline", params)["pipeline"])

    def settle(self, one: Existing) -> bool:
        self._hold(one.id, {}, _held(one.properties))
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        params = _declaration("UpdatePipeline", new)
        made = self._made(self.call("codepipeline", "UpdatePipeline", params)["pipeline"])
        self._hold(one.id, _held(one.properties), _held(new))
        arn, before, after = made.attributes["Arn"], one.properties.get("Tags"), new.get("Tags")
        retag(self.call, "codepipeline", {"resourceArn": arn}, before, after)
        return made

    def delete(self, one: Existing) -> None:
        self.call("codepipeline", "DeletePipeline", {"name": one.id})

    def look(self, one: Existing) -> Look:
        found = self.call("codepipeline", "GetPipeline", {"name": one.id})["pipeline"]
        wanted = _plain(one.properties)
        actual = mirrored({key: wanted[key] for key in self.reads & wanted.keys()}, found)
        for key in ("Stages", "ArtifactStores"):
            if key in actual and actual[key] == wanted[key]:
                actual[key] = one.properties[key]
        return Look(condition=Condition.READY, made=self._made(found), actual=actual)

    def _hold(self, name: str, old: dict[str, str], new: dict[str, str]) -> None:
        """Disable the transitions that the template names, and enable those that it named."""
        for stage, reason in new.items():
            if old.get(stage) != reason:
                params = _stage(name, stage) | {"reason": reason}
                self.call("codepipeline", "DisableStageTransition", params)
        for stage in old.keys() - new.keys():
            self.call("codepipeline", "EnableStageTransition", _stage(name, stage))

    def _made(self, found: dict[str, Any]) -> Made:
        described = self.call("codepipeline", "GetPipeline", {"name": found["name"]})
        attributes = {
            "Arn": described["metadata"]["pipelineArn"],
            "Version": str(found["version"]),
        }
        return Made(id=found["name"], attributes=attributes)


def _declaration(operation: str, props: Properties) -> Params:
    if told(props.get("RestartExecutionOnUpdate", False)) == "true":
        raise Fault(
            "ValidationException",
            "RestartExecutionOnUpdate is not supported by the local Regions: nothing runs here",
        )
    declared = {key: value for key, value in _plain(props).items() if key not in _APART}
    return parameters("codepipeline", operation, {"Pipeline": declared})


def _plain(props: Properties) -> Properties:
    """Properties in the API's form: stores by Region, configurations of texts."""
    plain = dict(props)
    if "ArtifactStores" in props:
        plain["ArtifactStores"] = {
            one["Region"]: one["ArtifactStore"] for one in props["ArtifactStores"]
        }
    if "Stages" in props:
        plain["Stages"] = [
            stage | {"Actions": [_plain_action(action) for action in stage["Actions"]]}
            for stage in props["Stages"]
        ]
    return plain


def _plain_action(action: Properties) -> Properties:
    if "Configuration" not in action:
        return action
    given = action["Configuration"]
    configuration = json.loads(given) if isinstance(given, str) else given
    return action | {"Configuration": {key: told(one) for key, one in configuration.items()}}


def _held(props: Properties) -> dict[str, str]:
    """The reasons of the transitions that a template disables, by stage."""
    return {one["StageName"]: one["Reason"] for one in props.get(_TRANSITIONS, [])}


def _stage(name: str, stage: str) -> Params:
    return {"pipelineName": name, "stageName": stage, "transitionType": "Inbound"}
