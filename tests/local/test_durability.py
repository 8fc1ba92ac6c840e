"""A world outlives its server, however that ends, and can be gone back to while it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests import local_world
from tests.local_world import LocalWorld

TABLE: dict[str, Any] = {
    "TableName": "ledger",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}
BUCKET = "traffic-durable"


def build(world: LocalWorld) -> dict[str, str]:
    """Something of every kind; the ids that AWS gave."""
    s3, ec2, dynamodb = world.aws("s3"), world.aws("ec2"), world.aws("dynamodb")
    where = {"LocationConstraint": world.platform.region("seoul").name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    s3.put_object(Bucket=BUCKET, Key="serving", Body=b"tokyo", Metadata={"epoch": "2"})
    dynamodb.create_table(**TABLE)
    dynamodb.get_waiter("table_exists").wait(TableName="ledger", WaiterConfig={"Delay": 1})
    dynamodb.put_item(TableName="ledger", Item={"pk": {"S": "roles"}, "epoch": {"N": "2"}})
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    key = world.aws("kms", "tokyo").create_key()["KeyMetadata"]["KeyId"]
    return {"vpc": vpc, "nat": made["NatGatewayId"], "key": key}


def epoch(world: LocalWorld) -> str:
    """What the table says."""
    item = world.aws("dynamodb").get_item(TableName="ledger", Key={"pk": {"S": "roles"}})["Item"]
    return str(item["epoch"]["N"])


def served(world: LocalWorld) -> bytes:
    """What the object says."""
    body: bytes = world.aws("s3").get_object(Bucket=BUCKET, Key="serving")["Body"].read()
    return body


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    """With objects, items, keys and ids; and what was under way ends."""
    with local_world.start(tmp_path, speed=50, durations={"nat_gateway_creating": 150}) as world:
        made = build(world)
        kms = world.aws("kms", "tokyo")
        cipher = kms.encrypt(KeyId=made["key"], Plaintext=b"secret")["CiphertextBlob"]
        world.process.kill()
        world.process.wait()
    with local_world.start(tmp_path, speed=50, durations={"nat_gateway_creating": 150}) as world:
        assert world.ready["resumed"] is True
        assert (epoch(world), served(world)) == ("2", b"tokyo")
        head = world.aws("s3").head_object(Bucket=BUCKET, Key="serving")
        assert head["Metadata"] == {"epoch": "2"}
        decrypted = world.aws("kms", "tokyo").decrypt(CiphertextBlob=cipher)
        assert decrypted["Plaintext"] == b"secret"
        waiter = world.aws("ec2").get_waiter("nat_gateway_available")
        waiter.wait(NatGatewayIds=[made["nat"]], WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        with_address = world.aws("ec2").describe_addresses()["Addresses"]
        assert [one["NetworkInterfaceId"][:4] for one in with_address] == ["eni-"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """A world of this module's own, with something of every kind."""
    with local_world.start(tmp_path_factory.mktemp("durable")) as started:
        build(started)
        yield started


def test_a_snapshot_can_be_gone_back_to_again_and_again(world: LocalWorld) -> None:
    """What was changed, made and removed since is as it was; ids go on to work."""
    world.control.take_snapshot("built")
    for _ in range(2):
        s3, dynamodb = world.aws("s3"), world.aws("dynamodb")
        s3.put_object(Bucket=BUCKET, Key="serving", Body=b"seoul")
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"new")
        dynamodb.put_item(TableName="ledger", Item={"pk": {"S": "roles"}, "epoch": {"N": "3"}})
        world.aws("ec2").create_vpc(CidrBlock="10.7.0.0/16")
        world.control.restore_snapshot("built")
        assert (epoch(world), served(world)) == ("2", b"tokyo")
        found = world.aws("ec2").describe_vpcs()["Vpcs"]
        assert "10.7.0.0/16" not in [one["CidrBlock"] for one in found]
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_what_came_after_a_restore_is_kept_too(world: LocalWorld) -> None:
    """The file follows the world that was restored, not the one before."""
    world.control.take_snapshot("before")
    world.aws("s3").put_object(Bucket=BUCKET, Key="serving", Body=b"lost")
    world.control.restore_snapshot("before")
    world.aws("s3").put_object(Bucket=BUCKET, Key="kept", Body=b"after")
    world.control.take_snapshot("after")
    world.aws("s3").delete_object(Bucket=BUCKET, Key="kept")
    world.control.restore_snapshot("after")
    body = world.aws("s3").get_object(Bucket=BUCKET, Key="kept")["Body"].read()
    assert (body, served(world)) == (b"after", b"tokyo")


def test_what_a_read_began_outlives_the_server(tmp_path: Path) -> None:
    """A drift detection is told by its id, so it is kept before that; a signed GET may change, too."""
    template = '{"Resources": {"V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}}'
    with local_world.start(tmp_path) as world:
        stacks = world.aws("cloudformation")
        stacks.create_stack(StackName="one", TemplateBody=template)
        stacks.get_waiter("stack_create_complete").wait(WaiterConfig={"Delay": 1})
        detection = stacks.detect_stack_drift(StackName="one")["StackDriftDetectionId"]
        world.process.kill()
        world.process.wait()
    with local_world.start(tmp_path) as world:
        told = world.aws("cloudformation").describe_stack_drift_detection_status(
            StackDriftDetectionId=detection
        )
        assert told["StackDriftDetectionId"] == detection
        link = world.aws("sns").generate_presigned_url(
            "create_topic", {"Name": "x"}, HttpMethod="GET"
        )
        assert urllib3.request("GET", link).status == 200
        assert [call.changing for call in world.control.calls()][-1]
