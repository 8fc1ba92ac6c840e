"""CodePipeline: pipelines, their versions, and the transitions between their stages.

Nothing is ever run here, so there are no executions: what starts, stops or lists one is "not
implemented". A transition is disabled by hand, and stays so whatever happens to the declaration.
https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
"""

from copy import deepcopy
from typing import Any

from platform_pipelines.local.aws import codepipeline_rules as rules
from platform_pipelines.local.aws.answers import Record, moment, taken
from platform_pipelines.local.aws.kept import Keeping
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import CLOUDFORMATION, Call, Fault, Result, operation

PAGE, TAGS_PAGE = 1000, 100
MOST_TAGS = 50
_BY_DEFAULT = {"executionMode": "SUPERSEDED", "pipelineType": "V1"}
_OF_AN_ACTION = {"configuration": {}, "inputArtifacts": [], "outputArtifacts": [], "runOrder": 1}
_INBOUND = "Inbound"

_MISSING, _UNKNOWN = "PipelineNotFoundException", "ResourceNotFoundException"
_STAGE, _TOKEN = "StageNotFoundException", "InvalidNextTokenException"
_TAGS, _SYSTEM = "TooManyTagsException", "InvalidTagsException"


class CodePipeline(Keeping):
    """The pipelines of a Region."""

    name = "codepipeline"

    @operation(raises=(*rules.CODES, "PipelineNameInUseException", _TAGS, _SYSTEM))
    def CreatePipeline(self, call: Call) -> Result:  # noqa: N802
        asked = call.params["pipeline"]
        name, tags = asked["name"], _given(call)
        if name in self.records(call):
            message = f"A pipeline with the name '{name}' already exists in account"
            raise Fault("PipelineNameInUseException", f"{message} '{call.account}'")
        rules.check(asked, call.region)
        _check_tags(tags)
        now = self.world.now()
        self.records(call)[name] = {
            "versions": [_declared(asked, 1)],
            "created": now,
            "updated": now,
            "tags": tags,
            "transitions": {},  # by stage and type, those that were ever changed
        }
        return {"pipeline": _declared(asked, 1), "tags": _listed(tags)}

    @operation(raises=(_MISSING, "PipelineVersionNotFoundException"))
    def GetPipeline(self, call: Call) -> Result:  # noqa: N802
        found, name = self._pipeline(call, call.params["name"]), call.params["name"]
        version = call.params.get("version", len(found["versions"]))
        if version > len(found["versions"]):
            message = f"Pipeline '{name}' does not have a version '{version}'"
            raise Fault("PipelineVersionNotFoundException", message)
        about = {"pipelineArn": _arn(call, name)}
        times = {key: moment(found[key]) for key in ("created", "updated")}
        return {"pipeline": deepcopy(found["versions"][version - 1]), "metadata": about | times}

    @operation(raises=(*rules.CODES, _MISSING))
    def UpdatePipeline(self, call: Call) -> Result:  # noqa: N802
        asked = call.params["pipeline"]
        found = self._pipeline(call, asked["name"])
        rules.check(asked, call.region)
        declared = _declared(asked, len(found["versions"]) + 1)
        found["versions"].append(declared)
        found["updated"] = self.world.now()
        return {"pipeline": deepcopy(declared)}

    @operation
    def DeletePipeline(self, call: Call) -> Result:  # noqa: N802
        self.records(call).pop(call.params["name"], None)
        return {}

    @operation(raises=(_TOKEN,))
    def ListPipelines(self, call: Call) -> Result:  # noqa: N802
        rows = [_summary(one) for _, one in sorted(self.records(call).items())]
        return _paged("pipelines", rows, call, PAGE)

    @operation(raises=(_MISSING,))
    def GetPipelineState(self, call: Call) -> Result:  # noqa: N802
        found = self._pipeline(call, call.params["name"])
        current = found["versions"][-1]
        return {
            "pipelineName": current["name"],
            "pipelineVersion": current["version"],
            "stageStates": [
                _stage_state(stage, found["transitions"], first=number == 0)
                for number, stage in enumerate(current["stages"])
            ],
            "created": moment(found["created"]),
            "updated": moment(found["updated"]),
        }

    @operation(raises=(_MISSING, _STAGE), states="transition enabled → disabled")
    def DisableStageTransition(self, call: Call) -> Result:  # noqa: N802
        self._transition(call)[call.params["transitionType"]] = {
            "enabled": False,
            "disabledReason": call.params["reason"],
            **self._change(call),
        }
        return {}

    @operation(raises=(_MISSING, _STAGE), states="transition disabled → enabled")
    def EnableStageTransition(self, call: Call) -> Result:  # noqa: N802
        changed = {"enabled": True, **self._change(call)}
        self._transition(call)[call.params["transitionType"]] = changed
        return {}

    @operation(raises=(_UNKNOWN, _TAGS, _SYSTEM))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        found = self._tagged(call)
        tags = found["tags"] | _given(call)
        _check_tags(tags)
        found["tags"] = tags
        return {}

    @operation(raises=(_UNKNOWN,))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        found, gone = self._tagged(call), call.params["tagKeys"]
        found["tags"] = {key: value for key, value in found["tags"].items() if key not in gone}
        return {}

    @operation(raises=(_UNKNOWN, _TOKEN))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        rows = _listed(self._tagged(call)["tags"])
        return _paged("tags", rows, call, TAGS_PAGE)

    def _pipeline(self, call: Call, name: str) -> Record:
        found = self.records(call).get(name)
        if found is None:
            message = f"Account '{call.account}' does not have a pipeline with name '{name}'"
            raise Fault(_MISSING, message)
        return found

    def _transition(self, call: Call) -> Record:
        """The transitions of a stage that there is."""
        found, stage = self._pipeline(call, call.params["pipelineName"]), call.params["stageName"]
        if stage not in [one["name"] for one in found["versions"][-1]["stages"]]:
            name = call.params["pipelineName"]
            raise Fault(_STAGE, f"Stage '{stage}' does not exist in pipeline '{name}'")
        transition: Record = found["transitions"].setdefault(stage, {})
        return transition

    def _change(self, call: Call) -> Record:
        return {
            "lastChangedBy": f"arn:aws:iam::{call.account}:root",
            "lastChangedAt": self.world.now(),
        }

    def _tagged(self, call: Call) -> Record:
        arn = call.params["resourceArn"]
        for name, found in self.records(call).items():
            if _arn(call, name) == arn:
                return found
        raise Fault(_UNKNOWN, f"The resource '{arn}' does not exist.")


