"""An Aurora global cluster of two Regions, made as the product makes it."""

from typing import Any

from tests.local.aws.regions import Regions

GLOBAL = "peccy-peccy"
VERSION = "8.0.mysql_aurora.3.10.0"
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
    make_cluster(regions, "tokyo", tokyo_instances)


def make_cluster(regions: Regions, alias: str, instances: int, **more: Any) -> None:
    """A member of the global cluster with its instances."""
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
        regions(
            alias,
            "rds",
            "CreateDBInstance",
            DBInstanceIdentifier=f"{GLOBAL}-{alias}-{number}",
            DBClusterIdentifier=f"{GLOBAL}-{alias}",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
        )


def describe_global(regions: Regions, alias: str) -> dict[str, Any]:
    """The global cluster as a Region describes it."""
    found = regions(alias, "rds", "DescribeGlobalClusters", GlobalClusterIdentifier=GLOBAL)
    cluster: dict[str, Any] = found["GlobalClusters"][0]
    return cluster


def describe_cluster(regions: Regions, alias: str) -> dict[str, Any]:
    """A Region's member."""
    name = f"{GLOBAL}-{alias}"
    found = regions(alias, "rds", "DescribeDBClusters", DBClusterIdentifier=name)
    cluster: dict[str, Any] = found["DBClusters"][0]
    return cluster


def writers(regions: Regions, alias: str) -> list[str]:
    """The ARNs of the members that take writes."""
    members = describe_global(regions, alias)["GlobalClusterMembers"]
    return [member["DBClusterArn"] for member in members if member["IsWriter"]]
