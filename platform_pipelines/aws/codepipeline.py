"""CodePipeline: whether what a pipeline has read goes on into its first stage of work.

The transition into a stage is run-time state: no template has it, and an update of the pipeline
leaves it as it is. A disabled one holds the newest execution, which goes on when it is enabled.
https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
"""

from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from platform_pipelines.aws.region import AwsRegion, error_code

INBOUND: Literal["Inbound"] = "Inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The way into the stage after the source."""

    pipeline: str
    stage: str
    enabled: bool
    reason: str  # why it is disabled; empty when it is not


def transition(region: AwsRegion, pipeline: str) -> Transition | None:
    """The transition after a pipeline's source; None if there is no such pipeline."""
    try:
        answer = region.codepipeline.get_pipeline_state(name=pipeline)
    except ClientError as error:
        if error_code(error) == "PipelineNotFoundException":
            return None
        raise
    stage = answer["stageStates"][1]  # CodePipeline takes no pipeline with fewer than two
    state = stage.get("inboundTransitionState", {})
    return Transition(
        pipeline=pipeline,
        stage=stage["stageName"],
        enabled=state.get("enabled", True),
        reason=state.get("disabledReason", ""),
    )


def enable(region: AwsRegion, found: Transition) -> None:
    """Let the newest execution that waits, and every later one, go on."""
    region.codepipeline.enable_stage_transition(
        pipelineName=found.pipeline, stageName=found.stage, transitionType=INBOUND
    )


def disable(region: AwsRegion, found: Transition, reason: str) -> None:
    """Hold executions there; `reason` is letters, digits and simple punctuation only."""
    region.codepipeline.disable_stage_transition(
        pipelineName=found.pipeline,
        stageName=found.stage,
        transitionType=INBOUND,
        reason=reason,
    )
