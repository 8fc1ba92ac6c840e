import copy
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import Outage
from tests.local.aws.regions import Regions

TABLE = "peccy-ledger"
KEY = {"pk": {"S": "peccy"}, "sk": {"S": "roles/current"}}


def make_table(regions: Regions) -> None:
    """An ordinary table in Seoul, when it is ready."""
    create(regions)
    regions.advance(8)


def create(regions: Regions) -> dict[str, Any]:
    """Ask for a table in Seoul."""
    answer = regions(
        "seoul",
        "dynamodb",
        "CreateTable",
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    table: dict[str, Any] = answer["TableDescription"]
    return table


def make_strong(regions: Regions, witness: str = "ap-northeast-3") -> dict[str, Any]:
    """Ask for strong consistency over Seoul, Tokyo and a witness."""
    answer = regions(
        "seoul",
        "dynamodb",
        "UpdateTable",
        TableName=TABLE,
        MultiRegionConsistency="STRONG",
        ReplicaUpdates=[{"Create": {"RegionName": "ap-northeast-1"}}],
        GlobalTableWitnessUpdates=[{"Create": {"RegionName": witness}}],
    )
    table: dict[str, Any] = answer["TableDescription"]
    return table


def write(regions: Regions, alias: str, epoch: int, expected: int | None = None) -> None:
    """Write the roles, if the epoch is still as expected."""
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if expected is not None:
        condition = {
            "ConditionExpression": "epoch = :expected",
            "ExpressionAttributeValues": {":expected": {"N": str(expected)}},
        }
    item = KEY | {"epoch": {"N": str(epoch)}}
    regions(alias, "dynamodb", "PutItem", TableName=TABLE, Item=item, **condition)


def epoch(regions: Regions, alias: str, consistent: bool = True) -> int:
    """The epoch as a read finds it."""
    answer = regions(
        alias, "dynamodb", "GetItem", TableName=TABLE, Key=KEY, ConsistentRead=consistent
    )
    return int(answer["Item"]["epoch"]["N"])


@pytest.fixture
def strong(regions: Regions) -> Regions:
    """Both Regions with the ledger's table."""
    make_table(regions)
    make_strong(regions)
    regions.advance(60)
    return regions


def test_both_regions_describe_the_table_with_its_members(strong: Regions) -> None:
    """Replicas, witness and consistency; the ARN is each Region's own."""
    for alias in ("seoul", "tokyo"):
        table = strong(alias, "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
        assert table["MultiRegionConsistency"] == "STRONG"
        assert {one["RegionName"]: one["ReplicaStatus"] for one in table["Replicas"]} == {
            "ap-northeast-1": "ACTIVE",
            "ap-northeast-2": "ACTIVE",
        }
        assert table["GlobalTableWitnesses"] == [
            {"RegionName": "ap-northeast-3", "WitnessStatus": "ACTIVE"}
        ]
        assert table["TableArn"].split(":")[3] == strong.name(alias)


def test_a_write_in_one_region_is_read_in_the_other(strong: Regions) -> None:
    """At once, and the other way round."""
    write(strong, "seoul", 1)
    assert epoch(strong, "tokyo") == 1
    write(strong, "tokyo", 2, expected=1)
    assert epoch(strong, "seoul") == 2
    table = strong("tokyo", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert table["ItemCount"] == 1


def test_only_one_region_can_take_the_next_epoch(strong: Regions) -> None:
    """A condition is judged on the newest write, wherever it was made."""
    write(strong, "seoul", 1)
    write(strong, "tokyo", 2, expected=1)
    with pytest.raises(Fault, match="ConditionalCheckFailedException"):
        write(strong, "seoul", 2, expected=1)


def test_a_dark_region_does_not_stop_the_other(strong: Regions) -> None:
    """The replica and the witness are a majority."""
    write(strong, "seoul", 1)
    strong.black_out("seoul")
    write(strong, "tokyo", 2, expected=1)
    assert epoch(strong, "tokyo") == 2


def cut_off(regions: Regions, alias: str) -> None:
    """Part a Region from the other and the witness."""
    other = regions.world.platform.other(alias).alias
    for place in (other, "ap-northeast-3"):
        regions.world.partitions.add(frozenset({alias, place}))


def test_a_cut_off_replica_writes_nothing_and_reads_nothing_consistently(strong: Regions) -> None:
    """The other side goes on; what the replica knew it still tells who asks for no more."""
    write(strong, "seoul", 1)
    strong.advance(1)
    cut_off(strong, "tokyo")
    write(strong, "seoul", 2, expected=1)
    with pytest.raises(Fault, match="InternalServerError"):
        write(strong, "tokyo", 3, expected=2)
    with pytest.raises(Fault, match="InternalServerError"):
        epoch(strong, "tokyo")
    strong.advance(600)
    assert epoch(strong, "tokyo", consistent=False) == 1
    assert epoch(strong, "seoul") == 2
    strong.world.partitions.clear()
    assert epoch(strong, "tokyo", consistent=False) == 2


def test_one_lost_link_does_not_cut_a_replica_off(strong: Regions) -> None:
    """Each still has a majority with the witness."""
    strong.world.partitions.add(frozenset({"seoul", "tokyo"}))
    write(strong, "seoul", 1)
    write(strong, "tokyo", 2, expected=1)
    assert epoch(strong, "seoul") == 2


def test_an_eventually_consistent_read_may_be_old(strong: Regions) -> None:
    """In the other Region, for a moment; Query and Scan see the same."""
    write(strong, "seoul", 1)
    strong.advance(1)
    write(strong, "seoul", 2, expected=1)
    assert epoch(strong, "tokyo", consistent=False) == 1
    found = strong("tokyo", "dynamodb", "Scan", TableName=TABLE)["Items"]
    assert [item["epoch"] for item in found] == [{"N": "1"}]
    assert epoch(strong, "seoul", consistent=False) == 2
    assert epoch(strong, "tokyo") == 2
    strong.advance(1)
    assert epoch(strong, "tokyo", consistent=False) == 2


def test_a_new_item_is_not_there_yet_and_a_deleted_one_still_is(strong: Regions) -> None:
    """For who reads without consistency in the other Region."""
    write(strong, "seoul", 1)
    found = strong("tokyo", "dynamodb", "GetItem", TableName=TABLE, Key=KEY)
    assert "Item" not in found
    strong.advance(1)
    strong("seoul", "dynamodb", "DeleteItem", TableName=TABLE, Key=KEY)
    assert epoch(strong, "tokyo", consistent=False) == 1


def test_writes_of_two_regions_at_once_conflict(strong: Regions) -> None:
    """While one is in flight, if the world is told how long that takes."""
    in_flight = {"dynamodb_write_in_flight": 0.2}
    strong.world.durations = strong.world.durations.model_copy(update=in_flight)
    write(strong, "seoul", 1)
    with pytest.raises(Fault, match="ReplicatedWriteConflictException"):
        write(strong, "tokyo", 2, expected=1)
    write(strong, "seoul", 2, expected=1)
    strong.advance(0.2)
    write(strong, "tokyo", 3, expected=2)


def test_a_region_whose_data_plane_is_lost_tells_no_items(strong: Regions) -> None:
    """Its tables can still be described."""
    write(strong, "tokyo", 1)
    strong.world.outages["tokyo"] = Outage.DATA_PLANE
    with pytest.raises(Fault, match="InternalServerError"):
        epoch(strong, "tokyo", consistent=False)
    assert strong("tokyo", "dynamodb", "DescribeTable", TableName=TABLE)
    assert epoch(strong, "seoul") == 1


def test_transactions_and_time_to_live_are_refused(strong: Regions) -> None:
    """Strongly consistent tables do not have them."""
    put = {"Put": {"TableName": TABLE, "Item": KEY}}
    with pytest.raises(Fault, match="ValidationException"):
        strong("seoul", "dynamodb", "TransactWriteItems", TransactItems=[put])
    spec = {"Enabled": True, "AttributeName": "until"}
    with pytest.raises(Fault, match="ValidationException"):
        strong(
            "seoul", "dynamodb", "UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification=spec
        )


def test_a_strong_table_needs_three_regions_and_no_items(regions: Regions) -> None:
    """The witness must be a third one; what holds items cannot become strong."""
    make_table(regions)
    with pytest.raises(Fault, match="three Regions"):
        make_strong(regions, witness="ap-northeast-1")
    with pytest.raises(Fault, match="one Region set"):
        make_strong(regions, witness="us-east-1")
    write(regions, "seoul", 1)
    with pytest.raises(Fault, match="empty"):
        make_strong(regions)


def test_an_ordinary_table_stays_in_its_region(regions: Regions) -> None:
    """And takes transactions."""
    make_table(regions)
    put = {"Put": {"TableName": TABLE, "Item": KEY}}
    regions("seoul", "dynamodb", "TransactWriteItems", TransactItems=[put])
    table = regions("seoul", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert "MultiRegionConsistency" not in table
    with pytest.raises(Fault, match="ResourceNotFoundException"):
        regions("tokyo", "dynamodb", "DescribeTable", TableName=TABLE)


OTHERS: dict[str, Any] = {
    "ReplicaUpdates": [{"Delete": {"RegionName": "ap-northeast-1"}}],
    "GlobalTableWitnessUpdates": [{"Delete": {"RegionName": "ap-northeast-3"}}],
}


def test_no_replica_is_deleted_alone(strong: Regions) -> None:
    """The other members go first, together; what is left is deleted as any table."""
    for alias in ("seoul", "tokyo"):
        with pytest.raises(Fault, match=r"ValidationException.*delete all other members"):
            strong(alias, "dynamodb", "DeleteTable", TableName=TABLE)
    strong("seoul", "dynamodb", "UpdateTable", TableName=TABLE, **OTHERS)
    with pytest.raises(Fault, match=r"ResourceInUseException.*being updated"):
        strong("seoul", "dynamodb", "DeleteTable", TableName=TABLE)
    strong.advance(60)
    gone = strong("seoul", "dynamodb", "DeleteTable", TableName=TABLE)["TableDescription"]
    assert gone["TableStatus"] == "DELETING"
    with pytest.raises(Fault, match=r"ResourceInUseException.*being deleted"):
        strong("seoul", "dynamodb", "DeleteTable", TableName=TABLE)
    strong.advance(8)
    assert strong("seoul", "dynamodb", "ListTables")["TableNames"] == []


def test_the_other_members_are_removed_together(strong: Regions) -> None:
    """What is left after a while is an ordinary table."""
    write(strong, "seoul", 1)
    with pytest.raises(Fault, match="single replica or witness"):
        strong(
            "seoul",
            "dynamodb",
            "UpdateTable",
            TableName=TABLE,
            ReplicaUpdates=OTHERS["ReplicaUpdates"],
        )
    answer = strong("seoul", "dynamodb", "UpdateTable", TableName=TABLE, **OTHERS)
    table = answer["TableDescription"]
    told = table["Replicas"][0]["ReplicaStatus"], table["GlobalTableWitnesses"][0]["WitnessStatus"]
    assert (table["TableStatus"], *told) == ("UPDATING", "DELETING", "DELETING")
    going = strong("tokyo", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert going["TableStatus"] == "DELETING"
    strong.advance(60)
    left = strong("seoul", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert left["TableStatus"] == "ACTIVE"
    assert "MultiRegionConsistency" not in left
    assert strong("tokyo", "dynamodb", "ListTables")["TableNames"] == []
    assert epoch(strong, "seoul") == 1


def test_members_that_cannot_be_removed_stay(strong: Regions) -> None:
    """All of them, and the table is as it was."""
    fault = {"kind": "transition", "transition": "dynamodb_replica", "ending": "failed"}
    strong.world.faults.add(fault | {"resource": TABLE})
    before = strong("seoul", "dynamodb", "DescribeTable", TableName=TABLE)
    strong("seoul", "dynamodb", "UpdateTable", TableName=TABLE, **OTHERS)
    strong.advance(60)
    assert strong("seoul", "dynamodb", "DescribeTable", TableName=TABLE) == before


def test_a_table_is_created_and_takes_items_only_then(regions: Regions) -> None:
    """CREATING, then ACTIVE; a change of a table that is not ready is refused."""
    assert create(regions)["TableStatus"] == "CREATING"
    with pytest.raises(Fault, match="ResourceNotFoundException"):
        write(regions, "seoul", 1)
    with pytest.raises(Fault, match=r"ResourceInUseException.*being created"):
        make_strong(regions)
    regions.advance(8)
    table = regions("seoul", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert table["TableStatus"] == "ACTIVE"
    write(regions, "seoul", 1)


def test_replicas_and_witness_take_a_while(regions: Regions) -> None:
    """The first replica is usable meanwhile, the new one is not."""
    make_table(regions)
    table = make_strong(regions)
    assert table["TableStatus"] == "UPDATING"
    statuses = {one["RegionName"]: one["ReplicaStatus"] for one in table["Replicas"]}
    assert statuses == {"ap-northeast-1": "CREATING", "ap-northeast-2": "ACTIVE"}
    assert table["GlobalTableWitnesses"][0]["WitnessStatus"] == "CREATING"
    other = regions("tokyo", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert other["TableStatus"] == "CREATING"
    with pytest.raises(Fault, match="ResourceNotFoundException"):
        epoch(regions, "tokyo")


@pytest.mark.parametrize(
    ("transition", "status"),
    [("dynamodb_replica", "CREATION_FAILED"), ("route53_change", "ACTIVE")],
)
def test_a_replica_may_fail(regions: Regions, transition: str, status: str) -> None:
    """If a fault says so."""
    make_table(regions)
    regions.world.faults.add({"kind": "transition", "transition": transition, "ending": "failed"})
    make_strong(regions)
    regions.advance(60)
    table = regions("seoul", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    statuses = {one["RegionName"]: one["ReplicaStatus"] for one in table["Replicas"]}
    assert statuses["ap-northeast-1"] == status


def test_deletion_protection_is_each_replicas_own(strong: Regions) -> None:
    """It is not replicated: a protected one goes neither alone nor with the others."""
    strong("tokyo", "dynamodb", "UpdateTable", TableName=TABLE, DeletionProtectionEnabled=True)
    with pytest.raises(Fault, match=r"ValidationException.*protected"):
        strong("tokyo", "dynamodb", "DeleteTable", TableName=TABLE)
    with pytest.raises(Fault, match=r"ValidationException.*protected"):
        strong("seoul", "dynamodb", "UpdateTable", TableName=TABLE, **OTHERS)
    table = strong("seoul", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert not table["DeletionProtectionEnabled"]


def test_eventually_consistent_global_tables_are_not_implemented(regions: Regions) -> None:
    """And say so at once."""
    make_table(regions)
    replica = [{"Create": {"RegionName": "ap-northeast-1"}}]
    with pytest.raises(Fault, match="NotImplemented"):
        regions("seoul", "dynamodb", "UpdateTable", TableName=TABLE, ReplicaUpdates=replica)


def test_tables_are_listed_in_pages(regions: Regions) -> None:
    """By name; the last page has no end."""
    for name in ("one", "three", "two"):
        regions(
            "seoul",
            "dynamodb",
            "CreateTable",
            TableName=f"table-{name}",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
    first = regions("seoul", "dynamodb", "ListTables", Limit=2)
    assert first == {
        "TableNames": ["table-one", "table-three"],
        "LastEvaluatedTableName": "table-three",
    }
    rest = regions("seoul", "dynamodb", "ListTables", ExclusiveStartTableName="table-three")
    assert rest == {"TableNames": ["table-two"]}


def test_the_replicas_are_one_again_after_a_restart(strong: Regions) -> None:
    """The store keeps each by itself; the newest is taken."""
    tables = ministack.service("dynamodb")._tables
    old = copy.deepcopy(tables.get_scoped("111122223333", "ap-northeast-2", TABLE))
    write(strong, "tokyo", 1)
    tables.set_scoped("111122223333", "ap-northeast-2", TABLE, old)
    assert epoch(strong, "seoul") == 1
    write(strong, "seoul", 2, expected=1)
    assert epoch(strong, "tokyo") == 2


def test_items_are_queried_and_updated_as_usual(strong: Regions) -> None:
    """Expressions are ministack's."""
    write(strong, "seoul", 1)
    strong(
        "tokyo",
        "dynamodb",
        "UpdateItem",
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET epoch = epoch + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    found = strong(
        "seoul",
        "dynamodb",
        "Query",
        TableName=TABLE,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :roles)",
        ExpressionAttributeValues={":pk": {"S": "peccy"}, ":roles": {"S": "roles/"}},
    )
    assert [item["epoch"] for item in found["Items"]] == [{"N": "2"}]


def test_the_record_is_shared_not_copied(strong: Regions) -> None:
    """So no replica can fall behind another."""
    tables = ministack.service("dynamodb")._tables
    seoul, tokyo = (
        tables.get_scoped("111122223333", strong.name(alias), TABLE) for alias in ("seoul", "tokyo")
    )
    assert seoul is tokyo
