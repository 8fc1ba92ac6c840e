"""Reading and changing Kubernetes objects as plain JSON: what every controller needs.

Nothing here knows a store. Times are RFC 3339 text of whole seconds, as the API writes them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]

_DECIMAL = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}
_THOUSANDS = "kMGTPE"
_SUFFIXES = (
    _DECIMAL
    | {letter: 1000.0 ** (power + 1) for power, letter in enumerate(_THOUSANDS)}
    | {f"{letter.upper()}i": 1024.0 ** (power + 1) for power, letter in enumerate(_THOUSANDS)}
)


def name(obj: Object) -> str:
    """The object's name."""
    text: str = obj["metadata"]["name"]
    return text


def namespace(obj: Object) -> str | None:
    """The object's namespace; None for a kind without."""
    text: str | None = obj["metadata"].get("namespace")
    return text


def uid(obj: Object) -> str:
    """The object's identity, which a successor of the same name does not share."""
    text: str = obj["metadata"]["uid"]
    return text


def labels(obj: Object) -> dict[str, str]:
    """The object's labels."""
    return obj["metadata"].get("labels") or {}


def annotations(obj: Object) -> dict[str, str]:
    """The object's annotations."""
    return obj["metadata"].get("annotations") or {}


def deleting(obj: Object) -> bool:
    """Whether somebody asked to delete it and a finalizer still holds it."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def text_of(unix: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(int(unix), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix_of(text: str) -> float:
    """The Unix seconds of a time that the API wrote."""
    return datetime.fromisoformat(text).timestamp()


def owner_reference(owner: Object) -> Object:
    """How an object says that this one controls it."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name(owner),
        "uid": uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_uid(obj: Object) -> str | None:
    """The uid of the object that controls this one."""
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            text: str = reference["uid"]
            return text
    return None


def _holds(expression: Mapping[str, Any], of: Mapping[str, str]) -> bool:
    value = of.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:  # DoesNotExist
            return value is None


def condition(obj: Object, kind: str) -> Object | None:
    """The condition of this type in the object's status."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), None)


def is_true(obj: Object, kind: str) -> bool:
    """Whether the object's status says that this condition holds."""
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


def with_condition(conditions: Sequence[Object], new: Object, now: str) -> list[Object]:
    """The list with `new` in the place of its type. `lastTransitionTime` moves with the status only;
    a condition that says the same stays as it is."""
    old = next((one for one in conditions if one["type"] == new["type"]), None)
    if old is not None and all(old.get(key) == value for key, value in new.items()):
        return list(conditions)
    moved = old is None or old["status"] != new["status"]
    since = now if old is None or moved else old.get("lastTransitionTime", now)
    made = new | {"lastTransitionTime": since}
    if old is None:
        return [*conditions, made]
    return [made if one["type"] == new["type"] else one for one in conditions]


def counters(**counts: int) -> dict[str, int]:
    """Counters of a status: the API leaves out those that are zero."""
    return {key: count for key, count in counts.items() if count}


def quantity(text: object) -> float:
    """A resource quantity as a number: `500m` is 0.5, `2Gi` is 2147483648."""
    digits = str(text).rstrip("numkKMGTPEi")
    return float(digits) * _SUFFIXES[str(text)[len(digits) :]]


def percent(value: object, of: int, *, up: bool) -> int:
    """An absolute count, or a percentage of `of` rounded up or down, as `maxSurge` is written; a
    text that is neither counts as zero."""
    digits = str(value).removesuffix("%")
    if not digits.isdecimal():
        return 0
    if digits == str(value):
        return int(digits)
    product = int(digits) * of
    return -(-product // 100) if up else product // 100
