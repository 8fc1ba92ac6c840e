"""DynamoDB: global tables with multi-Region strong consistency (MRSC), over ministack's tables.

All replicas of such a table are one record, registered in each replica's Region, so a conditional
write through any living endpoint is seen by every later read. A guard before ministack's dispatcher
refuses what MRSC does not have, and reads and writes without a majority of the table's Regions.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

import functools
import json
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation

_STRONG = "_strong"  # in a table's record: {"replicas": [...], "witness": "..." or None}
_VERSION = "2019.11.21"
# What a new table can take at once.
_WARM = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
_NEEDS_MAJORITY = frozenset(
    {
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
        *("ExecuteStatement", "BatchExecuteStatement"),
    }
)
_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem"})
_REFUSED = frozenset(
    {"TransactWriteItems", "TransactGetItems", "ExecuteTransaction", "UpdateTimeToLive"}
)


def _check_members(region: str, replicas: list[str], witness: str | None) -> None:
    members = {*replicas, *([witness] if witness else [])}
    if len(members) != 3 or region not in replicas or len(replicas) not in (2, 3):
        raise Fault(
            "ValidationException",
            "A table with STRONG multi-Region consistency needs three Regions: three replicas, or "
            "two replicas and a witness.",
        )


def _share(account: str, table: dict[str, Any], replicas: list[str], witness: str | None) -> None:
    for replica in replicas:
        found = _tables().get_scoped(account, replica, table["TableName"])
        if found is not None and found is not table:
            raise Fault(
                "ValidationException",
                f"Failed to create the replica of table {table['TableName']} in {replica}: a table "
                "of this name exists there.",
            )
    table[_STRONG] = {"replicas": sorted(replicas), "witness": witness}
    for replica in replicas:
        _tables().set_scoped(account, replica, table["TableName"], table)


class DynamoDb(Service):
    """Table operations that know MRSC; items and the rest are ministack's, behind the guard."""

    name = "dynamodb"
    passes = frozenset(
        {
            *_NEEDS_MAJORITY,
            *_READS,
            *_REFUSED,
            *("ListTables", "DescribeEndpoints", "DescribeLimits"),
            *("DescribeTimeToLive", "TagResource", "UntagResource", "ListTagsOfResource"),
            *("DescribeContinuousBackups", "UpdateContinuousBackups"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
        }
    )

    def start(self) -> None:
        module = ministack.service("dynamodb")
        original = getattr(module.handle_request, "__wrapped__", module.handle_request)

        @functools.wraps(original)
        async def guarded(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Any:
            refusal = self._refusal(headers.get("x-amz-target", "").rpartition(".")[2], body)
            return refusal or await original(method, path, headers, body, query)

        module.__dict__["handle_request"] = guarded

    @operation
    def CreateTable(self, call: Call) -> Result:  # noqa: N802
        description = stores.ask(call)["TableDescription"]
        self._table(call)["WarmThroughput"] = dict(_WARM)
        return {"TableDescription": description | {"WarmThroughput": dict(_WARM)}}

    @operation
    def DescribeTable(self, call: Call) -> Result:  # noqa: N802
        description = stores.ask(call)["Table"]
        return {"Table": _strong_view(description, self._table(call), call.region)}

    @operation
    def DeleteTable(self, call: Call) -> Result:  # noqa: N802
        table = self._table(call)
        result = stores.ask(call)
        if strong := table.get(_STRONG):
            strong["replicas"].remove(call.region)
        return result

    @operation
    def UpdateTable(self, call: Call) -> Result:  # noqa: N802
        table = self._table(call)
        if call.params.get("MultiRegionConsistency") == "STRONG":
            self._make_strong(call, table)
            described = replace(call, operation="DescribeTable", params=_named(table))
            description = stores.ask(described)["Table"]
        else:
            description = stores.ask(call)["TableDescription"]
        return {"TableDescription": _strong_view(description, table, call.region)}

    def _make_strong(self, call: Call, table: dict[str, Any]) -> None:
        if any(table["items"].values()):
            raise Fault("ValidationException", "The table must be empty to become an MRSC table.")
        replicas = [call.region, *_created(call.params.get("ReplicaUpdates", []))]
        witnesses = _created(call.params.get("GlobalTableWitnessUpdates", []))
        witness = witnesses[0] if witnesses else None
        _check_members(call.region, replicas, witness)
        _share(call.account, table, replicas, witness)

    def _name(self, call: Call) -> str:
        return str(call.params["TableName"]).rpartition("/")[2]

    def _table(self, call: Call) -> dict[str, Any]:
        name = self._name(call)
        table: dict[str, Any] | None = _tables().get(name)
        if table is None:
            message = f"Requested resource not found: Table: {name} not found"
            raise Fault("ResourceNotFoundException", message)
        return table

    def _refusal(self, operation_name: str, body: bytes) -> Any:
        """The error that an MRSC table answers before the operation is tried, or None."""
        if operation_name not in _REFUSED | _NEEDS_MAJORITY | _READS:
            return None
        data = json.loads(body or b"{}")
        tables = [_tables().get(name) for name in _table_names(data)]
        strong = [table for table in tables if table and table.get(_STRONG)]
        if strong and operation_name in _REFUSED:
            message = f"{operation_name} is not supported on a table with STRONG consistency."
            return _error("ValidationException", message, 400)
        reads = operation_name in _READS and not _consistent(data)
        if not reads and any(not self._majority(table[_STRONG]) for table in strong):
            message = "A majority of the table's Regions cannot be reached."
            return _error("InternalServerError", message, 500)
        return None

    def _majority(self, strong: dict[str, Any]) -> bool:
        members = [*strong["replicas"], *([strong["witness"]] if strong["witness"] else [])]
        up = [member for member in members if not stores.dark(self.world, member)]
        return len(up) * 2 > len(members)


def _tables() -> Any:
    return ministack.service("dynamodb")._tables


def _named(table: dict[str, Any]) -> Params:
    return {"TableName": table["TableName"]}


def _created(updates: list[dict[str, Any]]) -> list[str]:
    return [update["Create"]["RegionName"] for update in updates if "Create" in update]


def _strong_view(description: Result, table: dict[str, Any], region: str) -> Result:
    """A table's description as one of its Regions gives it; an ordinary table's is left as it is."""
    strong = table.get(_STRONG)
    if strong is None:
        return description
    parts = table["TableArn"].split(":")
    extra: Result = {
        "TableArn": ":".join([*parts[:3], region, *parts[4:]]),
        "GlobalTableVersion": _VERSION,
        "MultiRegionConsistency": "STRONG",
        "Replicas": [
            {"RegionName": name, "ReplicaStatus": "ACTIVE"} for name in strong["replicas"]
        ],
    }
    if strong["witness"]:
        witness = {"RegionName": strong["witness"], "WitnessStatus": "ACTIVE"}
        extra["GlobalTableWitnesses"] = [witness]
    return description | extra


def _table_names(data: dict[str, Any]) -> set[str]:
    """The tables that a request names, by name or ARN."""
    names = {data["TableName"]} if isinstance(data.get("TableName"), str) else set()
    names |= set(data.get("RequestItems") or {})
    for item in data.get("TransactItems") or []:
        names |= {action["TableName"] for action in item.values() if "TableName" in action}
    return {name.rpartition("/")[2] for name in names}


def _consistent(data: dict[str, Any]) -> bool:
    asked = [data, *(data.get("RequestItems") or {}).values()]
    return any(isinstance(one, dict) and one.get("ConsistentRead") is True for one in asked)


def _error(code: str, message: str, status: int) -> Any:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    return status, headers, body.encode()
