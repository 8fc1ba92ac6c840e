"""What stands before ministack's item operations: states, outages, and strong consistency.

A guard around its dispatcher refuses what a table in this state, or this Region, cannot answer, and
shows an eventually consistent read what its replica knows. `DynamoDb` installs it.
"""

import functools
import json
from contextlib import ExitStack
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import dynamodb_replicas as replicas
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.dynamodb_replicas import ACTIVE, GLOBAL, UPDATING, Table
from platform_pipelines.local.world import World

Answer = tuple[int, dict[str, str], bytes]
Body = dict[str, Any]

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"})
READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem"})
TRANSACTIONS = frozenset({"TransactWriteItems", "TransactGetItems"})
ITEMS = WRITES | READS | TRANSACTIONS
# What a strongly consistent table does not have.
REFUSED = TRANSACTIONS | {"UpdateTimeToLive"}


class Guard:
    """Judges each item operation before ministack sees it. Used on the event loop's thread."""

    def __init__(self, world: World) -> None:
        self._world = world

    def install(self) -> None:
        """Stand before ministack's dispatcher, in place of an earlier world's guard."""
        module = ministack.service("dynamodb")
        dispatch = getattr(module.handle_request, "__wrapped__", module.handle_request)
        replicate = getattr(module._replicate_write, "__wrapped__", module._replicate_write)

        @functools.wraps(dispatch)
        async def guarded(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Any:
            name = headers.get("x-amz-target", "").rpartition(".")[2]
            with ExitStack() as stack:
                refusal = self._enter(name, body, stack)
                return refusal or await dispatch(method, path, headers, body, query)

        @functools.wraps(replicate)
        def replicated(table: Table, event: str, old: Any, new: Any) -> None:
            replicate(table, event, old, new)
            if table.get(GLOBAL):
                replicas.wrote(self._world, table, _region(), old, new)

        vars(module).update(handle_request=guarded, _replicate_write=replicated)

    def _enter(self, name: str, body: bytes, stack: ExitStack) -> Answer | None:
        """The error that is answered instead, or None with the tables as the caller may see them."""
        if name not in ITEMS | REFUSED:
            return None
        try:
            data = json.loads(body or b"{}")
        except ValueError:
            return None  # ministack has the words for it
        region, account = _region(), _account()
        named = {one: replicas.found(account, region, one) for one in _table_names(data)}
        found = [table for table in named.values() if table]
        refusal = self._refusal(name, data, region, found)
        if refusal is None and name in READS and not _consistent(data):
            for table in found:
                if table.get(GLOBAL):
                    replicas.catch_up(self._world, table, region)
                    stack.enter_context(replicas.as_known_in(account, table, region))
        return refusal

    def _refusal(self, name: str, data: Body, region: str, found: list[Table]) -> Answer | None:
        if stores.dark(self._world, region):
            return _error("InternalServerError", "Internal server error", 500)
        if any(_status(table, region) not in (ACTIVE, UPDATING) for table in found):
            return _error("ResourceNotFoundException", "Requested resource not found", 400)
        strong = [table for table in found if table.get(GLOBAL)]
        if strong and name in REFUSED:
            message = f"{name} is not supported on a table with STRONG consistency."
            return _error("ValidationException", message, 400)
        if name in READS and not _consistent(data):
            return None
        if not all(replicas.has_majority(self._world, table, region) for table in strong):
            message = "A majority of the table's Regions cannot be reached."
            return _error("InternalServerError", message, 500)
        if name in WRITES and any(self._conflicts(table, region, data) for table in strong):
            message = "One or more items in the request are being modified by another Region."
            return _error("ReplicatedWriteConflictException", message, 400)
        return None

    def _conflicts(self, table: Table, region: str, data: Body) -> bool:
        """Whether a write of another Region to the same item is still on its way."""
        since = self._world.now() - self._world.durations.dynamodb_write_in_flight
        for item in _written(table, data):
            pk, sk = replicas.key_of(table, item)
            writer, moment = table[GLOBAL]["held"].get(f"{pk}\0{sk}", (region, 0.0))
            if writer != region and moment > since:
                return True
        return False


def _status(table: Table, region: str) -> str:
    known = table.get(GLOBAL)
    own = known["replicas"].get(region, ACTIVE) if known else ACTIVE
    return str(table["TableStatus"] if own == ACTIVE else own)


def _written(table: Table, data: Body) -> list[dict[str, Any]]:
    """The items, or their keys, that a request writes to a table."""
    requests = (data.get("RequestItems") or {}).get(table["TableName"]) or []
    actions = [action for request in requests for action in request.values()] or [data]
    return [one.get("Item") or one.get("Key") or {} for one in actions]


def _table_names(data: Body) -> set[str]:
    """The tables that a request names, by name or ARN."""
    names = {data["TableName"]} if isinstance(data.get("TableName"), str) else set()
    names |= set(data.get("RequestItems") or {})
    for item in data.get("TransactItems") or []:
        names |= {action["TableName"] for action in item.values() if "TableName" in action}
    return {name.rpartition("/")[2] for name in names}


def _consistent(data: Body) -> bool:
    asked = [data, *(data.get("RequestItems") or {}).values()]
    return any(isinstance(one, dict) and one.get("ConsistentRead") is True for one in asked)


def _region() -> str:
    from ministack.core.responses import get_region

    return str(get_region())


def _account() -> str:
    from ministack.core.responses import get_account_id

    return str(get_account_id())


def _error(code: str, message: str, status: int) -> Answer:
    prefix = "com.amazonaws.dynamodb.v20120810"
    body = json.dumps({"__type": f"{prefix}#{code}", "message": message})
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    return status, headers, body.encode()
