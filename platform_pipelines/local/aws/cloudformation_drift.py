"""Drift: what stacks' resources are, against what their templates say.

ministack compares; what a resource is, is read from its service by `cloudformation_reality`. A
detection takes time, and reads when it ends. Drift-aware change sets (`REVERT_DRIFT`) compare the
template with reality, and set drifted properties again when they are executed.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
"""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from platform_pipelines.local.aws import cloudformation_attachments as attachments
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_changes import (
    ABSENT,
    AFTER,
    BEFORE,
    ChangeSet,
    text,
)
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.service import Fault

REVERT = "REVERT_DRIFT"
ACTUAL = "_actual"  # where a change set keeps the drifted values that its execution has to set
_KEPT = 10  # detections a stack


def expect(name: str, wanted: list[str]) -> Stack:
    """A stack whose drift can be detected, with these resources. Raises: Fault."""
    stack = engine.stack(name)
    if stack is None:
        raise Fault("ValidationError", f"Stack [{name}] does not exist")
    status = stack["StackStatus"]
    if status not in engine.module("drift").DRIFT_DETECTABLE_STATUSES:
        message = f"Drift detection cannot be performed on stack [{name}] while in {status} state"
        raise Fault("ValidationError", message)
    unknown = sorted(set(wanted) - stack["_resources"].keys())
    if unknown:
        message = f"Resources [{', '.join(unknown)}] do not exist in stack [{stack['StackName']}]"
        raise Fault("ValidationError", message)
    return stack


def begin(stack: Stack, now: str) -> str:
    """Note a detection that is in progress; its id."""
    id_ = str(uuid4())
    detections = stack.setdefault("_drift_detections", {})
    detections[id_] = {
        "StackId": stack["StackId"],
        "StackDriftDetectionId": id_,
        "StackDriftStatus": "NOT_CHECKED",
        "DetectionStatus": "DETECTION_IN_PROGRESS",
        "Timestamp": now,
    }
    while len(detections) > _KEPT:
        del detections[next(iter(detections))]
    return id_


