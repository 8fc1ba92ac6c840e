"""EC2's filters: a resource passes if, for each filter, one of its values matches one of the wanted.

`*` and `?` in a wanted value stand for any characters and for one, as AWS documents.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from platform_pipelines.local.aws.service import Fault

Tags = Sequence[Mapping[str, str]]
Found = str | tuple[str, ...] | None  # one value, several, or none
Values = Mapping[str, Found]


def passes(filters: Sequence[Mapping[str, Any]], values: Values, tags: Tags) -> bool:
    """Whether all filters let a resource with these values pass.
    Raises: Fault, for a filter that this operation does not have."""
    return all(
        any(_matches(found, wanted) for found in _found(one["Name"], values, tags))
        for one in filters
        for wanted in [one["Values"]]
    )


def _found(name: str, values: Values, tags: Tags) -> list[str]:
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags if tag["Key"] == name.removeprefix("tag:")]
    if name not in values:
        raise Fault("InvalidParameterValue", f"The filter '{name}' is invalid")
    value = values[name]
    if isinstance(value, tuple):
        return list(value)
    return [] if value is None else [value]


def _matches(found: str, wanted: Sequence[str]) -> bool:
    return any(fnmatchcase(found, pattern.replace("[", "[[]")) for pattern in wanted)
