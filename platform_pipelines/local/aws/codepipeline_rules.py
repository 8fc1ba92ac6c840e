"""What CodePipeline demands of a pipeline's structure, in its words.

Looked at when a pipeline is created or updated; nothing is run.
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from platform_pipelines.local.aws import role_trust
from platform_pipelines.local.aws.codepipeline_actions import (
    ACTION_TYPES,
    CONNECTION,
    ActionType,
    Key,
)
from platform_pipelines.local.aws.service import Fault

Declared = dict[str, Any]

STRUCTURE = "InvalidStructureException"
STAGE = "InvalidStageDeclarationException"
ACTION = "InvalidActionDeclarationException"
CODES = (STRUCTURE, STAGE, ACTION)
LEAST, MOST = 2, 50  # stages
_CONDITIONS = ("onFailure", "onSuccess", "beforeEntry")


def check(pipeline: Declared, region: str) -> None:
    """Whether a pipeline of this declaration could be in the Region. Raises: Fault."""
    arn = pipeline["roleArn"]
    if not role_trust.is_assumable(arn, "codepipeline.amazonaws.com"):
        message = f"CodePipeline is not authorized to perform AssumeRole on role {arn}"
        raise Fault(STRUCTURE, message)
    _check_stages(pipeline["stages"])
    for action in _actions(pipeline):
        _check_action(action, region)
    _check_artifacts(pipeline)
    _check_stores(pipeline, region)
    _check_type(pipeline)
    _check_triggers(pipeline)
    _check_variables(pipeline)


def _actions(pipeline: Declared) -> Iterator[Declared]:
    for stage in pipeline["stages"]:
        yield from stage["actions"]


def _check_stages(stages: list[Declared]) -> None:
    if len(stages) < LEAST:
        raise Fault(
            STRUCTURE,
            f"Pipeline has only {len(stages)} stage(s). "
            f"There should be a minimum of {LEAST} stages in a pipeline",
        )
    if len(stages) > MOST:
        most = f"There can only be up to {MOST} stages in a pipeline"
        raise Fault(STRUCTURE, f"Pipeline has too many stages. {most}")
    for name in _repeated([stage["name"] for stage in stages]):
        raise Fault(STAGE, f"Stage name '{name}' is used more than once")
    for stage in stages:
        if not stage["actions"]:
            raise Fault(STAGE, f"Stage '{stage['name']}' should have at least 1 action")
        for name in _repeated([action["name"] for action in stage["actions"]]):
            message = f"Action name '{name}' is used more than once in stage '{stage['name']}'"
            raise Fault(ACTION, message)
    _check_sources(stages)


def _check_sources(stages: list[Declared]) -> None:
    first, *others = [
        {action["actionTypeId"]["category"] for action in stage["actions"]} for stage in stages
    ]
    if first != {"Source"}:
        message = "Pipeline should start with a stage that only contains source actions"
        raise Fault(STRUCTURE, message)
    if any("Source" in categories for categories in others):
        message = "Source actions can only be included in the first stage of the pipeline"
        raise Fault(STRUCTURE, message)


def _check_action(action: Declared, region: str) -> None:
    name, found = action["name"], type_of(action)
    if found is None:
        place = action.get("region", region).upper().replace("-", "_")
        raise Fault(
            ACTION, f"{_told(action)} in action '{name}' is not available in region {place}"
        )
    if missing := sorted(found.required - action.get("configuration", {}).keys()):
        raise Fault(
            ACTION,
            f"Action configuration for action '{name}' is missing required configuration "
            f"'{missing[0]}'",
        )
    _check_count(name, "input", len(action.get("inputArtifacts", [])), found.inputs)
    _check_count(name, "output", len(action.get("outputArtifacts", [])), found.outputs)


def type_of(action: Declared) -> ActionType | None:
    """What CodePipeline knows of an action's type."""
    asked = action["actionTypeId"]
    key: Key = (asked["owner"], asked["category"], asked["provider"], asked["version"])
    return ACTION_TYPES.get(key)


def _told(action: Declared) -> str:
    asked = action["actionTypeId"]
    names = ("category", "provider", "owner", "version")
    said = ", ".join(f"{name.capitalize()}: '{asked[name]}'" for name in names)
    return f"ActionType ({said})"


