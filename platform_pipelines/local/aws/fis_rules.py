"""What Fault Injection Service demands of an experiment template: that its parts fit together.

Whether a target finds anything is asked only when an experiment starts.
https://docs.aws.amazon.com/fis/latest/userguide/experiment-templates.html
"""

import re
from collections.abc import Mapping
from typing import Any

from platform_pipelines.local.aws import role_trust
from platform_pipelines.local.aws.fis_actions import ACTIONS, DURATION, ELSEWHERE, TARGETS
from platform_pipelines.local.aws.service import Fault

Declared = Mapping[str, Any]

INVALID = "ValidationException"
MOST_ACTIONS = 20
_ALARM = "aws:cloudwatch:alarm"
_SELECTION = re.compile(r"ALL|COUNT\([1-9]\d*\)|PERCENT\(([1-9]\d?|100)\)")
_TIME = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
_DURATIONS = frozenset(
    {
        *(DURATION, "durationBeforeInterruption", "maxDuration"),
        "startInstancesAfterDuration",
    }
)


def check(template: Declared, region: str) -> None:
    """Whether there could be such a template in the Region. Raises: Fault."""
    if not role_trust.is_assumable(template["roleArn"], "fis.amazonaws.com"):
        raise _invalid(f"The role {template['roleArn']} cannot be assumed by fis.amazonaws.com.")
    if not template["stopConditions"]:
        raise _invalid("At least one stop condition is required.")
    for condition in template["stopConditions"]:
        _check_stop(condition, region)
    if not 1 <= len(template["actions"]) <= MOST_ACTIONS:
        raise _invalid(f"A template has from 1 to {MOST_ACTIONS} actions.")
    for name, target in template["targets"].items():
        _check_target(name, target)
    for name in template["actions"]:
        _check_action(name, template)
    _check_use(template)
    _check_order(template["actions"])
    _check_log(template.get("logConfiguration", {"logSchemaVersion": 1}))


def _invalid(message: str) -> Fault:
    return Fault(INVALID, message)


def _check_stop(condition: Declared, region: str) -> None:
    source, value = condition["source"], condition.get("value")
    if source == "none" and value is None:
        return
    if source != _ALARM:
        raise _invalid(f"The stop condition source {source} is not valid.")
    head = f"arn:aws:cloudwatch:{region}:"
    if value is None or not value.startswith(head) or ":alarm:" not in value:
        raise _invalid(f"The stop condition {value} is not an alarm of this Region.")


def _check_target(name: str, target: Declared) -> None:
    kind = target["resourceType"]
    if not _SELECTION.fullmatch(target["selectionMode"]):
        raise _invalid(f"The selection mode of target {name} is not valid.")
    given = set(target.get("parameters", {}))
    if "resourceArns" in target and ("resourceTags" in target or "filters" in target):
        message = "Resource ARNs cannot be combined with resource tags or filters"
        raise _invalid(f"{message}: target {name}.")
    if not ({"resourceArns", "resourceTags", "filters"} & target.keys() or given):
        raise _invalid(f"Target {name} identifies no resources.")
    known = TARGETS.get(kind)
    if known is None:
        if kind.startswith(ELSEWHERE):
            return
        raise _invalid(f"The resource type {kind} of target {name} is not supported.")
    _check_parameters(f"target {name}", given, known.required, known.optional)


def _check_action(name: str, template: Declared) -> None:
    action = template["actions"][name]
    id_, given = action["actionId"], action.get("parameters", {})
    known = ACTIONS.get(id_)
    if known is None:
        if id_.startswith(ELSEWHERE):
            return
        raise _invalid(f"The action ID {id_} of action {name} is not valid.")
    _check_parameters(f"action {name}", set(given), known.required, known.optional)
    for parameter in sorted(_DURATIONS & given.keys()):
        if not _TIME.fullmatch(given[parameter]):
            raise _invalid(f"The parameter {parameter} of action {name} is not a duration.")
    targets = action.get("targets", {})
    if targets.keys() != known.targets.keys():
        wanted = ", ".join(known.targets) or "no targets"
        raise _invalid(f"Action {name} requires the targets: {wanted}.")
    for key, target in targets.items():
        found = template["targets"].get(target)
        if found is None:
            raise _invalid(f"Action {name} refers to target {target}, which does not exist.")
        if found["resourceType"] != known.targets[key]:
            raise _invalid(f"Action {name} cannot act on target {target}.")


def _check_parameters(
    of: str, given: set[str], required: frozenset[str], optional: frozenset[str]
) -> None:
    if missing := sorted(required - given):
        raise _invalid(f"The required parameter {missing[0]} of {of} is missing.")
    if unknown := sorted(given - required - optional):
        raise _invalid(f"The parameter {unknown[0]} of {of} is not supported.")


def _check_use(template: Declared) -> None:
    used = {
        target
        for action in template["actions"].values()
        for target in action.get("targets", {}).values()
    }
    if unused := sorted(template["targets"].keys() - used):
        raise _invalid(f"Target {unused[0]} is not used by any action.")


def _check_order(actions: Declared) -> None:
    """Each action begins after others that there are, and none waits for itself."""
    waiting = {name: set(action.get("startAfter", [])) for name, action in actions.items()}
    if unknown := sorted(set().union(*waiting.values()) - actions.keys()):
        raise _invalid(f"The action {unknown[0]} in startAfter does not exist.")
    while waiting:
        free = {name for name, after in waiting.items() if not after & waiting.keys()}
        if not free:
            raise _invalid(f"The actions wait for each other: {', '.join(sorted(waiting))}.")
        waiting = {name: after for name, after in waiting.items() if name not in free}


def _check_log(configuration: Declared) -> None:
    if configuration.get("logSchemaVersion") not in (1, 2):
        raise _invalid("The log schema version is not valid.")
