"""The tags of RDS's resources, by their ARNs."""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.rds_store import (
    CLUSTERS,
    DB_SNAPSHOTS,
    GLOBALS,
    INSTANCES,
    SNAPSHOTS,
    Record,
    set_tags,
    tags_of,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

_RAISES = (
    *("DBClusterNotFoundFault", "DBInstanceNotFound", "DBSnapshotNotFound"),
    "InvalidParameterValue",
)
# What the model has for a resource that is not there; InvalidParameterValue for the others.
_MISSING = {
    "cluster": "DBClusterNotFoundFault",
    "cluster-snapshot": "InvalidParameterValue",
    "db": "DBInstanceNotFound",
    "global-cluster": "InvalidParameterValue",
    "snapshot": "DBSnapshotNotFound",
}
# Groups are ministack's, in stores of these names.
_GROUPS = {
    "cluster-pg": "_db_cluster_param_groups",
    "pg": "_param_groups",
    "subgrp": "_subnet_groups",
}


class Tags(Service):
    """The operations of tags."""

    @operation(raises=_RAISES)
    def AddTagsToResource(self, call: Call) -> Result:  # noqa: N802
        arn = _checked(call)
        added = {tag["Key"]: tag.get("Value", "") for tag in call.params["Tags"]}
        merged = {tag["Key"]: tag["Value"] for tag in tags_of(call.account, arn)} | added
        set_tags(call.account, arn, [{"Key": key, "Value": merged[key]} for key in merged])
        return {}

    @operation(raises=_RAISES)
    def RemoveTagsFromResource(self, call: Call) -> Result:  # noqa: N802
        arn = _checked(call)
        kept = [
            one for one in tags_of(call.account, arn) if one["Key"] not in call.params["TagKeys"]
        ]
        set_tags(call.account, arn, kept)
        return {}

    @operation(raises=_RAISES)
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"TagList": tags_of(call.account, _checked(call))}


def _checked(call: Call) -> str:
    """The ARN of a resource that the call's Region has. Raises: Fault."""
    arn = str(call.params["ResourceName"])
    parts = arn.split(":", 6)
    if len(parts) < 7 or parts[:3] != ["arn", "aws", "rds"] or parts[5] not in _MISSING | _GROUPS:
        raise Fault("InvalidParameterValue", f"Invalid resource name: {arn}")
    if parts[4] != call.account or parts[3] not in ("", call.region):
        text = "The specified resource name does not match an RDS resource in this region."
        raise Fault("InvalidParameterValue", text)
    if _found(call, parts[5], parts[6]) is None:
        code = _MISSING.get(parts[5], "InvalidParameterValue")
        raise Fault(code, f"{arn} not found.")
    return arn


def _found(call: Call, kind: str, name: str) -> Record | None:
    shelves = {"cluster": CLUSTERS, "cluster-snapshot": SNAPSHOTS, "db": INSTANCES}
    shelves["snapshot"] = DB_SNAPSHOTS
    if kind in shelves:
        return shelves[kind].get(call.account, call.region, name)
    if kind == "global-cluster":
        return GLOBALS.get(call.account, name)
    found: Record | None = ministack.service("rds").__dict__[_GROUPS[kind]].get(name)
    return found
