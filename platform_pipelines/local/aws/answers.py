"""Pieces of which the answers of most services are made: their members, times and tags."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]
Tags = list[dict[str, str]]


def moment(seconds: float) -> datetime:
    """A Unix time as AWS answers it."""
    return datetime.fromtimestamp(seconds, UTC)


def taken(values: Mapping[str, Any], *names: str) -> Record:
    """Those of the names that there are."""
    return {name: values[name] for name in names if name in values}


def shown(record: Mapping[str, Any]) -> Record:
    """A record as AWS answers it: without our notes, which begin with `_`, and what is not set."""
    return {
        key: value for key, value in record.items() if not key.startswith("_") and value is not None
    }


def tag_map(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The values of tags by their keys; a tag without a value has an empty one."""
    return {tag["Key"]: str(tag.get("Value", "")) for tag in tags}


def tag_list(tags: Mapping[str, str]) -> Tags:
    """The inverse of `tag_map`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
