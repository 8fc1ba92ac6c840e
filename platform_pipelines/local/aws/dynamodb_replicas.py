"""Global tables with multi-Region strong consistency (MRSC): who is a member, and who is cut off.

All replicas of such a table are one record, registered in each replica's Region, so a conditional
write through any member with a majority is judged on the newest write, wherever it was made. What
a replica does not know yet is kept beside it, for its eventually consistent reads.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/multi-region-strong-consistency-gt.html
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Fault, Result
from platform_pipelines.local.world import World

Table = dict[str, Any]

GLOBAL = "_strong"  # in a table's record; see `join`
VERSION = "2019.11.21"
ACTIVE, CREATING, DELETING, UPDATING = "ACTIVE", "CREATING", "DELETING", "UPDATING"
CREATION_FAILED = "CREATION_FAILED"
# The Regions that one such table may be in.
_REGION_SETS = (
    {"us-east-1", "us-east-2", "us-west-2"},
    {"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
)
_INDEXES = "_index_members"  # ministack's cache over a table's items


def tables() -> Any:
    """ministack's store of tables, by account, Region and name."""
    return ministack.service("dynamodb")._tables


def check_can_join(table: Table) -> None:
    """Whether a table may become a global one. Raises: Fault."""
    refusal = None
    if table.get(GLOBAL):
        refusal = "Replicas can only be added when the table becomes a STRONG global table."
    elif any(table["items"].values()):
        refusal = "The table must be empty to become an MRSC table."
    elif table.get("LocalSecondaryIndexes"):
        refusal = "A table with STRONG consistency cannot have local secondary indexes."
    if refusal:
        raise Fault("ValidationException", refusal)


def check_members(every: list[str], witness: str | None, witnesses: int) -> None:
    """Whether these Regions can be the replicas and the witness. Raises: Fault."""
    members = {*every, *([witness] if witness else [])}
    if len(members) != 3 or len(set(every)) != len(every) or len(every) < 2 or witnesses > 1:
        raise Fault(
            "ValidationException",
            "A table with STRONG multi-Region consistency needs three Regions: three replicas, or "
            "two replicas and a witness.",
        )
    if not any(members <= one for one in _REGION_SETS):
        raise Fault(
            "ValidationException",
            "The replicas and the witness of a table with STRONG multi-Region consistency must be in "
            f"one Region set: {'; '.join(', '.join(sorted(one)) for one in _REGION_SETS)}.",
        )


def join(account: str, table: Table, region: str, replicas: list[str], witness: str | None) -> None:
    """Make a table the one record of all its replicas. Raises: Fault, if a name is taken."""
    for name in replicas:
        found = tables().get_scoped(account, name, table["TableName"])
        if found is not None and found is not table:
            raise Fault(
                "ValidationException",
                f"Failed to create the replica of table {table['TableName']} in {name}: a table "
                "of this name exists there.",
            )
    table[GLOBAL] = {
        "replicas": {name: ACTIVE if name == region else CREATING for name in replicas},
        "witness": {"region": witness, "status": CREATING} if witness else None,
        "protected": {region: table.get("DeletionProtectionEnabled", False)},
        "behind": {},  # by Region: what it does not know yet, as [pk, sk, old item, until]
        "held": {},  # by key: the Region of the last write, and when it was made
        "version": 0,  # of the items
    }
    for name in replicas:
        tables().set_scoped(account, name, table["TableName"], table)


def found(account: str, region: str, name: str) -> Table | None:
    """A table as its Region has it; the replicas' records are made one again after a restart."""
    table: Table | None = tables().get_scoped(account, region, name)
    if table is None or not table.get(GLOBAL):
        return table
    every = {one: tables().get_scoped(account, one, name) for one in table[GLOBAL]["replicas"]}
    members = [one for one in every.values() if one is not None and one.get(GLOBAL)]
    newest: Table = max(members, key=lambda one: int(one[GLOBAL]["version"]))
    for one, record in every.items():
        if record is not newest and record is not None:
            tables().set_scoped(account, one, name, newest)
    return newest


