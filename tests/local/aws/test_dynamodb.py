from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.service import Fault
from tests.local.aws.regions import Regions

TABLE = "peccy-ledger"
KEY = {"pk": {"S": "peccy"}, "sk": {"S": "roles/current"}}


def make_table(regions: Regions) -> None:
    """An ordinary table in Seoul."""
    regions(
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


def make_strong(regions: Regions, witness: str = "ap-northeast-3") -> dict[str, Any]:
    """Make the table strongly consistent over Seoul, Tokyo and a witness."""
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


def epoch(regions: Regions, alias: str) -> int:
    """The epoch as a consistent read finds it."""
    answer = regions(alias, "dynamodb", "GetItem", TableName=TABLE, Key=KEY, ConsistentRead=True)
    return int(answer["Item"]["epoch"]["N"])


@pytest.fixture
def strong(regions: Regions) -> Regions:
    """Both Regions with the ledger's table."""
    make_table(regions)
    make_strong(regions)
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


def test_without_a_majority_nothing_is_written_or_read_consistently(strong: Regions) -> None:
    """An eventually consistent read still answers."""
    write(strong, "seoul", 1)
    strong.black_out("seoul")
    strong.black_out("tokyo")
    with pytest.raises(Fault, match="InternalServerError"):
        write(strong, "tokyo", 2, expected=1)
    with pytest.raises(Fault, match="InternalServerError"):
        epoch(strong, "tokyo")
    found = strong("tokyo", "dynamodb", "GetItem", TableName=TABLE, Key=KEY)
    assert found["Item"]["epoch"] == {"N": "1"}


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


def test_replicas_are_deleted_one_by_one(strong: Regions) -> None:
    """Each in its own Region."""
    strong("seoul", "dynamodb", "DeleteTable", TableName=TABLE)
    table = strong("tokyo", "dynamodb", "DescribeTable", TableName=TABLE)["Table"]
    assert [one["RegionName"] for one in table["Replicas"]] == ["ap-northeast-1"]
    strong("tokyo", "dynamodb", "DeleteTable", TableName=TABLE)
    assert strong("tokyo", "dynamodb", "ListTables")["TableNames"] == []


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