def finish(stack: Stack, id_: str, wanted: list[str], now: str, *, failed: bool) -> None:
    """Look at the resources, and note what was found."""
    detection = stack.get("_drift_detections", {}).get(id_)
    if detection is None:
        return
    found = {} if failed else _found(stack, wanted, now)
    unknown = sorted(name for name, status in found.items() if status == "UNKNOWN")
    drifted = sum(status in ("MODIFIED", "DELETED") for status in found.values())
    status = "DRIFTED" if drifted else "UNKNOWN" if unknown or failed else "IN_SYNC"
    detection |= {"StackDriftStatus": status, "Timestamp": now}
    if unknown or failed:
        names = unknown or sorted(stack["_resources"])
        reason = f"Failed to detect drift on resource [{', '.join(names)}]"
        detection |= {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": reason}
    else:
        detection |= {"DetectionStatus": "DETECTION_COMPLETE"}
        detection |= {"DriftedStackResourceCount": drifted}
    stack["DriftInformation"] = {"StackDriftStatus": status, "LastCheckTimestamp": now}


def _found(stack: Stack, wanted: list[str], now: str) -> dict[str, str]:
    found = {}
    for name, record in stack["_resources"].items():
        if (not wanted or name in wanted) and engine.module("drift").supports_drift(
            record["ResourceType"]
        ):
            drift = _drift(stack, name, now)
            engine.module("drift").record_resource_drift(record, drift)
            found[name] = str(drift["StackResourceDriftStatus"])
    return found


def _drift(stack: Stack, name: str, now: str) -> dict[str, Any]:
    record = stack["_resources"][name]
    detect = engine.module("drift").detect_resource_drift
    with attachments.looking_at(stack):
        found: dict[str, Any] = detect(stack, name, record, now)
    return found


def of_resource(stack: Stack, name: str, now: str) -> dict[str, Any]:
    """How a resource has drifted, as DetectStackResourceDrift answers; it is noted. Raises: Fault."""
    kind = stack["_resources"][name]["ResourceType"]
    if not engine.module("drift").supports_drift(kind):
        message = f"Drift detection is not supported for resource type [{kind}]"
        raise Fault("ValidationError", message)
    found = _drift(stack, name, now)
    engine.module("drift").record_resource_drift(stack["_resources"][name], found)
    information = stack.setdefault("DriftInformation", {"StackDriftStatus": "NOT_CHECKED"})
    information["LastCheckTimestamp"] = now
    return found | {"Timestamp": datetime.fromisoformat(now)}


def add_to(change_set: ChangeSet, stack: Stack, now: str) -> None:
    """Make a change set drift-aware: add what its execution would set again, or take as it is."""
    change_set[ACTUAL] = {}
    change_set["DeploymentMode"] = REVERT
    for name in stack["_resources"].keys() & change_set[AFTER].keys():
        if not engine.module("drift").supports_drift(stack["_resources"][name]["ResourceType"]):
            continue
        drift = _drift(stack, name, now)
        status = drift["StackResourceDriftStatus"]
        if status == "MODIFIED":
            _add(change_set, stack, name, drift)
        _of_resource(change_set, name)["ResourceDriftStatus"] = status


def _of_resource(change_set: ChangeSet, name: str) -> dict[str, Any]:
    """The change of a resource; a dictionary of nobody's if there is none."""
    found = (one["ResourceChange"] for one in change_set["Changes"])
    return next((one for one in found if one["LogicalResourceId"] == name), {})


def _add(change_set: ChangeSet, stack: Stack, name: str, drift: dict[str, Any]) -> None:
    actual = json.loads(drift["ActualProperties"])
    drifted = {path["PropertyPath"].split("/")[1] for path in drift["PropertyDifferences"]}
    before, after = change_set[BEFORE].get(name, {}), change_set[AFTER][name]
    change_set[ACTUAL][name] = {key: actual[key] for key in drifted & actual.keys()}
    change = _of_resource(change_set, name)
    if not change:
        change = _modify(stack, name)
        change_set["Changes"].append({"Type": "Resource", "ResourceChange": change})
    for key in sorted(drifted):
        values = (before.get(key, ABSENT), actual.get(key, ABSENT), after.get(key, ABSENT))
        change["Details"] = [
            one for one in change["Details"] if one["Target"].get("Name") != key
        ] + [_detail(stack, name, key, *values, drift["Timestamp"])]
    if all(
        one["Target"].get("AttributeChangeType") == "SyncWithActual" for one in change["Details"]
    ):
        change["Action"] = "SyncWithActual"


def _modify(stack: Stack, name: str) -> dict[str, Any]:
    record = stack["_resources"][name]
    return {
        "Action": "Modify",
        "LogicalResourceId": name,
        "PhysicalResourceId": record["PhysicalResourceId"],
        "ResourceType": record["ResourceType"],
        "Replacement": "False",
        "Scope": ["Properties"],
        "Details": [],
    }


def _detail(  # three values of one property
    stack: Stack, name: str, key: str, before: Any, actual: Any, after: Any, at: str
) -> dict[str, Any]:
    kind = stack["_resources"][name]["ResourceType"]
    recreation = engine.module("provisioners")._property_recreation(kind, key)
    values = {"BeforeValue": actual, "AfterValue": after}
    seen = {"PreviousValue": before, "ActualValue": actual}
    return {
        "Target": {
            "Attribute": "Properties",
            "Name": key,
            "Path": f"/Properties/{key}",
            "RequiresRecreation": recreation,
            "AttributeChangeType": _change_type(actual, after),
            "BeforeValueFrom": "ACTUAL_STATE",
            "AfterValueFrom": "TEMPLATE",
            **_texts(values),
            "Drift": _texts(seen) | {"DriftDetectionTimestamp": at},
        },
        "Evaluation": "Static",
        "ChangeSource": "NoModification" if before == after else "DirectModification",
    }


def _change_type(actual: Any, after: Any) -> str:
    if text(actual) == text(after):
        return "SyncWithActual"
    return "Add" if actual is ABSENT else "Remove" if after is ABSENT else "Modify"


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {key: text(value) for key, value in values.items() if value is not ABSENT}
