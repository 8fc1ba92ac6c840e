"""The resource types of a VPC's endpoints and flow logs, through EC2's API: an interface endpoint is
complete when its addresses are there."""

import json
from typing import Any

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Calls,
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    judge,
    parameters,
)
from platform_pipelines.local.aws.service import Fault, Params

_MEMBERS = ("RouteTableIds", "SecurityGroupIds", "SubnetIds")


class VpcEndpoint(ResourceType):
    """AWS::EC2::VPCEndpoint: private DNS only if the template asks for it, other than the API."""

    name = "AWS::EC2::VPCEndpoint"
    create_only = (
        *("ServiceName", "VpcEndpointType", "VpcId", "ServiceNetworkArn"),
        *("ResourceConfigurationArn", "ServiceRegion"),
    )
    reads = frozenset(
        {
            *("ServiceName", "VpcEndpointType", "VpcId", "PrivateDnsEnabled", "PolicyDocument"),
            *("IpAddressType", "Tags", *_MEMBERS),
        }
    )

    def create(self, props: Properties) -> Made:
        rest = {key: value for key, value in props.items() if key not in ("Tags", "PolicyDocument")}
        params = parameters("ec2", "CreateVpcEndpoint", {"PrivateDnsEnabled": False} | rest)
        if "PolicyDocument" in props:
            params["PolicyDocument"] = _text(props["PolicyDocument"])
        params |= _tagged("vpc-endpoint", props)
        found = self.call("ec2", "CreateVpcEndpoint", params)["VpcEndpoint"]
        return self._made(found["VpcEndpointId"])

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new)
        known = {*_MEMBERS, "PrivateDnsEnabled", "PolicyDocument", "Tags"}
        if unknown := names - known:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")
        if wanted := self._changes(one.properties, new, names - {"Tags"}):
            self.call("ec2", "ModifyVpcEndpoint", {"VpcEndpointId": one.id} | wanted)
        _retag(self.call, one, new)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        asked = {"VpcEndpointIds": [one.id]}
        for failed in self.call("ec2", "DeleteVpcEndpoints", asked)["Unsuccessful"]:
            raise Fault(failed["Error"]["Code"], failed["Error"]["Message"])

    def look(self, one: Existing) -> Look:
        found = self._found(one.id)
        condition = judge(found["State"], ready=("available",), failed=("failed", "rejected"))
        return Look(
            condition=condition,
            reason=found.get("FailureReason", f"{one.id} is {found['State']}"),
            made=self._made(one.id),
            actual=self._actual(found),
        )

    def _actual(self, found: dict[str, Any]) -> Properties:
        names = self.reads & found.keys() - {"PolicyDocument"}
        groups = [each["GroupId"] for each in found["Groups"]]
        policy = {"PolicyDocument": json.loads(found["PolicyDocument"])}
        return {name: found[name] for name in names} | policy | {"SecurityGroupIds": groups}

    @staticmethod
    def _changes(old: Properties, new: Properties, names: set[str]) -> Params:
        wanted: Params = {}
        for name in names & {*_MEMBERS}:
            before, after = set(old.get(name, [])), set(new.get(name, []))
            wanted |= {f"Add{name}": sorted(after - before)} if after - before else {}
            wanted |= {f"Remove{name}": sorted(before - after)} if before - after else {}
        if "PrivateDnsEnabled" in names:
            wanted["PrivateDnsEnabled"] = str(new.get("PrivateDnsEnabled")).lower() == "true"
        if "PolicyDocument" in names:
            given = new.get("PolicyDocument")
            wanted |= {"PolicyDocument": _text(given)} if given else {"ResetPolicy": True}
        return wanted

    def _found(self, id_: str) -> dict[str, Any]:
        asked = {"VpcEndpointIds": [id_]}
        return dict(self.call("ec2", "DescribeVpcEndpoints", asked)["VpcEndpoints"][0])

    def _made(self, id_: str) -> Made:
        made = str(self._found(id_)["CreationTimestamp"])
        return Made(id=id_, attributes={"Id": id_, "CreationTimestamp": made})


class FlowLog(ResourceType):
    """AWS::EC2::FlowLog: only its tags change in place."""

    name = "AWS::EC2::FlowLog"
    create_only = (
        *("DeliverCrossAccountRole", "DeliverLogsPermissionArn", "DestinationOptions"),
        *("LogDestination", "LogDestinationType", "LogFormat", "LogGroupName"),
        *("MaxAggregationInterval", "ResourceId", "ResourceType", "TagFieldSpecifications"),
        *("TrafficType",),
    )
    reads = frozenset(
        {
            *("DeliverLogsPermissionArn", "LogDestination", "LogDestinationType", "LogFormat"),
            *("LogGroupName", "MaxAggregationInterval", "ResourceId", "TrafficType", "Tags"),
        }
    )

    def create(self, props: Properties) -> Made:
        rest = {key: value for key, value in props.items() if key not in ("Tags", "ResourceId")}
        params = parameters("ec2", "CreateFlowLogs", rest)
        params |= {"ResourceIds": [props["ResourceId"]]} | _tagged("vpc-flow-log", props)
        answer = self.call("ec2", "CreateFlowLogs", params)
        for failed in answer["Unsuccessful"]:
            raise Fault(failed["Error"]["Code"], failed["Error"]["Message"])
        return self._made(answer["FlowLogIds"][0])

    def update(self, one: Existing, new: Properties) -> Made:
        if unknown := changed(one.properties, new) - {"Tags"}:
            raise Fault("ValidationException", f"{self.name}: {sorted(unknown)} cannot be changed")
        _retag(self.call, one, new)
        return self._made(one.id)

    def delete(self, one: Existing) -> None:
        asked = {"FlowLogIds": [one.id]}
        for failed in self.call("ec2", "DeleteFlowLogs", asked)["Unsuccessful"]:
            raise Fault(failed["Error"]["Code"], failed["Error"]["Message"])

    def look(self, one: Existing) -> Look:
        asked = {"FlowLogIds": [one.id]}
        found = self.call("ec2", "DescribeFlowLogs", asked)["FlowLogs"][0]
        actual = {name: found[name] for name in self.reads & found.keys()}
        return Look(condition=Condition.READY, made=self._made(one.id), actual=actual)

    @staticmethod
    def _made(id_: str) -> Made:
        return Made(id=id_, attributes={"Id": id_})


def _tagged(kind: str, props: Properties) -> Params:
    """EC2 tags a thing while it is created."""
    tags = props.get("Tags")
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def _retag(call: Calls, one: Existing, new: Properties) -> None:
    before, after = one.properties.get("Tags"), new.get("Tags")
    words = ("CreateTags", "DeleteTags")
    retag(call, "ec2", {"Resources": [one.id]}, before, after, words=words)


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)
