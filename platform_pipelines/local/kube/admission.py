"""What stands between a request's body and the store: decoding, pruning, defaults, validation.

Built-in kinds refuse a wrong type while decoding (400), custom kinds by their schema (422), as the
real API does. Unknown fields are pruned; how loudly is `fieldValidation`'s to say.
"""

from collections.abc import Sequence
from enum import StrEnum

from platform_pipelines.local.kube import custom, defaults, faults, names, validation
from platform_pipelines.local.kube.faults import Cause
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj, name_of
from platform_pipelines.local.kube.schema import Type
from platform_pipelines.local.kube.shape import Flaw, Problem, shaped

_GO_TYPES = {
    Type.STRING: "string",
    Type.BYTES: "[]uint8",
    Type.INTEGER: "int32",
    Type.NUMBER: "float64",
    Type.BOOLEAN: "bool",
    Type.TIME: "v1.Time",
}


class Strictness(StrEnum):
    """What an unknown field leads to."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


def decode(
    kind: Kind, body: Obj, strictness: Strictness = Strictness.WARN
) -> tuple[Obj, list[str]]:
    """The object as it is kept, and warnings. Raises: KubeFault, when it is of the wrong shape."""
    obj, flaws = shaped(body, custom.of_kind(kind))
    unknown = [f'unknown field "{flaw.path}"' for flaw in flaws if flaw.problem is Problem.UNKNOWN]
    if unknown and strictness is Strictness.STRICT:
        text = f"strict decoding error: {', '.join(unknown)}"
        raise faults.bad_request(f"{_version(kind)} cannot be handled as a {kind.kind}: {text}")
    mistyped = [flaw for flaw in flaws if flaw.problem is Problem.TYPE]
    if mistyped and not kind.custom:
        raise faults.bad_request(
            f"{_version(kind)} cannot be handled as a {kind.kind}: {_undecodable(mistyped[0])}"
        )
    if mistyped:
        raise faults.invalid(kind, name_of(body), [_mistyped(flaw) for flaw in mistyped])
    for empty in ("labels", "annotations", "finalizers", "ownerReferences"):
        if not obj.get("metadata", {}).get(empty, True):
            del obj["metadata"][empty]
    return obj, unknown if strictness is Strictness.WARN else []


def check(kind: Kind, new: Obj, old: Obj | None) -> None:
    """Refuse an object that breaks its kind's rules; defaults are filled in first, in place.

    What was wrong already, in `old`, is let pass. Raises: KubeFault.
    """
    defaults.apply(kind, new)
    causes = _causes(kind, new)
    if old is not None:
        known = {(cause.field, cause.message) for cause in _causes(kind, old)}
        causes = [cause for cause in causes if (cause.field, cause.message) not in known]
        causes += validation.immutable(kind, old, new)
    if causes:
        raise faults.invalid(kind, name_of(new), causes)


def _causes(kind: Kind, obj: Obj) -> Sequence[Cause]:
    """Every rule that an object breaks; a missing field is told once."""
    _, flaws = shaped(obj, custom.of_kind(kind))
    missing = [
        Cause(reason="FieldValueRequired", message="Required value", field=flaw.path)
        for flaw in flaws
        if flaw.problem is Problem.MISSING and _enforced(kind, flaw)
    ]
    told = {cause.field for cause in missing}
    broken = [*names.metadata(kind, obj), *validation.broken(kind, obj)]
    return [*missing, *(cause for cause in broken if cause.field not in told)]


def _enforced(kind: Kind, flaw: Flaw) -> bool:
    """Decoding fills what is missing in a built-in status or event with zero values."""
    return kind.custom or not flaw.path.startswith(("status", "metadata.managedFields"))


def _version(kind: Kind) -> str:
    return f'{kind.kind} in version "{kind.version}"'


def _undecodable(flaw: Flaw) -> str:
    go_type = _GO_TYPES.get(flaw.wanted, f"v1.{flaw.wanted}")
    found = {"integer": "number", "boolean": "bool"}.get(flaw.found, flaw.found)
    return f"json: cannot unmarshal {found} into Go struct field {flaw.path} of type {go_type}"


def _mistyped(flaw: Flaw) -> Cause:
    wanted = Type.STRING if flaw.wanted is Type.TIME else flaw.wanted
    message = (
        f'Invalid value: "{flaw.found}": {flaw.path} in body must be of type {wanted}: '
        f'"{flaw.found}"'
    )
    return Cause(reason="FieldValueTypeInvalid", message=message, field=flaw.path)
