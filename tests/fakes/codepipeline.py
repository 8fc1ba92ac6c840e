# ruff: noqa: N803  # arguments are AWS's, and so are their names
"""A CodePipeline that behaves, as far as transitions go: they belong to a stage, and stay as they are
when the pipeline is updated."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.calls import Wire, client_error

REASON = re.compile(r"[a-zA-Z0-9!@ ().*?-]{1,300}")  # what AWS takes as a reason


@dataclass
class Stage:
    """A stage, and whether executions may enter it."""

    name: str
    enabled: bool = True
    reason: str = ""


@dataclass
class FakeCodePipeline:
    """The pipelines of one Region."""

    wire: Wire
    pipelines: dict[str, list[Stage]] = field(default_factory=dict)
    meta: Any = None

    def add(self, name: str, stages: Sequence[dict[str, Any]]) -> None:
        """A pipeline with the stages of a template; transitions that are known stay."""
        known = {one.name: one for one in self.pipelines.get(name, [])}
        self.pipelines[name] = [known.get(one["Name"], Stage(one["Name"])) for one in stages]

    def held(self) -> dict[str, str]:
        """Why each pipeline is held after its source; only those that are."""
        return {name: one[1].reason for name, one in self.pipelines.items() if not one[1].enabled}

    def get_pipeline_state(self, name: str) -> dict[str, Any]:
        self.wire.call("GetPipelineState")
        first, *others = self._pipeline(name, "GetPipelineState")
        return {
            "pipelineName": name,
            "pipelineVersion": 1,
            "stageStates": [{"stageName": first.name}, *(_state(one) for one in others)],
        }

    def enable_stage_transition(
        self, pipelineName: str, stageName: str, transitionType: str
    ) -> None:
        self.wire.call("EnableStageTransition")
        stage = self._stage(pipelineName, stageName, transitionType, "EnableStageTransition")
        stage.enabled, stage.reason = True, ""

    def disable_stage_transition(
        self, pipelineName: str, stageName: str, transitionType: str, reason: str
    ) -> None:
        self.wire.call("DisableStageTransition")
        stage = self._stage(pipelineName, stageName, transitionType, "DisableStageTransition")
        if not REASON.fullmatch(reason):
            raise client_error("ValidationException", reason, "DisableStageTransition")
        stage.enabled, stage.reason = False, reason

    def _pipeline(self, name: str, operation: str) -> list[Stage]:
        if name not in self.pipelines:
            raise client_error("PipelineNotFoundException", name, operation)
        return self.pipelines[name]

    def _stage(self, pipeline: str, name: str, direction: str, operation: str) -> Stage:
        if direction != "Inbound":
            raise client_error("ValidationException", direction, operation)
        for stage in self._pipeline(pipeline, operation)[1:]:
            if stage.name == name:
                return stage
        raise client_error("StageNotFoundException", name, operation)


def _state(stage: Stage) -> dict[str, Any]:
    why = {} if stage.enabled else {"disabledReason": stage.reason}
    return {
        "stageName": stage.name,
        "inboundTransitionState": {"enabled": stage.enabled, **why},
    }
