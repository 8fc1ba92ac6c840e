"""Which property of a resource type has its tags, so that a stack's own tags reach everything it makes.

CloudFormation adds a stack's tags, and three of its own, to what can carry them. Of the types the
tables of troposphere know the property; those few that AWS leaves without its own three are named.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""

from collections.abc import Iterable
from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_validation import type_class

LIST, MAP = "list", "map"
_OWN = "aws:cloudformation:"
# Types that CloudFormation does not put its own tags on (`cloudFormationSystemTags` of the schemas).
WITHOUT_OWN = frozenset(
    {
        *("AWS::IAM::Role", "AWS::KMS::Key"),
        *("AWS::Route53::HealthCheck", "AWS::Route53::HostedZone"),
    }
)
# Properties that end like tags, and have none.
_OTHERS = ("CopyTags", "DisableSessionTags")


def property_of(kind: str) -> tuple[str, str] | None:
    """The property that has a type's tags, and whether it is a list or a map; None if none has."""
    found = type_class(kind)
    for name, rule in found.props.items() if found else ():
        if name.endswith("Tags") and name not in _OTHERS and rule[0] is not bool:
            return name, (MAP if rule[0] is dict else LIST)
    return None


def install(kinds: Iterable[str]) -> None:
    """Tell ministack of all types that can carry tags."""
    known: dict[str, tuple[str, str]] = engine.module("provisioners")._STACK_TAG_PROPERTY
    for kind in kinds:
        found = known.get(kind) or property_of(kind)
        if found:
            known[kind] = found


def without_own(kind: str, props: dict[str, Any]) -> dict[str, Any]:
    """Properties without CloudFormation's three tags, for the types that do not get them."""
    if kind not in WITHOUT_OWN:
        return props
    name, shape = engine.module("provisioners")._STACK_TAG_PROPERTY[kind]
    tags: Any = props.get(name) or ()
    if shape == MAP:
        kept: Any = {key: tags[key] for key in tags if not key.startswith(_OWN)}
    else:
        kept = [one for one in tags if not one["Key"].startswith(_OWN)]
    rest = {key: value for key, value in props.items() if key != name}
    return rest | ({name: kept} if kept else {})
