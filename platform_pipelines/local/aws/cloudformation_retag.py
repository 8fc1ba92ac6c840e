"""A change of a template's tags, by the calls of a service: first what is gone, then what differs.

Each service names its tags and their keys in words of its own, and has them in a list or in a map:
botocore's model knows. What has tags, and which property has them, say the resource types.
"""

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from platform_pipelines.local.aws.answers import tag_map
from platform_pipelines.local.aws.cloudformation_types import Calls, input_shape
from platform_pipelines.local.aws.service import Params

TAG, UNTAG = "TagResource", "UntagResource"


def retag(
    call: Calls,
    service: str,
    resource: Params,
    old: Any,
    new: Any,
    *,
    words: tuple[str, str] = (TAG, UNTAG),
    region: str | None = None,
) -> None:
    """Give what `resource` names the tags `new` in place of `old`, as a template has them: a list, a
    map or none; `words` are the operations that tag and untag. Raises: Fault."""
    before, after, (tag, untag) = _map(old), _map(new), words
    gone = dict.fromkeys(sorted(before.keys() - after.keys()))
    if gone:
        call(service, untag, resource | tags_for(service, untag, gone), region)
    if after and after != before:
        call(service, tag, resource | tags_for(service, tag, after), region)


def tags_for(service: str, operation: str, tags: Mapping[str, str | None]) -> Params:
    """An operation's parameter that has the tags, or, where they have no values, their keys."""
    members = input_shape(service, operation).members
    name = next(name for name in members if name.lower() in ("tags", "tagkeys"))
    return {name: _given(members[name], tags)}


def _map(tags: Any) -> dict[str, str]:
    return tag_map(tags or ()) if not isinstance(tags, Mapping) else dict(tags)


def _given(shape: Shape, tags: Mapping[str, str | None]) -> Any:
    match shape:
        case MapShape():
            return dict(tags)
        case ListShape(member=StructureShape() as tag):
            return [_tag(tag, *one) for one in tags.items()]
    return list(tags)


def _tag(shape: StructureShape, key: str, value: str | None) -> Params:
    named = {name.lower().removeprefix("tag"): name for name in shape.members}
    return {named["key"]: key} | ({} if value is None else {named["value"]: value})
