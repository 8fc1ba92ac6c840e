"""The life of a change set: it is computed, validated, and only then shown.

ministack computes it at once; what it found is kept aside until the change set is complete.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platform_pipelines.local.aws import cloudformation_changes as changes
from platform_pipelines.local.aws import cloudformation_drift as drift
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_validation as validation
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_changes import ChangeSet
from platform_pipelines.local.aws.cloudformation_engine import Design, Stack
from platform_pipelines.local.aws.cloudformation_types import Condition, Existing, ResourceType
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, not_implemented

Types = Mapping[str, ResourceType]

FINAL = "_final"  # where a change set keeps what it will be once it is computed
UPDATABLE = (
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
    *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
)


def expect_updatable(stack: Stack | None) -> None:
    """Raises: Fault, for a stack that is at something, or that nobody can update."""
    if stack and stack["StackStatus"] not in UPDATABLE:
        status = stack["StackStatus"]
        message = f"Stack:{stack['StackId']} is in {status} state and can not be updated."
        raise Fault("ValidationError", message)


def repeated(params: Params) -> ChangeSet | None:
    """The change set that this request has made already, by its token."""
    token = params.get("ClientToken")
    found = engine.change_set(params["ChangeSetName"], params["StackName"])
    return found if found and token and found.get("_client_token") == token else None


def expect_possible(params: Params) -> None:
    """Raises: Fault."""
    kind = params.get("ChangeSetType", "UPDATE")
    if kind == "IMPORT":
        raise not_implemented("a change set of type IMPORT")
    if kind == "UPDATE":
        expect_updatable(engine.stack(params["StackName"]))
    if params.get("DeploymentMode") and kind != "UPDATE":
        message = "DeploymentMode is only valid for change sets of type UPDATE."
        raise Fault("ValidationError", message)


def compute(id_: str, params: Params, types: Types, now: str) -> ChangeSet:
    """Work out what a change set will show, and keep it aside."""
    found, stack = engine.change_sets()[id_], engine.stacks()[_stack_name(id_)]
    found["_client_token"], found["_computed_at"] = params.get("ClientToken"), now
    changes.remember(found, stack)
    if params.get("DeploymentMode") == drift.REVERT:
        drift.add_to(found, stack, now)
    found["_problems"] = _problems(found, stack, types)
    found[FINAL] = _final(found)
    found |= {"Status": "CREATE_IN_PROGRESS", "ExecutionStatus": "UNAVAILABLE", "StatusReason": ""}
    return found


def _stack_name(id_: str) -> str:
    return str(engine.change_sets()[id_]["StackName"])


def _problems(found: ChangeSet, stack: Stack, types: Types) -> list[dict[str, str]]:
    if found.get("_disable_validation"):
        return []
    plan = Design(
        template=found["_template"],
        values=found["_resolved_params"],
        stack_name=stack["StackName"],
        stack_id=stack["StackId"],
    )

    def taken(kind: str, props: dict[str, Any]) -> str | None:
        type_ = types.get(kind)
        id_ = type_.identify(props) if type_ else None
        if type_ is None or id_ is None:
            return None
        try:
            look = type_.condition(Existing(id=id_, properties=props))
        except Fault:  # no such name can be: the execution will say why
            return None
        return None if look.condition is Condition.GONE else id_

    return validation.problems(plan, stack["_resources"], taken)


def _final(found: ChangeSet) -> dict[str, str]:
    if found["_problems"]:
        reason = validation.reason(found["_problems"])
        return {"Status": "FAILED", "ExecutionStatus": "UNAVAILABLE", "StatusReason": reason}
    if found["Changes"] and found["Status"] == "FAILED":  # nothing but drift
        return {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
    return {key: found[key] for key in ("Status", "ExecutionStatus", "StatusReason")}


def show(id_: str, *, failed: bool) -> None:
    """The change set is complete; nothing to do if it was deleted meanwhile."""
    found = engine.change_sets().get(id_)
    if found is None or FINAL not in found:
        return
    final = found.pop(FINAL)
    if failed:
        final = {
            "Status": "FAILED",
            "ExecutionStatus": "UNAVAILABLE",
            "StatusReason": "Internal Failure",
        }
    found |= final


def described(call: Call) -> Result:
    """A change set as it reads. Raises: Fault."""
    result = stores.ask(call)
    found = engine.change_sets()[result["ChangeSetId"]]
    if FINAL in found:
        result["Changes"] = []
    result["Changes"] = [_complete(found, one) for one in result.get("Changes", [])]
    if call.params.get("IncludePropertyValues"):
        result["Changes"] = changes.describe(found, result["Changes"])
    if mode := found.get("DeploymentMode"):
        result["DeploymentMode"] = mode
    return {key: value for key, value in result.items() if value != ""}


def _complete(found: ChangeSet, change: dict[str, Any]) -> dict[str, Any]:
    """ministack's answer leaves out what only drift-aware change sets have."""
    name = change["ResourceChange"]["LogicalResourceId"]
    kept = next(
        one["ResourceChange"]
        for one in found["Changes"]
        if one["ResourceChange"]["LogicalResourceId"] == name
    )
    whole = {**change["ResourceChange"], **kept}
    whole["Details"] = [_dated(one) for one in kept.get("Details", [])]
    return {"Type": "Resource", "ResourceChange": whole}


def _dated(detail: dict[str, Any]) -> dict[str, Any]:
    seen = detail["Target"].get("Drift")
    if not seen:
        return detail
    at = datetime.fromisoformat(seen["DriftDetectionTimestamp"])
    target = detail["Target"] | {"Drift": seen | {"DriftDetectionTimestamp": at}}
    return detail | {"Target": target}
