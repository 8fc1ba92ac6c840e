"""The kinds of changes of a busy platform, in both Regions; see `load`."""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from kubernetes import client

from platform_pipelines.local import images
from tests.local.rehearsals.building import ROLE, TABLE, VERSION, Place, deployment
from tests.local.rehearsals.load import Worker
from tests.local_world import LocalWorld

BUCKET, LOADED, MANY, DOMAIN = "busy-bucket", "busy", "many", "busy.example.com"
STEP = 7.0  # AWS-like seconds of one move of the clock
TEMPLATE = {
    "Resources": {
        "Files": {"Type": "AWS::EFS::FileSystem", "Properties": {"Encrypted": True}},
        "Name": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Ref": "Files"}},
        },
    }
}


def prepare(world: LocalWorld) -> dict[str, str]:
    """What the workers need besides the platform."""
    where = {"LocationConstraint": world.platform.region("seoul").name}
    world.aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    world.aws("ecr").create_repository(repositoryName=LOADED)
    images.push(world.aws("ecr"), images.build(LOADED, "0"))
    zone = world.aws("route53").create_hosted_zone(Name=DOMAIN, CallerReference="busy")
    topic = world.aws("sns").create_topic(Name=LOADED)
    return {"zone": zone["HostedZone"]["Id"], "topic": topic["TopicArn"]}


def all_kinds(
    world: LocalWorld, places: dict[str, Place], made: dict[str, str]
) -> dict[str, Worker]:
    """All kinds of changes, in both Regions."""
    aws = {
        "objects": _objects(world),
        "items": _items(world),
        "counter": _counter(world),
        "files": _files(world),
        "databases": _databases(world),
        "repositories": _repositories(world),
        "images": _images(world),
        "node groups": _node_groups(world, places["tokyo"]),
        "stacks": _stacks(world),
        "records": _records(world, made["zone"]),
        "messages": _messages(world, made["topic"]),
        "secrets": _secrets(world),
    }
    kubernetes = {"applied": _applied(world), "workloads": _workloads(world)}
    return {**aws, **kubernetes, "time": _time(world)}


def _objects(world: LocalWorld) -> Worker:
    s3 = world.aws("s3")

    def seen() -> Iterator[int]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for item in page.get("Contents", []):
                assert item["ETag"].strip('"') == hashlib.md5(item["Key"].encode()).hexdigest()
                yield int(item["Key"])
        body = s3.get_object(Bucket=BUCKET, Key="0")["Body"].read()
        assert body == b"0"

    return Worker(
        change=lambda n: s3.put_object(Bucket=BUCKET, Key=str(n), Body=str(n).encode()),
        seen=seen,
    )


def _items(world: LocalWorld) -> Worker:
    """Written in one Region, read in the other."""
    here, there = world.aws("dynamodb"), world.aws("dynamodb", "tokyo")

    def seen() -> Iterator[int]:
        pages = there.get_paginator("query").paginate(
            TableName=TABLE,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "item"}},
        )
        for page in pages:
            for item in page["Items"]:
                yield int(item["sk"]["S"])

    def change(number: int) -> Any:
        item = {"pk": {"S": "item"}, "sk": {"S": str(number)}}
        return here.put_item(TableName=TABLE, Item=item)

    return Worker(change=change, seen=seen)


def _counter(world: LocalWorld) -> Worker:
    """An addition that was accepted counts once."""
    dynamodb = world.aws("dynamodb", "tokyo")
    key = {"pk": {"S": "counter"}, "sk": {"S": "one"}}

    def change(_number: int) -> Any:
        return dynamodb.update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    def seen() -> Iterable[int]:
        item = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
        return range(int(item["n"]["N"]) if item else 0)

    return Worker(change=change, seen=seen, counts=True)


def _files(world: LocalWorld) -> Worker:
    both = [world.aws("efs", alias) for alias in ("seoul", "tokyo")]

    def seen() -> Iterator[int]:
        for efs in both:
            for page in efs.get_paginator("describe_file_systems").paginate():
                for item in page["FileSystems"]:
                    if item["CreationToken"].startswith("busy-"):
                        yield int(item["CreationToken"].removeprefix("busy-"))

    return Worker(
        change=lambda n: both[n % 2].create_file_system(CreationToken=f"busy-{n}"), seen=seen
    )


def _databases(world: LocalWorld) -> Worker:
    rds = world.aws("rds")

    def change(number: int) -> Any:
        return rds.create_db_cluster(
            DBClusterIdentifier=f"busy-{number}",
            Engine="aurora-mysql",
            EngineVersion=VERSION,
            MasterUsername="admin",
            MasterUserPassword="a-password",
        )

    def seen() -> Iterator[int]:
        for page in rds.get_paginator("describe_db_clusters").paginate():
            yield from _numbers(one["DBClusterIdentifier"] for one in page["DBClusters"])

    return Worker(change=change, seen=seen)


