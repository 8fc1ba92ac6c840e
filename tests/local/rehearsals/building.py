"""A platform in both local Regions, made with boto3 and the Kubernetes client as an engineer would.

Time stands still while it is made and is moved until all of it is there: three zones a Region, file
systems that replicate, an Aurora global database, clusters with nodes, images and a Deployment.
"""

from dataclasses import dataclass
from typing import Any

from kubernetes import client

from platform_pipelines.local import images
from tests.local_world import LocalWorld

VERSION = "8.0.mysql_aurora.3.10.0"
GLOBAL = "peccy-peccy"
REPOSITORY = "peccy-web"
TABLE = "rehearsals"
ROLE = "arn:aws:iam::111122223333:role/any"
NODES = 3  # of each cluster, one in each zone
REPLICAS = 6
FLEET = {"minSize": 0, "maxSize": 6, "desiredSize": NODES}
ALIASES = ("seoul", "tokyo")
SHORTER = {"quota_increase": 120.0}  # which a support engineer takes half an hour for


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What was made in one Region."""

    vpc: str
    subnets: dict[str, str]  # by zone
    file_system: str
    cluster: str  # EKS's
    database: str  # the DB cluster's ARN


def network(world: LocalWorld, alias: str) -> tuple[str, dict[str, str]]:
    """A VPC with a subnet in each zone."""
    region, ec2 = world.platform.region(alias), world.aws("ec2", alias)
    vpc = ec2.create_vpc(CidrBlock=region.cidr)["Vpc"]["VpcId"]
    prefix = region.cidr.rsplit(".", 2)[0]
    subnets = {
        zone: ec2.create_subnet(
            VpcId=vpc, AvailabilityZone=zone, CidrBlock=f"{prefix}.{number}.0/24"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate(region.zones)
    }
    return vpc, subnets


def place(world: LocalWorld, alias: str) -> Place:
    """Ask for everything that one Region has by itself."""
    vpc, subnets = network(world, alias)
    efs = world.aws("efs", alias)
    made = efs.create_file_system(CreationToken="pictures", Encrypted=True)["FileSystemId"]
    world.control.advance(15)
    for subnet in subnets.values():
        efs.create_mount_target(FileSystemId=made, SubnetId=subnet)
    cluster = world.platform.cluster_name(world.platform.region(alias))
    world.aws("eks", alias).create_cluster(
        name=cluster, roleArn=ROLE, resourcesVpcConfig={"subnetIds": list(subnets.values())}
    )
    return Place(
        vpc=vpc,
        subnets=subnets,
        file_system=made,
        cluster=cluster,
        database=_database(world, alias, list(subnets.values())),
    )


def build(world: LocalWorld) -> dict[str, Place]:
    """Both Regions, and what joins them; returns when all of it is there."""
    world.aws("rds").create_global_cluster(
        GlobalClusterIdentifier=GLOBAL,
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        StorageEncrypted=True,
    )
    places = {}
    for alias in ALIASES:
        places[alias] = place(world, alias)
        world.control.advance(500)
        nodes(world, places[alias], alias)
    _table(world)
    _images(world)
    _replicate(world, places)
    world.control.advance(300)
    for alias in ALIASES:
        deploy(world, alias)
    world.control.advance(120)
    return places


def nodes(world: LocalWorld, where: Place, alias: str, name: str = "web") -> None:
    """Ask for a node group over all zones."""
    world.aws("eks", alias).create_nodegroup(
        clusterName=where.cluster,
        nodegroupName=name,
        nodeRole=ROLE,
        subnets=list(where.subnets.values()),
        scalingConfig=FLEET,
        labels={"role": name},
    )


def image(world: LocalWorld, tag: str = "1") -> str:
    """Push an image to Seoul's repository; its digest."""
    return images.push(world.aws("ecr"), images.build(REPOSITORY, tag))


def deployment(
    world: LocalWorld, alias: str, name: str = "web", tag: str = "1", replicas: int = REPLICAS
) -> dict[str, Any]:
    """A Deployment that is spread over the zones and pulls from its Region's registry."""
    region = world.platform.region(alias).name
    where = f"{world.platform.account}.dkr.ecr.{region}.amazonaws.com/{REPOSITORY}:{tag}"
    labels = {"app": name}
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    pod = {
        "containers": [{"name": "web", "image": where}],
        "topologySpreadConstraints": [spread],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def deploy(world: LocalWorld, alias: str, name: str = "web", tag: str = "1") -> None:
    """Create that Deployment."""
    body = deployment(world, alias, name, tag)
    apps: Any = client.AppsV1Api(world.kube(alias))
    apps.create_namespaced_deployment("default", body)


def _database(world: LocalWorld, alias: str, subnets: list[str]) -> str:
    rds, name = world.aws("rds", alias), f"{GLOBAL}-{alias}"
    rds.create_db_subnet_group(
        DBSubnetGroupName="all", DBSubnetGroupDescription="all zones", SubnetIds=subnets
    )
    login = {"MasterUsername": "admin", "MasterUserPassword": "a-password"}
    key = {"KmsKeyId": world.aws("kms", alias).create_key()["KeyMetadata"]["KeyId"]}
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        GlobalClusterIdentifier=GLOBAL,
        DBSubnetGroupName="all",
        StorageEncrypted=True,
        **(login if alias == "seoul" else key),
    )
    for number in range(1, world.platform.databases[0].instances[alias] + 1):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{number}",
            DBClusterIdentifier=name,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
        )
    return str(made["DBCluster"]["DBClusterArn"])


def _images(world: LocalWorld) -> None:
    account, tokyo = world.platform.account, world.platform.region("tokyo").name
    rule = {"destinations": [{"region": tokyo, "registryId": account}]}
    ecr = world.aws("ecr")
    ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    ecr.create_repository(repositoryName=REPOSITORY)
    image(world)


def _replicate(world: LocalWorld, places: dict[str, Place]) -> None:
    destination = places["tokyo"].file_system
    world.aws("efs", "tokyo").update_file_system_protection(
        FileSystemId=destination, ReplicationOverwriteProtection="DISABLED"
    )
    to = {"Region": world.platform.region("tokyo").name, "FileSystemId": destination}
    world.aws("efs").create_replication_configuration(
        SourceFileSystemId=places["seoul"].file_system, Destinations=[to]
    )


def _table(world: LocalWorld) -> None:
    names = ("pk", "sk")
    dynamodb = world.aws("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
    )
    world.control.advance(20)
    dynamodb.update_table(
        TableName=TABLE,
        MultiRegionConsistency="STRONG",
        ReplicaUpdates=[{"Create": {"RegionName": world.platform.region("tokyo").name}}],
        GlobalTableWitnessUpdates=[{"Create": {"RegionName": world.platform.witness}}],
    )
