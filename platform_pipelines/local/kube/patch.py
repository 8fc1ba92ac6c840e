"""The ways to patch an object: JSON patch, JSON merge patch, and strategic merge patch.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from enum import StrEnum
from typing import Any

import jsonpatch
import jsonpointer

from platform_pipelines.local.kube import custom, faults, strategic
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, clone


class PatchType(StrEnum):
    """The media types of patches."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


def types_of(kind: Kind) -> list[str]:
    """The patches that a kind takes: a strategic one needs the merge keys of a built-in kind."""
    return [each for each in PatchType if each is not PatchType.STRATEGIC or not kind.custom]


def patched(kind: Kind, obj: Obj, patch: Any, patch_type: PatchType) -> Obj:
    """A copy of the object with the patch applied. Raises: KubeFault, when it cannot be."""
    if patch_type is PatchType.JSON:
        return _json(kind, obj, patch)
    if not isinstance(patch, dict):
        raise faults.bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}"
        )
    if patch_type is PatchType.STRATEGIC:
        merged: Obj = strategic.merge(clone(obj), patch, custom.of_kind(kind))
        return merged
    result: Obj = merge(clone(obj), patch)
    return result


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: maps are merged, a null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return clone(patch)
    merged = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def _json(kind: Kind, obj: Obj, operations: Any) -> Obj:
    if not isinstance(operations, list):
        raise faults.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "jsonpatch.Patch"
        )
    try:
        result = jsonpatch.apply_patch(clone(obj), operations)
    except jsonpatch.InvalidJsonPatch as error:
        raise faults.bad_request(f"error decoding patch: {error}") from None
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        raise faults.unprocessable(kind, obj, str(error)) from None
    if not isinstance(result, dict):
        raise faults.unprocessable(kind, obj, "the patched value is no object")
    return result
