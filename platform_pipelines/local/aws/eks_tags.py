"""Tags of everything in EKS that has an ARN."""

from platform_pipelines.local.aws.eks_base import EksBase
from platform_pipelines.local.aws.eks_records import (
    ADDONS,
    ASSOCIATIONS,
    CLUSTERS,
    ENTRIES,
    NODEGROUPS,
    Record,
    store,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, operation

_ARNS = {
    CLUSTERS: "arn",
    NODEGROUPS: "nodegroupArn",
    ADDONS: "addonArn",
    ENTRIES: "accessEntryArn",
    ASSOCIATIONS: "associationArn",
}
_BAD, _UNKNOWN = "BadRequestException", "NotFoundException"
_MOST = 50


class TagOperations(EksBase):
    """The tag operations of EKS."""

    @operation(raises=(_BAD, _UNKNOWN))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        record = _tagged(call)
        tags = record.get("tags", {}) | call.params["tags"]
        if len(tags) > _MOST:
            raise Fault(_BAD, f"A resource can have at most {_MOST} tags.")
        record["tags"] = tags
        return {}

    @operation(raises=(_BAD, _UNKNOWN))
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        record, gone = _tagged(call), call.params["tagKeys"]
        record["tags"] = {key: value for key, value in record["tags"].items() if key not in gone}
        return {}

    @operation(raises=(_BAD, _UNKNOWN))
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"tags": _tagged(call).get("tags", {})}


def _tagged(call: Call) -> Record:
    """The record with the call's ARN. Raises: Fault."""
    wanted = call.params["resourceArn"]
    if not wanted.startswith(f"arn:aws:eks:{call.region}:"):
        raise Fault(_BAD, f"Invalid resourceArn: {wanted}")
    for name, key in _ARNS.items():
        for record in store(name).values():
            if record[key] == wanted:
                found: Record = record
                return found
    raise Fault(_UNKNOWN, f"No resource found for ARN: {wanted}", 404)
