# ruff: noqa: N803  # arguments are AWS's, and so are their names
"""A DynamoDB that behaves, as far as the ledger asks: one strongly consistent table in both
Regions, conditions, counters, ranges of sort keys, pages."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.calls import Paginator, Wire, client_error

Item = dict[str, Any]  # in DynamoDB's JSON, as `{"S": "text"}`
PAGE = 4


@dataclass
class Items:
    """What the table holds, in every Region the same."""

    by_key: dict[tuple[str, str], Item] = field(default_factory=dict)
    exists: bool = True
    conflicts: int = 0  # so many writes meet one in another Region


class FakeDynamoDb:
    """The DynamoDB client of one Region."""

    def __init__(self, wire: Wire, items: Items) -> None:
        self.wire, self.items = wire, items
        self.done: Callable[[str, str], None] = lambda _operation, _key: None

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool) -> Item:
        self._arrives("GetItem", TableName, ConsistentRead)
        found = self.items.by_key.get(_key(Key))
        return {"Item": dict(found)} if found else {}

    def query(self, **request: Any) -> Item:
        self._arrives("Query", request["TableName"], request["ConsistentRead"])
        found = self._matching(request)
        if not request.get("ScanIndexForward", True):
            found.reverse()
        return {"Items": found[: request.get("Limit", len(found))]}

    def get_paginator(self, _operation: str) -> Paginator:
        return Paginator(self._pages)

    def put_item(self, *, TableName: str, Item: Item, **conditions: Any) -> Item:
        def put() -> None:
            self.items.by_key[_key(Item)] = dict(Item)

        return self._write("PutItem", TableName, _key(Item), conditions, put)

    def delete_item(self, *, TableName: str, Key: Item, **conditions: Any) -> Item:
        def delete() -> None:
            self.items.by_key.pop(_key(Key), None)

        return self._write("DeleteItem", TableName, _key(Key), conditions, delete)

    def update_item(self, *, TableName: str, Key: Item, **request: Any) -> Item:
        def update() -> None:
            item = self.items.by_key.setdefault(_key(Key), dict(Key))
            _update(item, request)

        return self._write("UpdateItem", TableName, _key(Key), request, update)

    def _arrives(self, operation: str, table: str, consistent: bool = True) -> None:
        assert consistent, "the ledger reads consistently, always"
        self.wire.call(operation)
        if not self.items.exists:
            raise client_error("ResourceNotFoundException", f"no table {table}", operation)

    def _write(
        self,
        operation: str,
        table: str,
        key: tuple[str, str],
        request: Item,
        apply: Callable[[], None],
    ) -> Item:
        with self.wire.lock:
            self._arrives(operation, table)
            if self.items.conflicts:
                self.items.conflicts -= 1
                raise client_error("ReplicatedWriteConflictException", "at once", operation)
            if not _holds(self.items.by_key.get(key), request):
                raise client_error("ConditionalCheckFailedException", "no", operation)
            apply()
            self.done(operation, key[1])
        return {}

    def _matching(self, request: Item) -> list[Item]:
        values = request["ExpressionAttributeValues"]
        partition = values[":pk"]["S"]
        return [
            dict(item)
            for (pk, sk), item in sorted(self.items.by_key.items())
            if pk == partition and _in_range(sk, values)
        ]

    def _pages(self, **request: Any) -> list[Item]:
        self._arrives("Query", request["TableName"], request["ConsistentRead"])
        found = self._matching(request)
        return [{"Items": found[i : i + PAGE]} for i in range(0, len(found), PAGE)]


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _in_range(sk: str, values: Item) -> bool:
    if ":prefix" in values:
        return sk.startswith(values[":prefix"]["S"])
    return bool(values[":first"]["S"] <= sk <= values[":last"]["S"])


def _holds(item: Item | None, request: Item) -> bool:
    expression = request.get("ConditionExpression")
    return expression is None or all(
        _part_holds(item or {}, part, request) for part in expression.split(" AND ")
    )


def _part_holds(item: Item, part: str, request: Item) -> bool:
    names = request.get("ExpressionAttributeNames", {})
    if absent := re.fullmatch(r"attribute_not_exists\((#?\w+)\)", part):
        return names.get(absent[1], absent[1]) not in item
    name, value = part.split(" = ")
    wanted = request["ExpressionAttributeValues"][value]
    return bool(item.get(names.get(name, name)) == wanted)


def _update(item: Item, request: Item) -> None:
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    for action, clause in re.findall(
        r"(SET|ADD) (.*?)(?= SET | ADD |$)", request["UpdateExpression"]
    ):
        for one in clause.split(", "):
            name, value = one.split(" = " if action == "SET" else " ")
            if action == "SET":
                item[names[name]] = values[value]
            else:
                before = int(item.get(names[name], {"N": "0"})["N"])
                item[names[name]] = {"N": str(before + int(values[value]["N"]))}