def _check_count(name: str, kind: str, count: int, bounds: tuple[int, int]) -> None:
    least, most = bounds
    declares = f"Action {name} declares {count} {kind} artifacts which is"
    if count < least:
        raise Fault(ACTION, f"{declares} less than the minimum count ({least})")
    if count > most:
        raise Fault(ACTION, f"{declares} more than the maximum count ({most})")


def _check_artifacts(pipeline: Declared) -> None:
    """Every input is the output of an action that ran before, and no output has two makers."""
    made: set[str] = set()
    for stage in pipeline["stages"]:
        for order in sorted({_order(action) for action in stage["actions"]}):
            group = [action for action in stage["actions"] if _order(action) == order]
            _check_inputs(group, made)
            made |= _outputs(group, made)


def _check_inputs(group: list[Declared], made: set[str]) -> None:
    for action in group:
        for artifact in action.get("inputArtifacts", []):
            if artifact["name"] not in made:
                raise Fault(
                    ACTION,
                    f"Input Artifact Bundle {artifact['name']} in action {action['name']} is not "
                    "declared as Output Artifact Bundle in any of the preceding actions",
                )


def _outputs(group: list[Declared], made: set[str]) -> set[str]:
    names = [one["name"] for action in group for one in action.get("outputArtifacts", [])]
    for name in [*_repeated(names), *sorted(made & set(names))]:
        message = f"Output Artifact Bundle name must be unique within the pipeline. {name}"
        raise Fault(ACTION, f"{message} has already been declared")
    return set(names)


def _order(action: Declared) -> int:
    return int(action.get("runOrder", 1))


def _check_stores(pipeline: Declared, region: str) -> None:
    if ("artifactStore" in pipeline) == ("artifactStores" in pipeline):
        message = "You must include either artifactStore or artifactStores in your pipeline"
        raise Fault(STRUCTURE, f"{message}, but you cannot use both.")
    used = {region, *(action.get("region", region) for action in _actions(pipeline))}
    if "artifactStore" in pipeline and used != {region}:
        raise Fault(
            STRUCTURE,
            "Your pipeline contains actions in more than one region. Use "
            "'pipeline.artifactStores' instead of 'pipeline.artifactStore' to declare an artifact "
            "store, such as an artifact bucket, for each region where you have an action.",
        )
    if "artifactStores" in pipeline and (missing := sorted(used - set(pipeline["artifactStores"]))):
        raise Fault(
            STRUCTURE,
            "Your pipeline must have an artifact store, such as an artifact bucket, for each "
            "region where you have an action. The following region is missing in "
            f"'pipeline.artifactStores': {missing[0]}.",
        )


def _check_type(pipeline: Declared) -> None:
    """What only pipelines of type V2 can have."""
    if pipeline.get("pipelineType") == "V2":
        return
    only = "can only be used with V2 pipelines"
    if pipeline.get("triggers"):
        raise Fault(STRUCTURE, f"Triggers on tag {only}")
    if pipeline.get("variables"):
        raise Fault(STRUCTURE, f"Pipeline variable {only}")
    if pipeline.get("executionMode", "SUPERSEDED") != "SUPERSEDED":
        raise Fault(STRUCTURE, f"QUEUED or PARALLEL mode {only}")
    if any(name in stage for stage in pipeline["stages"] for name in _CONDITIONS):
        raise Fault(STAGE, f"Stage level conditions {only}.")
    for action in _actions(pipeline):
        found = type_of(action)
        if found and found.newer:
            raise Fault(ACTION, f"{action['actionTypeId']['provider']} Action {only}.")


def _check_triggers(pipeline: Declared) -> None:
    sources = {
        action["name"]
        for action in _actions(pipeline)
        if action["actionTypeId"]["provider"] == CONNECTION
    }
    for trigger in pipeline.get("triggers", []):
        if trigger["gitConfiguration"]["sourceActionName"] not in sources:
            message = f"Triggers for connections must reference a {CONNECTION} action."
            raise Fault(STRUCTURE, message)


def _check_variables(pipeline: Declared) -> None:
    for name in _repeated([one["name"] for one in pipeline.get("variables", [])]):
        message = "Variable names must be unique. The following variable name is already in use"
        raise Fault(STRUCTURE, f"{message}: {name}")


def _repeated(names: list[str]) -> list[str]:
    return [one for one, other in pairwise(sorted(names)) if one == other]
