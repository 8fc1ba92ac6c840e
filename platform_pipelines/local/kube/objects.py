"""Kubernetes objects as plain JSON values: copying, names and times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from platform_pipelines.local.kube.kinds import Kind

T = TypeVar("T")

Obj = dict[str, Any]
Objects = list[Obj]
Key = tuple[str, str]  # namespace ("" for a kind without) and name


def clone(value: T) -> T:
    """A deep copy of a JSON value; many times faster than `copy.deepcopy`."""
    return cast("T", _copy(value))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def timestamp(moment: datetime) -> str:
    """As metadata writes times: whole seconds in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime:
    """A time of an object. Raises: ValueError."""
    return datetime.fromisoformat(text)


def meta(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an object; empty if it has none."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def name_of(obj: Mapping[str, Any]) -> str:
    """metadata.name."""
    return str(meta(obj).get("name") or "")


def namespace_of(obj: Mapping[str, Any]) -> str:
    """metadata.namespace; "" for an object without."""
    return str(meta(obj).get("namespace") or "")


def key_of(kind: Kind, obj: Mapping[str, Any]) -> Key:
    """Where the store keeps an object."""
    return (namespace_of(obj) if kind.namespaced else "", name_of(obj))


def without_metadata(kind: Kind, obj: Mapping[str, Any]) -> dict[str, Any]:
    """What `metadata.generation` counts changes of."""
    ignored = {"metadata", "apiVersion", "kind"}
    if kind.status or not kind.custom:
        ignored.add("status")
    return {key: value for key, value in obj.items() if key not in ignored}
