"""An Aurora global cluster of two Regions, made as the product makes it."""

from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.rds import Rds
from platform_pipelines.local.aws.service import Call, Fault
from tests.local.aws.regions import Regions

GLOBAL = "peccy-peccy"
VERSION = "8.0.mysql_aurora.3.10.0"
CREATION = 310.0  # AWS-like seconds until a cluster and its instances are there
ARN = {
    "seoul": "arn:aws:rds:ap-northeast-2:111122223333:cluster:peccy-peccy-seoul",
    "tokyo": "arn:aws:rds:ap-northeast-1:111122223333:cluster:peccy-peccy-tokyo",
}


def make_global(regions: Regions, tokyo_instances: int = 2) -> None:
    """A global cluster, its home cluster of two instances, and a cluster that joins it."""
    regions(
        "seoul",
        "rds",
        "CreateGlobalCluster",
        GlobalClusterIdentifier=GLOBAL,
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        StorageEncrypted=True,
    )
    login = {"MasterUsername": "admin", "MasterUserPassword": "a-password"}
    make_cluster(regions, "seoul", 2, **login)
    regions.advance(CREATION)
    make_cluster(regions, "tokyo", tokyo_instances, KmsKeyId=make_key(regions, "tokyo"))
    regions.advance(CREATION)


def make_cluster(regions: Regions, alias: str, instances: int, **more: Any) -> None:
    """A member of the global cluster with its instances, none of which is there yet."""
    regions(
        alias,
        "rds",
        "CreateDBCluster",
        DBClusterIdentifier=f"{GLOBAL}-{alias}",
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        GlobalClusterIdentifier=GLOBAL,
        **more,
    )
    for number in range(1, instances + 1):
        make_instance(regions, alias, number)


def make_instance(regions: Regions, alias: str, number: int, **more: Any) -> dict[str, Any]:
    """Another instance of a member, as answered."""
    params = {"DBInstanceClass": "db.r6g.large", "Engine": "aurora-mysql"} | more
    answer = regions(
        alias,
        "rds",
        "CreateDBInstance",
        DBInstanceIdentifier=f"{GLOBAL}-{alias}-{number}",
        DBClusterIdentifier=f"{GLOBAL}-{alias}",
        **params,
    )
    instance: dict[str, Any] = answer["DBInstance"]
    return instance


def make_key(regions: Regions, alias: str) -> str:
    """A KMS key of a Region; its id."""
    call = Call(
        service="kms",
        operation="CreateKey",
        params={},
        region=regions.name(alias),
        account=regions.world.platform.account,
        request_id="test",
    )
    with ministack.scope(call.account, call.region):
        return str(stores.ask(call)["KeyMetadata"]["KeyId"])


def refused(regions: Regions, alias: str, operation: str, **params: Any) -> str:
    """The code with which RDS refuses a call; it is one of those that the operation tells of."""
    with pytest.raises(Fault) as caught:
        regions(alias, "rds", operation, **params)
    assert caught.value.code in Rds.about()[operation].raises
    return caught.value.code


def describe_global(regions: Regions, alias: str) -> dict[str, Any]:
    """The global cluster as a Region describes it."""
    found = regions(alias, "rds", "DescribeGlobalClusters", GlobalClusterIdentifier=GLOBAL)
    cluster: dict[str, Any] = found["GlobalClusters"][0]
    return cluster


def describe_instances(regions: Regions, alias: str) -> dict[str, str]:
    """The status of each instance of a Region, by its number."""
    found = regions(alias, "rds", "DescribeDBInstances")["DBInstances"]
    return {one["DBInstanceIdentifier"][-1]: one["DBInstanceStatus"] for one in found}


def events(regions: Regions, alias: str, cluster: str, minutes: int = 120) -> list[str]:
    """What RDS tells of a DB cluster."""
    params = {"SourceType": "db-cluster", "SourceIdentifier": cluster, "Duration": minutes}
    found = regions(alias, "rds", "DescribeEvents", **params)["Events"]
    return [str(one["Message"]) for one in found]


def describe_cluster(regions: Regions, alias: str) -> dict[str, Any]:
    """A Region's member."""
    name = f"{GLOBAL}-{alias}"
    found = regions(alias, "rds", "DescribeDBClusters", DBClusterIdentifier=name)
    cluster: dict[str, Any] = found["DBClusters"][0]
    return cluster


def instance_writers(regions: Regions, alias: str) -> list[bool]:
    """The writer flag of each instance of a Region's cluster."""
    members = describe_cluster(regions, alias)["DBClusterMembers"]
    return [member["IsClusterWriter"] for member in members]


def synchronization(regions: Regions, alias: str, member: str) -> str:
    """How a member follows the writer, as a Region knows."""
    members = describe_global(regions, alias)["GlobalClusterMembers"]
    found = next(one for one in members if one["DBClusterArn"] == ARN[member])
    return str(found["SynchronizationStatus"])


def failover(regions: Regions, alias: str = "tokyo", **more: Any) -> dict[str, Any]:
    """Ask for a failover to Tokyo; the global cluster as answered."""
    more = {"AllowDataLoss": True, "TargetDbClusterIdentifier": ARN["tokyo"]} | more
    answer = regions(alias, "rds", "FailoverGlobalCluster", GlobalClusterIdentifier=GLOBAL, **more)
    cluster: dict[str, Any] = answer["GlobalCluster"]
    return cluster


def switchover(regions: Regions, alias: str) -> dict[str, Any]:
    """Ask for a switchover to a Region, in that Region; the global cluster as answered."""
    answer = regions(
        alias,
        "rds",
        "SwitchoverGlobalCluster",
        GlobalClusterIdentifier=GLOBAL,
        TargetDbClusterIdentifier=ARN[alias],
    )
    cluster: dict[str, Any] = answer["GlobalCluster"]
    return cluster


def writers(regions: Regions, alias: str) -> list[str]:
    """The ARNs of the members that take writes."""
    members = describe_global(regions, alias)["GlobalClusterMembers"]
    return [member["DBClusterArn"] for member in members if member["IsWriter"]]
