"""DynamoDB: tables with their states, and global tables with multi-Region strong consistency.

Tables and items are ministack's; `dynamodb_guard` stands before its item operations, and
`dynamodb_replicas` knows the members of a global table. Eventually consistent global tables, PartiQL
and backups are not implemented here.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

from dataclasses import replace

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import dynamodb_replicas as replicas
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.dynamodb_guard import ITEMS, REFUSED, Guard
from platform_pipelines.local.aws.dynamodb_replicas import (
    ACTIVE,
    CREATING,
    CREATION_FAILED,
    DELETING,
    GLOBAL,
    UPDATING,
    Table,
)
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Params,
    Result,
    Service,
    not_implemented,
    operation,
)

CREATED, DELETED = "dynamodb_created", "dynamodb_deleted"
JOINED, LEFT = "dynamodb_joined", "dynamodb_left"
LISTED = 100  # names in a page
# What a new table can take at once.
_WARM = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
_BUSY = "ResourceInUseException"
_PROTECTED = (
    "Resource cannot be deleted as it is currently protected against deletion. "
    "Disable deletion protection first."
)
_TOGETHER = (
    "A single replica or witness of a table with STRONG consistency cannot be deleted: "
    "delete all other members in one request of UpdateTable."
)
_MEMBERS = ("ReplicaUpdates", "GlobalTableWitnessUpdates", "MultiRegionConsistency")


class DynamoDb(Service):
    """Table operations; items are ministack's, behind the guard."""

    name = "dynamodb"
    passes = frozenset(
        {
            *ITEMS,
            *REFUSED,
            *("DescribeEndpoints", "DescribeLimits", "DescribeTimeToLive"),
            *("TagResource", "UntagResource", "ListTagsOfResource"),
            *("DescribeContinuousBackups", "UpdateContinuousBackups"),
            *("GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
        }
    )

    def start(self) -> None:
        for kind, handler in (
            (CREATED, self._created),
            (DELETED, self._deleted),
            (JOINED, self._joined),
            (LEFT, self._left),
        ):
            self.world.timers.on(kind, handler)
        Guard(self.world).install()

    @operation(raises=(_BUSY, "ValidationException"), states="CREATING → ACTIVE")
    def CreateTable(self, call: Call) -> Result:  # noqa: N802
        stores.ask(call)
        table = self._table(call)
        table |= {"TableStatus": CREATING, "WarmThroughput": dict(_WARM)}
        self._later("dynamodb_table_creating", CREATED, call)
        return {"TableDescription": self._describe(call, table)}

    @operation(raises=("ResourceNotFoundException",))
    def DescribeTable(self, call: Call) -> Result:  # noqa: N802
        return {"Table": self._describe(call, self._table(call))}

    @operation(raises=("ValidationException",))
    def ListTables(self, call: Call) -> Result:  # noqa: N802
        after = call.params.get("ExclusiveStartTableName", "")
        limit = min(call.params.get("Limit", LISTED), LISTED)
        names = [name for name in sorted(replicas.tables().keys()) if name > after]
        more = {"LastEvaluatedTableName": names[limit - 1]} if len(names) > limit else {}
        return {"TableNames": names[:limit]} | more

    @operation(
        raises=(_BUSY, "ResourceNotFoundException", "ValidationException"), states="DELETING → gone"
    )
    def DeleteTable(self, call: Call) -> Result:  # noqa: N802
        table = self._settled(call)
        known = table.get(GLOBAL)
        protected = known["protected"].get(call.region) if known else None
        if protected if known else table.get("DeletionProtectionEnabled"):
            raise Fault("ValidationException", _PROTECTED)
        if known:
            raise Fault("ValidationException", _TOGETHER)
        table["TableStatus"] = DELETING
        self._later("dynamodb_table_deleting", DELETED, call)
        return {"TableDescription": self._describe(call, table)}

    @operation(
        raises=(_BUSY, "NotImplemented", "ResourceNotFoundException", "ValidationException"),
        states="UPDATING → ACTIVE; replica CREATING → ACTIVE | CREATION_FAILED, DELETING → gone",
    )
    def UpdateTable(self, call: Call) -> Result:  # noqa: N802
        table = self._settled(call)
        if any(call.params.get(name) for name in _MEMBERS):
            self._change_members(call, table)
        elif table.get(GLOBAL) and "DeletionProtectionEnabled" in call.params:
            wanted = call.params["DeletionProtectionEnabled"]
            table[GLOBAL]["protected"][call.region] = wanted
        else:
            stores.ask(call)
        return {"TableDescription": self._describe(call, table)}

    def _change_members(self, call: Call, table: Table) -> None:
        asked = [*call.params.get("ReplicaUpdates", [])]
        witnesses = [*call.params.get("GlobalTableWitnessUpdates", [])]
        if table.get(GLOBAL) and all("Delete" in one for one in [*asked, *witnesses]):
            self._dissolve(call, table, asked, witnesses)
        elif call.params.get("MultiRegionConsistency") != "STRONG":
            raise not_implemented("A global table with eventual consistency")
        else:
            replicas.check_can_join(table)
            others = [one["Create"]["RegionName"] for one in asked if "Create" in one]
            named = [one["Create"]["RegionName"] for one in witnesses if "Create" in one]
            every, witness = [call.region, *others], next(iter(named), None)
            replicas.check_members(every, witness, len(named))
            replicas.join(call.account, table, call.region, every, witness)
            table["TableStatus"] = UPDATING
            self._later("dynamodb_replica", JOINED, call)

    def _dissolve(
        self, call: Call, table: Table, asked: list[Params], witnesses: list[Params]
    ) -> None:
        """Take all other members away together; see `_left`."""
        gone = {one["Delete"]["RegionName"] for one in [*asked, *witnesses]}
        if gone != {*replicas.members(table)} - {call.region}:
            raise Fault("ValidationException", _TOGETHER)
        if any(table[GLOBAL]["protected"].get(region) for region in gone):
            raise Fault("ValidationException", _PROTECTED)
        replicas.mark(table, gone, DELETING)
        table["TableStatus"] = UPDATING
        self._later("dynamodb_replica", LEFT, call)

    def _later(self, duration: str, kind: str, call: Call) -> None:
        self.world.transition(
            duration,
            kind,
            region=call.region,
            resource=_name(call),
            account=call.account,
            place=call.region,
            table=_name(call),
        )

    def _created(self, account: str, place: str, table: str, failed: bool = False) -> None:
        """A table whose creation fails is not there any more."""
        record = replicas.found(account, place, table)
        if record and failed:
            replicas.tables().pop_scoped(account, place, table, None)
        elif record and record["TableStatus"] == CREATING:
            record["TableStatus"] = ACTIVE

    def _deleted(self, account: str, place: str, table: str, failed: bool = False) -> None:
        """A deletion that fails leaves the table as it was."""
        record = replicas.found(account, place, table)
        if record is None:
            return
        if failed:
            record["TableStatus"] = ACTIVE
        else:
            self._forget(account, place, record)

    def _forget(self, account: str, place: str, table: Table) -> None:
        table |= {"TableStatus": ACTIVE, "DeletionProtectionEnabled": False}
        call = Call(
            service=self.name,
            operation="DeleteTable",
            params={"TableName": table["TableName"]},
            region=place,
            account=account,
            request_id="local",
        )
        with ministack.scope(account, place):
            stores.ask(call)

    def _joined(self, account: str, place: str, table: str, failed: bool = False) -> None:
        record = replicas.found(account, place, table)
        if record is None or not record.get(GLOBAL):
            return
        known = record[GLOBAL]
        ending = CREATION_FAILED if failed else ACTIVE
        for region, status in known["replicas"].items():
            known["replicas"][region] = ending if status == CREATING else status
        if known["witness"] and not failed:
            known["witness"]["status"] = ACTIVE
        record["TableStatus"] = ACTIVE

    def _left(self, account: str, place: str, table: str, failed: bool = False) -> None:
        """What is left is an ordinary table; or all members stay."""
        record = replicas.found(account, place, table)
        if record is None or not record.get(GLOBAL):
            return
        record["TableStatus"] = ACTIVE
        if failed:
            replicas.mark(record, {*replicas.members(record)}, ACTIVE)
        else:
            replicas.part(account, record, place)

    def _describe(self, call: Call, table: Table) -> Result:
        asked = replace(call, operation="DescribeTable", params={"TableName": table["TableName"]})
        return replicas.view(stores.ask(asked)["Table"], table, call.region)

    def _table(self, call: Call) -> Table:
        table = replicas.found(call.account, call.region, _name(call))
        if table is None:
            message = f"Requested resource not found: Table: {_name(call)} not found"
            raise Fault("ResourceNotFoundException", message)
        return table

    def _settled(self, call: Call) -> Table:
        """A table that may be changed now."""
        table = self._table(call)
        known = table.get(GLOBAL)
        statuses = {table["TableStatus"], *([known["replicas"][call.region]] if known else [])}
        if busy := statuses & {CREATING, DELETING, UPDATING}:
            word = {CREATING: "created", DELETING: "deleted", UPDATING: "updated"}[min(busy)]
            message = (
                "Attempt to change a resource which is still in use: "
                f"Table is being {word}: {table['TableName']}"
            )
            raise Fault(_BUSY, message)
        return table


def _name(call: Call) -> str:
    return str(call.params["TableName"]).rpartition("/")[2]