def _repositories(world: LocalWorld) -> Worker:
    ecr = world.aws("ecr", "tokyo")

    def seen() -> Iterator[int]:
        for page in ecr.get_paginator("describe_repositories").paginate():
            yield from _numbers(one["repositoryName"] for one in page["repositories"])

    return Worker(change=lambda n: ecr.create_repository(repositoryName=f"busy-{n}"), seen=seen)


def _images(world: LocalWorld) -> Worker:
    """The same image under more and more tags."""
    ecr, manifest = world.aws("ecr"), images.build(LOADED, "0").index.content.decode()

    def change(number: int) -> Any:
        tag = str(number + 1)
        return ecr.put_image(repositoryName=LOADED, imageManifest=manifest, imageTag=tag)

    return Worker(
        change=change, seen=lambda: {tag - 1 for tag in image_tags(world, "seoul") if tag}
    )


def image_tags(world: LocalWorld, alias: str) -> set[int]:
    """The tags in a Region's copy of the repository."""
    pages = (
        world.aws("ecr", alias)
        .get_paginator("list_images")
        .paginate(repositoryName=LOADED, filter={"tagStatus": "TAGGED"})
    )
    return {int(one["imageTag"]) for page in pages for one in page["imageIds"]}


def _node_groups(world: LocalWorld, place: Place) -> Worker:
    eks = world.aws("eks", "tokyo")

    def change(number: int) -> Any:
        return eks.create_nodegroup(
            clusterName=place.cluster,
            nodegroupName=f"busy-{number}",
            nodeRole=ROLE,
            subnets=list(place.subnets.values()),
            scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0},
        )

    def seen() -> Iterator[int]:
        for page in eks.get_paginator("list_nodegroups").paginate(clusterName=place.cluster):
            yield from _numbers(page["nodegroups"])

    return Worker(change=change, seen=seen)


def _stacks(world: LocalWorld) -> Worker:
    cloudformation, body = world.aws("cloudformation"), json.dumps(TEMPLATE)

    def seen() -> Iterator[int]:
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            yield from _numbers(one["StackName"] for one in page["Stacks"])

    return Worker(
        change=lambda n: cloudformation.create_stack(StackName=f"busy-{n}", TemplateBody=body),
        seen=seen,
    )


def _records(world: LocalWorld, zone: str) -> Worker:
    route53 = world.aws("route53")

    def change(number: int) -> Any:
        record = {
            "Name": f"busy-{number}.{DOMAIN}",
            "Type": "TXT",
            "TTL": 60,
            "ResourceRecords": [{"Value": '"x"'}],
        }
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        return route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def seen() -> Iterator[int]:
        pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
        for page in pages:
            yield from _numbers(one["Name"].split(".")[0] for one in page["ResourceRecordSets"])

    return Worker(change=change, seen=seen)


def _messages(world: LocalWorld, topic: str) -> Worker:
    sns = world.aws("sns")

    def seen() -> Iterator[int]:
        return _numbers(one["message"] for one in world.control.notifications())

    return Worker(change=lambda n: sns.publish(TopicArn=topic, Message=f"busy-{n}"), seen=seen)


def _secrets(world: LocalWorld) -> Worker:
    secrets = world.aws("secretsmanager", "tokyo")

    def seen() -> Iterator[int]:
        for page in secrets.get_paginator("list_secrets").paginate():
            yield from _numbers(one["Name"] for one in page["SecretList"])

    return Worker(
        change=lambda n: secrets.create_secret(Name=f"busy-{n}", SecretString=str(n)), seen=seen
    )


def _applied(world: LocalWorld) -> Worker:
    """By server-side apply."""
    core: Any = client.CoreV1Api(world.kube("seoul"))

    def change(number: int) -> Any:
        name = f"busy-{number}"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}}
        return core.patch_namespaced_config_map(
            name,
            "default",
            body,
            field_manager="busy",
            force=True,
            _content_type="application/apply-patch+yaml",
        )

    def seen() -> Iterator[int]:
        found = core.list_namespaced_config_map("default").items
        return _numbers(one.metadata.name for one in found)

    return Worker(change=change, seen=seen)


def _workloads(world: LocalWorld) -> Worker:
    """Deployments of one pod."""
    apps: Any = client.AppsV1Api(world.kube("tokyo"))

    def change(number: int) -> Any:
        body = deployment(world, "tokyo", f"busy-{number}", replicas=1)
        return apps.create_namespaced_deployment("default", body)

    def seen() -> Iterator[int]:
        found = apps.list_namespaced_deployment("default").items
        return _numbers(one.metadata.name for one in found)

    return Worker(change=change, seen=seen)


def _time(world: LocalWorld) -> Worker:
    """Everything that is under way goes on a little."""
    began = world.control.clock().unix

    def seen() -> Iterable[int]:
        return range(round((world.control.clock().unix - began) / STEP))

    return Worker(change=lambda _: world.control.advance(STEP), seen=seen, counts=True)


def _numbers(names: Iterable[str]) -> Iterator[int]:
    for name in names:
        with contextlib.suppress(ValueError):
            if name.startswith("busy-"):
                yield int(name.removeprefix("busy-"))
