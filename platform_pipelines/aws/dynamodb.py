"""DynamoDB: one strongly consistent table keyed `pk`, `sk`, used by the ledger only.

Every read is consistent and every write may carry a condition; a condition that does not hold is an
answer (False), not an error. Values are plain: numbers, texts, booleans, lists and maps.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/multi-region-strong-consistency-gt.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from platform_pipelines.aws.region import AwsError, AwsRegion, error_code
from platform_pipelines.clock import Clock
from platform_pipelines.errors import Failed

T = TypeVar("T")
Item = dict[str, Any]
Values = dict[str, Any]
CONFLICT = "ReplicatedWriteConflictException"  # two Regions wrote at once: try again
CONFLICT_TRIES = 5
CONFLICT_PAUSE = 1.0  # AWS-like seconds
_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


@dataclass
class TableUnavailable(Failed):
    """The table cannot be read or written through this Region."""

    table: str
    region: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The table {self.table} cannot be used through {self.region}: {self.reason}. "
            f"If it does not exist yet, run apply_infrastructure first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold for a write: an expression, its values, and names that DynamoDB reserves."""

    expression: str
    values: Values
    names: dict[str, str]

    @classmethod
    def absent(cls) -> "Condition":
        """There is no such item yet."""
        return cls(expression="attribute_not_exists(pk)", values={}, names={})

    @classmethod
    def equal(cls, **values: Any) -> "Condition":
        """These attributes have these values; None: the attribute is absent."""
        names = {f"#c{i}": name for i, name in enumerate(values)}
        parts = [
            f"attribute_not_exists(#c{i})" if value is None else f"#c{i} = :c{i}"
            for i, value in enumerate(values.values())
        ]
        known = {f":c{i}": value for i, value in enumerate(values.values()) if value is not None}
        return cls(expression=" AND ".join(parts), values=known, names=names)

    @property
    def arguments(self) -> dict[str, Any]:
        """As the API takes it."""
        return {
            "ConditionExpression": self.expression,
            **({"ExpressionAttributeNames": self.names} if self.names else {}),
            **({"ExpressionAttributeValues": to_item(self.values)} if self.values else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One partition of a table, through one Region's endpoint."""

    region: AwsRegion
    name: str
    partition: str
    clock: Clock

    def get(self, sk: str) -> Values | None:
        """An item's values; None if there is none."""
        answer = self._ask(
            lambda: self.region.dynamodb.get_item(
                TableName=self.name, Key=self._key(sk), ConsistentRead=True
            )
        )
        item = answer.get("Item")
        return from_item(item) if item else None

    def starting_with(self, prefix: str) -> list[Values]:
        """Every item whose sort key begins so, in its order."""
        known = to_item({":pk": self.partition, ":prefix": prefix})

        def pages() -> list[Values]:
            found = self.region.dynamodb.get_paginator("query").paginate(
                TableName=self.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=known,
            )
            return [from_item(item) for page in found for item in page["Items"]]

        return self._ask(pages)

    def last_between(self, first: str, last: str) -> Values | None:
        """The item with the greatest sort key in a range, both ends included."""
        known = to_item({":pk": self.partition, ":first": first, ":last": last})
        answer = self._ask(
            lambda: self.region.dynamodb.query(
                TableName=self.name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues=known,
                ScanIndexForward=False,
                Limit=1,
            )
        )
        return from_item(answer["Items"][0]) if answer["Items"] else None

    def put(self, sk: str, values: Values, condition: Condition | None = None) -> bool:
        """Write a whole item; False when the condition does not hold."""
        item = self._key(sk) | to_item(values)
        conditions = condition.arguments if condition else {}
        return self._write(
            lambda: self.region.dynamodb.put_item(TableName=self.name, Item=item, **conditions)
        )

    def change(self, sk: str, values: Values, condition: Condition) -> bool:
        """Set attributes of an item; False when the condition does not hold."""
        names = {f"#n{i}": name for i, name in enumerate(values)}
        sets = ", ".join(f"#n{i} = :n{i}" for i in range(len(values)))
        known = {f":n{i}": value for i, value in enumerate(values.values())}
        return self._update(sk, f"SET {sets}", names, known, condition)

    def count(self, sk: str, condition: Condition | None = None, **also: Any) -> bool:
        """Raise the attribute `counter` by one, and set others; False as for `change`."""
        names = {"#counter": "counter"} | {f"#{name}": name for name in also}
        known = {":one": 1} | {f":{name}": value for name, value in also.items()}
        sets = ", ".join(f"#{name} = :{name}" for name in also)
        expression = "ADD #counter :one" + (f" SET {sets}" if sets else "")
        return self._update(sk, expression, names, known, condition)

    def delete(self, sk: str, condition: Condition) -> bool:
        """Remove an item; False when the condition does not hold."""
        return self._write(
            lambda: self.region.dynamodb.delete_item(
                TableName=self.name, Key=self._key(sk), **condition.arguments
            )
        )

    def _key(self, sk: str) -> Item:
        return to_item({"pk": self.partition, "sk": sk})

    def _update(
        self,
        sk: str,
        expression: str,
        names: dict[str, str],
        known: Values,
        condition: Condition | None,
    ) -> bool:
        arguments: dict[str, Any] = {
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names | (condition.names if condition else {}),
            "ExpressionAttributeValues": to_item(known | (condition.values if condition else {})),
        }
        if condition:
            arguments["ConditionExpression"] = condition.expression
        return self._write(
            lambda: self.region.dynamodb.update_item(
                TableName=self.name, Key=self._key(sk), **arguments
            )
        )

    def _write(self, write: Callable[[], object]) -> bool:
        for tries_left in reversed(range(CONFLICT_TRIES)):
            try:
                write()
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return False
                if error_code(error) != CONFLICT or not tries_left:
                    raise self._unavailable(error) from error
            except AwsError as error:
                raise self._unavailable(error) from error
            else:
                return True
            self.clock.sleep(CONFLICT_PAUSE)
        raise AssertionError("unreachable: the last try returns or raises")

    def _ask(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except AwsError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> TableUnavailable:
        return TableUnavailable(self.name, self.region.alias, str(error))


def to_item(values: Values) -> Item:
    """Plain values as DynamoDB attributes."""
    return {key: _SERIALIZER.serialize(_decimals(value)) for key, value in values.items()}


def from_item(item: Item) -> Values:
    """The plain values of an item."""
    return {key: _numbers(_DESERIALIZER.deserialize(value)) for key, value in item.items()}


def _decimals(value: Any) -> Any:
    match value:
        case bool():
            return value
        case float():
            return Decimal(str(value))
        case dict():
            return {key: _decimals(item) for key, item in value.items()}
        case list():
            return [_decimals(item) for item in value]
    return value


def _numbers(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {key: _numbers(item) for key, item in value.items()}
        case list():
            return [_numbers(item) for item in value]
    return value
