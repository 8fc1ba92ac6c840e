"""EC2's flow logs: which traffic of a network is recorded, and where the records are delivered.

Nothing flows in the local Regions, so nothing is delivered; whether it could be is seen once the
first interval has passed, as AWS tells it only then.
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-troubleshooting.html
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_filters
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.role_trust import is_assumable
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Params,
    Result,
    Service,
    not_implemented,
    operation,
)

Record = dict[str, Any]
MISSING = "InvalidFlowLogId.NotFound"
_LOGS, _S3 = "cloud-watch-logs", "s3"
_PRINCIPAL = "vpc-flow-logs.amazonaws.com"
_INTERVALS = (60, 600)  # seconds
_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
    "${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
_LACKING = ("DeliverCrossAccountRole", "DestinationOptions", "TagFieldSpecifications")
_RESOURCES = {
    "VPC": ("_vpcs", "InvalidVpcId.NotFound", "The vpc ID '{}' does not exist"),
    "Subnet": ("_subnets", "InvalidSubnetId.NotFound", "The subnet ID '{}' does not exist"),
}


class FlowLogs(Service):
    """Of VPCs and subnets, to CloudWatch Logs or S3."""

    name = "ec2"

    def bind(self, answer: Callable[[Call], Result]) -> None:
        super().bind(answer)
        self._answer = answer

    @operation(raises=("InvalidParameter", "MissingParameter", "NotImplemented"), states="ACTIVE")
    def CreateFlowLogs(self, call: Call) -> Result:  # noqa: N802
        params, made, failed = call.params, [], []
        token = params.get("ClientToken")
        if token and (same := [id_ for id_, one in _all().items() if one["_token"] == token]):
            return {"FlowLogIds": same, "ClientToken": token, "Unsuccessful": []}
        settings = _checked(call)
        for id_ in params["ResourceIds"]:
            if fault := _problem(params["ResourceType"], id_, settings):
                error = {"Code": fault.code, "Message": fault.message}
                failed.append({"ResourceId": id_, "Error": error})
            else:
                made.append(self._made(id_, settings, params))
        answer = {"FlowLogIds": made, "Unsuccessful": failed}
        return answer | ({"ClientToken": token} if token else {})

    @operation(raises=(MISSING, "InvalidNextToken", "InvalidParameterValue"))
    def DescribeFlowLogs(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        wanted = [_find(id_) for id_ in params.get("FlowLogIds", [])]
        found = [self._described(one, call) for one in wanted or list(_all().values())]
        found = [one for one in found if _passes(one, params.get("Filter", []))]
        wrong = Fault("InvalidNextToken", "The token is not valid.")
        return paged("FlowLogs", found, params, wrong=wrong)

    @operation
    def DeleteFlowLogs(self, call: Call) -> Result:  # noqa: N802
        failed = []
        for id_ in call.params["FlowLogIds"]:
            if id_ in _all():
                _all().pop(id_)
                _store("_tags").pop(id_, None)
            else:
                told = "These flow log ids in the input list are not found"
                error = {"Code": MISSING, "Message": f"{told}: [TotalCount: 1] {id_}"}
                failed.append({"ResourceId": id_, "Error": error})
        return {"Unsuccessful": failed}

    def _made(self, resource: str, settings: Record, params: Params) -> str:
        id_ = f"fl-{secrets.token_hex(9)[:17]}"
        own = {"FlowLogId": id_, "ResourceId": resource, "CreationTime": self.world.now()}
        _all()[id_] = settings | own | {"_token": params.get("ClientToken")}
        for specification in params.get("TagSpecifications", []):
            _store("_tags")[id_] = list(specification["Tags"])
        return id_

    def _described(self, record: Record, call: Call) -> Result:
        due = record["CreationTime"] + record["MaxAggregationInterval"]
        delivered: Record = {}
        if self.world.now() >= due:
            reached = self._can_deliver(record, call)
            delivered = {"DeliverLogsStatus": "SUCCESS" if reached else "FAILED"}
            delivered |= {} if reached else {"DeliverLogsErrorMessage": "Access error"}
        tags = list(_store("_tags").get(record["FlowLogId"], []))
        shown = {key: one for key, one in record.items() if key[0] != "_" and one is not None}
        return shown | {"FlowLogStatus": "ACTIVE", "Tags": tags} | delivered

    def _can_deliver(self, record: Record, call: Call) -> bool:
        """Whether its role can be taken by flow logs, and the destination is there."""
        if record["LogDestinationType"] == _S3:
            bucket = record["LogDestination"].rpartition(":::")[2].partition("/")[0]
            return bucket in ministack.service("s3")._buckets
        name = {"logGroupNamePrefix": record["LogGroupName"]}
        groups = self._answer(
            replace(call, service="logs", operation="DescribeLogGroups", params=name)
        )["logGroups"]
        is_there = record["LogGroupName"] in {one["logGroupName"] for one in groups}
        return is_there and is_assumable(record["DeliverLogsPermissionArn"], _PRINCIPAL)


def _checked(call: Call) -> Record:
    """What every flow log of a request has. Raises: Fault."""
    params = call.params
    kind, interval = params["ResourceType"], params.get("MaxAggregationInterval", 600)
    destination = params.get("LogDestinationType", _LOGS)
    lacking = [name for name in _LACKING if params.get(name)]
    if lacking or kind not in _RESOURCES or destination not in (_LOGS, _S3):
        what = lacking or (kind if kind not in _RESOURCES else destination)
        raise not_implemented(f"CreateFlowLogs of {what}")
    if "TrafficType" not in params:
        raise Fault("MissingParameter", "The request must contain the parameter TrafficType")
    if interval not in _INTERVALS:
        message = f"Invalid Flow Log Max Aggregation Interval: {interval}"
        raise Fault("InvalidParameter", message)
    return {
        "TrafficType": params["TrafficType"],
        "LogDestinationType": destination,
        "LogFormat": params.get("LogFormat", _FORMAT),
        "MaxAggregationInterval": interval,
        **(_to_logs(params) if destination == _LOGS else _to_s3(params)),
    }


def _to_logs(params: Params) -> Record:
    target = params.get("LogDestination", "")
    group = params.get("LogGroupName") or target.partition(":log-group:")[2].removesuffix(":*")
    role = params.get("DeliverLogsPermissionArn")
    if not group:
        message = "LogGroupName or the LogDestination of a log group is needed."
        raise Fault("MissingParameter", message)
    if not role:
        message = (
            "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
        )
        raise Fault("InvalidParameter", message)
    return {
        "LogGroupName": group,
        "LogDestination": target or None,
        "DeliverLogsPermissionArn": role,
    }


def _to_s3(params: Params) -> Record:
    target = params.get("LogDestination", "")
    if not target.startswith("arn:aws:s3:::"):
        message = "LogDestination has to be the ARN of a bucket."
        raise Fault("InvalidParameter", message)
    if given := [one for one in ("LogGroupName", "DeliverLogsPermissionArn") if one in params]:
        message = f"{given[0]} cannot be specified if LogDestinationType is s3."
        raise Fault("InvalidParameter", message)
    return {"LogDestination": target}


def _problem(kind: str, id_: str, settings: Record) -> Fault | None:
    """Why a resource gets no flow log."""
    store, code, words = _RESOURCES[kind]
    if id_ not in _store(store):
        return Fault(code, words.format(id_))
    for one in _all().values():
        same = all(one.get(key) == value for key, value in settings.items())
        if same and one["ResourceId"] == id_:
            message = (
                "There is an existing Flow Log with the same configuration and log destination."
            )
            return Fault("FlowLogAlreadyExists", message)
    return None


def _passes(one: Result, filters: list[dict[str, Any]]) -> bool:
    values = {
        "deliver-log-status": one.get("DeliverLogsStatus"),
        "flow-log-id": one["FlowLogId"],
        "log-destination-type": one["LogDestinationType"],
        "log-group-name": one.get("LogGroupName"),
        "resource-id": one["ResourceId"],
        "traffic-type": one["TrafficType"],
    }
    return ec2_filters.passes(filters, values, one["Tags"])


def _find(id_: str) -> Record:
    record: Record | None = _all().get(id_)
    if record is None:
        raise Fault(MISSING, f"The flow log ID '{id_}' does not exist")
    return record


def _all() -> Any:
    return _store("_flow_logs")


def _store(name: str) -> Any:
    return getattr(ministack.service("ec2"), name)