def members(table: Table) -> list[str]:
    """The Regions whose majority decides (AWS names)."""
    known = table[GLOBAL]
    witness = [known["witness"]["region"]] if known["witness"] else []
    return [*known["replicas"], *witness]


def mark(table: Table, regions: set[str], status: str) -> None:
    """Give members, the witness among them, another status."""
    known = table[GLOBAL]
    known["replicas"] |= {name: status for name in known["replicas"] if name in regions}
    if known["witness"] and known["witness"]["region"] in regions:
        known["witness"]["status"] = status


def part(account: str, table: Table, region: str) -> None:
    """Make an ordinary table of the replica in a Region; the others are gone."""
    known = table.pop(GLOBAL)
    for other in known["replicas"].keys() - {region}:
        tables().pop_scoped(account, other, table["TableName"], None)
    table["DeletionProtectionEnabled"] = known["protected"].get(region, False)


def has_majority(world: World, table: Table, region: str) -> bool:
    """Whether a replica reaches more than half of the table's Regions, itself among them."""
    if stores.dark(world, region):
        return False
    every = members(table)
    reached = [one for one in every if one == region or not stores.apart(world, region, one)]
    return len(reached) * 2 > len(every)


def key_of(table: Table, item: dict[str, Any]) -> tuple[str, str]:
    """Where ministack keeps an item: its partition, and its place there."""
    module = ministack.service("dynamodb")
    pk = module._extract_key_val(item.get(table["pk_name"]))
    name = table["sk_name"]
    return pk, module._extract_key_val(item.get(name)) if name else "__no_sort__"


def wrote(world: World, table: Table, region: str, old: Any, new: Any) -> None:
    """Note what the other replicas do not know yet after a write through one of them."""
    known = table[GLOBAL]
    known["version"] += 1
    pk, sk = key_of(table, new if new is not None else old)
    known["held"][f"{pk}\0{sk}"] = [region, world.now()]
    for replica in known["replicas"]:
        if replica != region:
            cut = not has_majority(world, table, replica)
            until = None if cut else world.now() + world.durations.dynamodb_replication
            known["behind"].setdefault(replica, []).append([pk, sk, old, until])


def catch_up(world: World, table: Table, region: str) -> None:
    """Forget what a replica knows by now."""
    known = table[GLOBAL]
    late = known["behind"].get(region)
    if not late:
        return
    linked = has_majority(world, table, region)
    late[:] = [one for one in late if not (linked if one[3] is None else one[3] <= world.now())]


@contextmanager
def as_known_in(account: str, table: Table, region: str) -> Iterator[None]:
    """Within the context, the table holds what a replica knows."""
    late = table[GLOBAL]["behind"].get(region)
    if not late:
        yield
        return
    items = defaultdict(dict, {pk: dict(rows) for pk, rows in table["items"].items()})
    for pk, sk, old, _until in reversed(late):
        if old is None:
            items[pk].pop(sk, None)
        else:
            items[pk][sk] = old
    known = {key: value for key, value in table.items() if key != _INDEXES}
    tables().set_scoped(account, region, table["TableName"], known | {"items": items})
    try:
        yield
    finally:
        tables().set_scoped(account, region, table["TableName"], table)


def view(description: Result, table: Table, region: str) -> Result:
    """A table's description as one of its Regions gives it; an ordinary table's is left as it is."""
    known = table.get(GLOBAL)
    if known is None:
        return description
    parts = table["TableArn"].split(":")
    own = known["replicas"][region]
    extra: Result = {
        "TableArn": ":".join([*parts[:3], region, *parts[4:]]),
        "TableStatus": description["TableStatus"] if own == ACTIVE else own,
        "GlobalTableVersion": VERSION,
        "MultiRegionConsistency": "STRONG",
        "DeletionProtectionEnabled": known["protected"].get(region, False),
        "Replicas": [
            {"RegionName": name, "ReplicaStatus": status}
            for name, status in sorted(known["replicas"].items())
        ],
    }
    if witness := known["witness"]:
        row = {"RegionName": witness["region"], "WitnessStatus": witness["status"]}
        extra["GlobalTableWitnesses"] = [row]
    return description | extra
