"""What resources are that ministack makes itself, asked of their services, for drift detection."""

import json
from typing import Any

from platform_pipelines.local.aws.cloudformation_readers import Read, first, reads
from platform_pipelines.local.aws.cloudformation_reality_network import NETWORK
from platform_pipelines.local.aws.cloudformation_types import Calls, Properties


def _subnet_group(call: Calls, id_: str, _props: Properties) -> Properties:
    asked = {"DBSubnetGroupName": id_}
    found = first(call("rds", "DescribeDBSubnetGroups", asked)["DBSubnetGroups"])
    return {
        "DBSubnetGroupDescription": found["DBSubnetGroupDescription"],
        "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
        "Tags": _tags(call, found["DBSubnetGroupArn"]),
    }


def _parameter_group(kind: str) -> Read:
    """A reader of the parameter groups of DB clusters (`DBCluster`) or DB instances (`DB`)."""

    def read(call: Calls, id_: str, _props: Properties) -> Properties:
        asked = {f"{kind}ParameterGroupName": id_}
        described = call("rds", f"Describe{kind}ParameterGroups", asked)
        found = first(described[f"{kind}ParameterGroups"])
        asked["Source"] = "user"
        values = call("rds", f"Describe{kind}Parameters", asked)["Parameters"]
        return {
            "Description": found["Description"],
            "Family": found["DBParameterGroupFamily"],
            "Parameters": {one["ParameterName"]: one.get("ParameterValue", "") for one in values},
            "Tags": _tags(call, found[f"{kind}ParameterGroupArn"]),
        }

    return read


def _tags(call: Calls, arn: str) -> list[dict[str, str]]:
    """What something of RDS is tagged with."""
    found: list[dict[str, str]] = call("rds", "ListTagsForResource", {"ResourceName": arn})[
        "TagList"
    ]
    return found


def _record_set(call: Calls, _id: str, props: Properties) -> Properties | None:
    asked = {"HostedZoneId": props["HostedZoneId"]}
    found = call("route53", "ListResourceRecordSets", asked)["ResourceRecordSets"]
    name = props["Name"].rstrip(".")
    for one in found:
        same = one["Name"].rstrip(".") == name and one["Type"] == props["Type"]
        if same and one.get("SetIdentifier") == props.get("SetIdentifier"):
            return _as_template(one, props)
    return None


def _as_template(one: dict[str, Any], props: Properties) -> Properties:
    records = [record["Value"] for record in one.get("ResourceRecords", [])]
    names = ("Failover", "HealthCheckId", "SetIdentifier")
    kept = {name: one[name] for name in names if name in one}
    named = {"Name": props["Name"], "Type": one["Type"], "ResourceRecords": records}
    return kept | named | ({"TTL": one["TTL"]} if "TTL" in one else {})


def _key(call: Calls, id_: str, _props: Properties) -> Properties | None:
    found = call("kms", "DescribeKey", {"KeyId": id_})["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return None
    asked = {"KeyId": id_, "PolicyName": "default"}
    tags = call("kms", "ListResourceTags", {"KeyId": id_}).get("Tags", [])
    return {
        "Description": found.get("Description", ""),
        "EnableKeyRotation": call("kms", "GetKeyRotationStatus", {"KeyId": id_})[
            "KeyRotationEnabled"
        ],
        "KeyPolicy": json.loads(call("kms", "GetKeyPolicy", asked)["Policy"]),
        "Tags": [{"Key": one["TagKey"], "Value": one["TagValue"]} for one in tags],
    }


def _alias(call: Calls, id_: str, props: Properties) -> Properties | None:
    """The key is told as the template names it, by id or by ARN."""
    for one in call("kms", "ListAliases", {})["Aliases"]:
        if one["AliasName"] == id_:
            target, wanted = one.get("TargetKeyId", ""), str(props.get("TargetKeyId", ""))
            same = wanted.rpartition("/")[2] == target
            return {"AliasName": id_, "TargetKeyId": wanted if same else target}
    return None


_GROUP = ("Description", "Family", "Parameters", "Tags")
READERS = NETWORK | {
    "AWS::KMS::Alias": reads(_alias, "AliasName", "TargetKeyId"),
    "AWS::KMS::Key": reads(_key, "Description", "EnableKeyRotation", "KeyPolicy", "Tags"),
    "AWS::RDS::DBClusterParameterGroup": reads(_parameter_group("DBCluster"), *_GROUP),
    "AWS::RDS::DBParameterGroup": reads(_parameter_group("DB"), *_GROUP),
    "AWS::RDS::DBSubnetGroup": reads(
        _subnet_group, "DBSubnetGroupDescription", "SubnetIds", "Tags"
    ),
    "AWS::Route53::RecordSet": reads(
        _record_set,
        *("Failover", "HealthCheckId", "Name", "ResourceRecords", "SetIdentifier", "TTL", "Type"),
    ),
}