def _paged(key: str, rows: list[Record], call: Call, limit: int) -> Result:
    names, wrong = ("nextToken", "maxResults"), Fault(_TOKEN, "The nextToken is not valid.")
    return paged(key, rows, call.params, wrong=wrong, limit=limit, names=names)


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:codepipeline:{call.region}:{call.account}:{name}"


def _declared(asked: dict[str, Any], version: int) -> Record:
    """A declaration as it is kept and answered: with what CodePipeline adds."""
    declared: Record = deepcopy(asked)
    for stage in declared["stages"]:
        stage["actions"] = [deepcopy(_OF_AN_ACTION) | action for action in stage["actions"]]
    return _BY_DEFAULT | declared | {"version": version}


def _summary(found: Record) -> Record:
    current = found["versions"][-1]
    times = {key: moment(found[key]) for key in ("created", "updated")}
    return taken(current, "name", "version", "pipelineType", "executionMode") | times


def _stage_state(stage: Record, transitions: Record, *, first: bool) -> Record:
    """Nothing comes into the first stage, unless somebody has disabled that, too."""
    changed = transitions.get(stage["name"], {}).get(_INBOUND)
    state: Record = {"stageName": stage["name"]}
    if changed:
        at = {"lastChangedAt": moment(changed["lastChangedAt"])}
        state["inboundTransitionState"] = changed | at
    elif not first:
        state["inboundTransitionState"] = {"enabled": True}
    return state | {"actionStates": [{"actionName": one["name"]} for one in stage["actions"]]}


def _given(call: Call) -> dict[str, str]:
    """The tags that a call asks for. Raises: Fault, for those that only AWS itself may set."""
    tags = {tag["key"]: tag["value"] for tag in call.params.get("tags", [])}
    if call.request_id != CLOUDFORMATION and any(key.startswith("aws:") for key in tags):
        message = "Not allowed to modify system tags. System tags start with 'aws:'."
        raise Fault(_SYSTEM, message)
    return tags


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise Fault(_TAGS, f"A resource can have at most {MOST_TAGS} tags.")
