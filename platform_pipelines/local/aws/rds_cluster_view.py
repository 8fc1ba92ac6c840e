"""How a Region describes its DB clusters and their endpoints, with the roles that it knows of."""

from platform_pipelines.local.aws import rds_global, rds_views
from platform_pipelines.local.aws.rds_store import Record, instances_of, tags_of
from platform_pipelines.local.aws.rds_views import shown
from platform_pipelines.local.aws.service import Call, Result

FILTERS: rds_views.Filters = {
    "clone-group-id": lambda _: set(),
    "db-cluster-id": lambda one: {one["DBClusterIdentifier"], one["DBClusterArn"]},
    "db-cluster-resource-id": lambda one: {one["DbClusterResourceId"]},
    "domain": lambda _: set(),
    "engine": lambda one: {one["Engine"]},
}
ENDPOINT_FILTERS: rds_views.Filters = {
    "db-cluster-endpoint-type": lambda one: {one["EndpointType"].lower()},
    "db-cluster-endpoint-custom-type": lambda _: set(),
    "db-cluster-endpoint-id": lambda _: set(),
    "db-cluster-endpoint-status": lambda one: {one["Status"]},
}


def view(call: Call, record: Record) -> Result:
    """A cluster as its Region describes it."""
    arn = record["DBClusterArn"]
    instances = instances_of(record)
    writer = None if rds_global.is_secondary(call.account, arn) else record["_writer"]
    answer = shown(record) | {
        "DBClusterMembers": [_member(one, writer) for one in instances],
        "MultiAZ": len({one["AvailabilityZone"] for one in instances}) > 1,
        "TagList": tags_of(call.account, arn),
    }
    if joined := rds_global.joined(call.account, arn):
        answer |= {
            "GlobalClusterIdentifier": joined["GlobalClusterIdentifier"],
            "GlobalWriteForwardingStatus": "disabled",
        }
    return answer


def _member(instance: Record, writer: str | None) -> Result:
    return {
        "DBInstanceIdentifier": instance["DBInstanceIdentifier"],
        "IsClusterWriter": instance["DBInstanceIdentifier"] == writer,
        "DBClusterParameterGroupStatus": "in-sync",
        "PromotionTier": instance["PromotionTier"],
    }


def endpoints(call: Call, record: Record) -> list[Result]:
    """The endpoints of a cluster; the writer's is inactive in a secondary."""
    status = record["Status"] if record["Status"] in ("creating", "deleting") else "available"
    secondary = rds_global.is_secondary(call.account, record["DBClusterArn"])
    name = {"DBClusterIdentifier": record["DBClusterIdentifier"]}
    writer = {"EndpointType": "WRITER", "Endpoint": record["Endpoint"]}
    reader = {"EndpointType": "READER", "Endpoint": record["ReaderEndpoint"], "Status": status}
    return [name | writer | {"Status": "inactive" if secondary else status}, name | reader]
