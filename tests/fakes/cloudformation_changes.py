"""How the fake CloudFormation compares templates, and how it shows a stack."""

import json
from typing import Any

from platform_pipelines.aws.change_sets import KNOWN_AFTER_APPLY
from tests.fakes.cloudformation_records import ChangeSet, Json, Stack

CREATE_ONLY = {
    "AWS::EC2::VPC": {"CidrBlock"},
    "AWS::EFS::FileSystem": {"Encrypted", "KmsKeyId"},
    "AWS::RDS::DBCluster": {"DBClusterIdentifier", "MasterUsername"},
    "AWS::RDS::GlobalCluster": {"SourceDBClusterIdentifier", "StorageEncrypted"},
}


def described(stack: Stack) -> Json:
    """A stack as DescribeStacks shows it."""
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "CreationTime": stack.created,
        **({"LastUpdatedTime": stack.updated} if stack.updated else {}),
        **({"RoleARN": stack.role} if stack.role else {}),
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.protected,
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in stack.outputs.items()],
        "Parameters": [
            {"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items()
        ],
    }


def summary(change_set: ChangeSet) -> Json:
    """A change set as ListChangeSets shows it."""
    return {
        "StackId": change_set.stack.id,
        "StackName": change_set.stack.name,
        "ChangeSetId": change_set.id,
        "ChangeSetName": change_set.name,
        "Status": change_set.status,
        "StatusReason": change_set.reason,
        "ExecutionStatus": change_set.execution,
    }


def changes(stack: Stack, template: Json, parameters: dict[str, str]) -> list[Json]:
    """What a template would change, as DescribeChangeSet shows it."""
    old, new = stack.template["Resources"], template["Resources"]
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            found.append(_change("Add", name, new[name]))
        elif name not in new:
            removed = _change("Remove", name, old[name])
            removed["ResourceChange"]["PolicyAction"] = _policy(
                old[name], "DeletionPolicy", "Delete"
            )
            found.append(removed)
        else:
            before = filled(old[name].get("Properties", {}), stack.parameters)
            after = filled(new[name].get("Properties", {}), parameters)
            if before != after:
                found.append(_modified(name, old[name], before, after))
    return found


def _change(action: str, name: str, resource: Json) -> Json:
    change: Json = {"Action": action, "LogicalResourceId": name, "ResourceType": resource["Type"]}
    context = json.dumps({"Properties": resource.get("Properties", {})})
    if action in ("Add", "Remove"):
        change["AfterContext" if action == "Add" else "BeforeContext"] = context
    return {"Type": "Resource", "ResourceChange": change}


def _policy(resource: Json, key: str, default: str) -> str:
    policy = str(resource.get(key, default))
    return "Retain" if policy.startswith("Retain") else policy


def _modified(name: str, resource: Json, before: Json, after: Json) -> Json:
    fixed = CREATE_ONLY.get(resource["Type"], set())
    names = [
        one for one in sorted(before.keys() | after.keys()) if before.get(one) != after.get(one)
    ]
    replaced = any(one in fixed for one in names)
    change = _change("Modify", name, resource)
    change["ResourceChange"] |= {
        "Replacement": str(replaced),
        "Details": [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": one,
                    "Path": f"/Properties/{one}",
                    "RequiresRecreation": "Always" if one in fixed else "Never",
                    **({"BeforeValue": _text(before[one])} if one in before else {}),
                    **({"AfterValue": _text(after[one])} if one in after else {}),
                }
            }
            for one in names
        ],
    }
    if replaced:
        policy = _policy(resource, "UpdateReplacePolicy", "Delete")
        change["ResourceChange"]["PolicyAction"] = f"ReplaceAnd{policy}"
    return change


def _text(value: Any) -> str:
    if isinstance(value, dict) and ("Ref" in value or "Fn::GetAtt" in value):
        return KNOWN_AFTER_APPLY
    return value if isinstance(value, str) else json.dumps(value)


def filled(value: Any, parameters: dict[str, str]) -> Any:
    """A template's value with its parameters in their places."""
    match value:
        case {"Ref": str(name)} if name in parameters:
            return parameters[name]
        case dict():
            return {key: filled(one, parameters) for key, one in value.items()}
        case list():
            return [filled(one, parameters) for one in value]
    return value


def outputs(stack: Stack) -> dict[str, str]:
    """What a stack gives."""
    return {
        key: _value(output["Value"], stack)
        for key, output in stack.template.get("Outputs", {}).items()
    }


def _value(value: Any, stack: Stack) -> str:
    match value:
        case {"Ref": str(name)}:
            return stack.resources.get(name, stack.parameters.get(name, name))
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{stack.resources[name]}.{attribute}"
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_value(part, stack) for part in parts)
    return str(value)
