"""ministack's state in the world's file: what changed is written, what was written comes back."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines import model
from platform_pipelines.local import ministack, ministack_rows
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.service import Call
from platform_pipelines.local.ministack_state import MinistackState
from tests.local_world import PLATFORM

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"
ACCOUNT = "111122223333"
TABLE: dict[str, Any] = {
    "TableName": "ledger",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}


def ask(service: str, operation: str, region: str = SEOUL, **params: Any) -> dict[str, Any]:
    """What ministack answers in a Region. Raises: Fault."""
    with ministack.scope(ACCOUNT, region):
        return stores.ask(
            Call(
                service=service,
                operation=operation,
                params=params,
                region=region,
                account=ACCOUNT,
                request_id="test",
            )
        )


class Disk:
    """What a vault would hold of the part."""

    def __init__(self, part: MinistackState) -> None:
        self.part = part
        self.rows: dict[str, bytes] = {}

    def commit(self) -> dict[str, bytes | None]:
        """Write what changed, and tell it."""
        changed = dict(self.part.changed())
        for key, row in changed.items():
            if row is None:
                del self.rows[key]
            else:
                self.rows[key] = row
        return changed

    def go_back(self) -> None:
        """Restore what was written."""
        self.part.restore(dict(self.rows))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """An empty ministack, whose state was written once."""
    ministack.configure(model.load(PLATFORM), tmp_path, port=1)
    made = Disk(MinistackState())
    made.part.restore({})
    made.commit()
    yield made
    made.part.restore({})


def test_a_quiet_world_writes_nothing(disk: Disk) -> None:
    """Neither at once nor after reads."""
    ask("s3", "CreateBucket", Bucket="traffic-1")
    disk.commit()
    ask("s3", "ListBuckets")
    ask("ec2", "DescribeVpcs")
    disk.commit()  # EC2 made the default VPC at the first look
    ask("ec2", "DescribeVpcs")
    ask("s3", "ListBuckets")
    assert disk.commit() == {}


def test_an_item_is_written_without_its_table(disk: Disk) -> None:
    """So a write costs one item, however long the table is."""
    ask("dynamodb", "CreateTable", **TABLE)
    for number in range(50):
        ask("dynamodb", "PutItem", TableName="ledger", Item={"pk": {"S": f"old-{number}"}})
    disk.commit()
    ask("dynamodb", "PutItem", TableName="ledger", Item={"pk": {"S": "new"}, "n": {"N": "1"}})
    items = [row for row in disk.commit().values() if row and b"old-" in row]
    assert items == []


def test_items_come_back_changed_and_deleted_as_they_were(disk: Disk) -> None:
    """And the table goes on working after it."""
    ask("dynamodb", "CreateTable", **TABLE)
    for name in ("kept", "changed", "deleted"):
        ask("dynamodb", "PutItem", TableName="ledger", Item={"pk": {"S": name}})
    disk.commit()
    item = {"pk": {"S": "changed"}, "at": {"N": "2"}}
    ask("dynamodb", "PutItem", TableName="ledger", Item=item)
    ask("dynamodb", "DeleteItem", TableName="ledger", Key={"pk": {"S": "deleted"}})
    disk.commit()
    ask("dynamodb", "PutItem", TableName="ledger", Item={"pk": {"S": "never committed"}})
    disk.go_back()
    found = ask("dynamodb", "Scan", TableName="ledger")["Items"]
    assert sorted(one["pk"]["S"] for one in found) == ["changed", "kept"]
    assert (
        ask("dynamodb", "GetItem", TableName="ledger", Key={"pk": {"S": "changed"}})["Item"] == item
    )
    ask("dynamodb", "PutItem", TableName="ledger", Item={"pk": {"S": "more"}})
    disk.commit()
    disk.go_back()
    assert ask("dynamodb", "Scan", TableName="ledger")["Count"] == 3


def test_replicas_that_are_one_record_stay_one(disk: Disk) -> None:
    """A write in one Region is seen in the other after a restore, too; and after one replica went."""
    ask("dynamodb", "CreateTable", **TABLE)
    tables = ministack.service("dynamodb")._tables
    tables.set_scoped(ACCOUNT, TOKYO, "ledger", tables.get_scoped(ACCOUNT, SEOUL, "ledger"))
    disk.commit()
    disk.go_back()
    ask("dynamodb", "PutItem", TableName="ledger", Item={"pk": {"S": "seen"}})
    assert ask("dynamodb", "Scan", TOKYO, TableName="ledger")["Count"] == 1
    disk.commit()
    tables.pop_scoped(ACCOUNT, SEOUL, "ledger")
    disk.commit()
    disk.go_back()
    assert ask("dynamodb", "ListTables")["TableNames"] == []
    assert ask("dynamodb", "Scan", TOKYO, TableName="ledger")["Count"] == 1


def test_objects_and_their_data_come_back(disk: Disk) -> None:
    """Also older versions of them, and in order."""
    ask("s3", "CreateBucket", Bucket="traffic-1")
    enabled = {"Status": "Enabled"}
    ask("s3", "PutBucketVersioning", Bucket="traffic-1", VersioningConfiguration=enabled)
    for body in (b"first", b"second"):
        ask("s3", "PutObject", Bucket="traffic-1", Key="serving", Body=body)
    disk.commit()
    ask("s3", "DeleteObject", Bucket="traffic-1", Key="serving")
    disk.go_back()
    with ministack.scope(ACCOUNT, SEOUL):
        stored = ministack.service("s3")._buckets.get("traffic-1")["objects"]["serving"]
    assert stored["body"] == b"second"
    versions = ask("s3", "ListObjectVersions", Bucket="traffic-1")["Versions"]
    assert [one["IsLatest"] for one in versions] == [True, False]


def test_a_changed_object_is_written_without_its_neighbours(disk: Disk) -> None:
    """And an object that went is gone from the file."""
    ask("s3", "CreateBucket", Bucket="traffic-1")
    for key in ("big", "serving"):
        ask("s3", "PutObject", Bucket="traffic-1", Key=key, Body=key.encode() * 1000)
    disk.commit()
    ask("s3", "DeleteObject", Bucket="traffic-1", Key="serving")
    changed = disk.commit()
    assert [key for key, row in changed.items() if row is None and "serving" in key]
    assert not [key for key, row in changed.items() if row and b"bigbig" in row]


def test_a_metrics_new_point_is_written_without_its_past(disk: Disk) -> None:
    """Hours that are over are not written again, and all points come back in order."""
    metrics = ministack.service("cloudwatch")._metrics
    key = ("AWS/RDS", "AuroraGlobalDBReplicationLag", "")
    points = [{"Timestamp": 60.0 * minute, "Value": minute} for minute in range(180)]
    metrics.set_scoped(ACCOUNT, SEOUL, key, points[:-1])
    disk.commit()
    metrics.set_scoped(ACCOUNT, SEOUL, key, points[60:])  # the first hour is too old
    changed = disk.commit()
    assert sorted(row is None for row in changed.values()) == [False, True]
    disk.go_back()
    assert metrics.get_scoped(ACCOUNT, SEOUL, key) == points[60:]


def test_a_key_still_decrypts_what_it_encrypted(disk: Disk) -> None:
    """Key material is state."""
    key = ask("kms", "CreateKey")["KeyMetadata"]["KeyId"]
    signing = ask("kms", "CreateKey", KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]
    cipher = ask("kms", "Encrypt", KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    public = ask("kms", "GetPublicKey", KeyId=signing["KeyId"])["PublicKey"]
    disk.commit()
    disk.go_back()
    assert ask("kms", "Decrypt", CiphertextBlob=cipher)["Plaintext"] == b"secret"
    assert ask("kms", "GetPublicKey", KeyId=signing["KeyId"])["PublicKey"] == public


def test_a_listing_keeps_its_order(disk: Disk) -> None:
    """Records come back in the order in which they came."""
    blocks = [f"10.{number}.0.0/16" for number in (9, 3, 7, 1)]
    for block in blocks:
        ask("ec2", "CreateVpc", CidrBlock=block)
    disk.commit()
    disk.go_back()
    found = [one["CidrBlock"] for one in ask("ec2", "DescribeVpcs")["Vpcs"]]
    assert [block for block in found if block in blocks] == blocks


def test_the_default_network_is_made_once(disk: Disk) -> None:
    """What ministack remembers besides its stores is kept, too."""
    before = ask("ec2", "DescribeVpcs")["Vpcs"]
    for vpc in before:
        ministack.service("ec2")._vpcs.pop_scoped(ACCOUNT, SEOUL, vpc["VpcId"])
    disk.commit()
    disk.go_back()
    assert before
    assert ask("ec2", "DescribeVpcs")["Vpcs"] == []


def test_a_record_held_since_an_earlier_call_is_compared_when_told(disk: Disk) -> None:
    """Whoever changes one without asking the store for it calls `touch`."""
    file_systems = ministack.service("efs")._file_systems
    record = {"FileSystemId": "fs-1", "State": "creating"}
    file_systems.set_scoped(ACCOUNT, SEOUL, "fs-1", record)
    disk.commit()
    record["State"] = "available"
    assert disk.commit() == {}
    disk.part.touch("efs")
    assert [key for key in disk.commit() if "fs-1" in key]


def test_an_empty_world_forgets_all(disk: Disk) -> None:
    """A restore replaces what is there."""
    ask("s3", "CreateBucket", Bucket="traffic-1")
    ask("iam", "CreateOpenIDConnectProvider", Url="https://a.example", ThumbprintList=["0" * 40])
    disk.part.restore({})
    assert ask("s3", "ListBuckets").get("Buckets", []) == []
    assert ask("iam", "ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == []


def test_a_row_of_anything_else_is_refused() -> None:
    """Neither written, as it could not be read, nor read, as it could run code."""
    with pytest.raises(TypeError, match="cannot be kept"):
        ministack_rows.write({"lock": Disk})
    with pytest.raises(pickle.UnpicklingError, match="no part of a world"):
        ministack_rows.read(pickle.dumps(Path("/")))
