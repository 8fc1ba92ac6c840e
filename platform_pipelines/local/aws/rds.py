"""RDS: Aurora global clusters that fail over, and clusters described as their roles are.

ministack keeps the records; it knows neither transitions nor which instance of which Region writes.
"""

from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import rds_global, stores
from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.rds_global import GlobalClusters
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation

_BURSTABLE = "db.t"


class Rds(Service):
    """Failover, switchover and descriptions; ministack's for the rest."""

    name = "rds"
    passes = frozenset(
        {
            *("CreateGlobalCluster", "DeleteGlobalCluster", "ModifyGlobalCluster"),
            *("RemoveFromGlobalCluster", "FailoverDBCluster"),
            *("CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster"),
            *("ModifyDBInstance", "DeleteDBInstance", "RebootDBInstance"),
            *("CreateDBSubnetGroup", "DescribeDBSubnetGroups", "ModifyDBSubnetGroup"),
            *("DeleteDBSubnetGroup", "DescribeDBEngineVersions"),
            *("CreateDBParameterGroup", "DescribeDBParameterGroups", "ModifyDBParameterGroup"),
            *("DeleteDBParameterGroup", "DescribeDBParameters", "ResetDBParameterGroup"),
            *("CreateDBClusterParameterGroup", "DescribeDBClusterParameterGroups"),
            *("ModifyDBClusterParameterGroup", "DeleteDBClusterParameterGroup"),
            *("DescribeDBClusterParameters", "ResetDBClusterParameterGroup"),
            *("CreateDBClusterSnapshot", "DescribeDBClusterSnapshots", "DeleteDBClusterSnapshot"),
            *("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"),
            *("DescribeEvents", "DescribeOrderableDBInstanceOptions"),
            "DescribePendingMaintenanceActions",
        }
    )

    def start(self) -> None:
        self._globals = GlobalClusters(self.world)
        # Instances are records only: nothing may look for Docker.
        ministack.service("rds").__dict__["_get_docker"] = _no_docker

    @operation
    def DescribeGlobalClusters(self, call: Call) -> Result:  # noqa: N802
        found = stores.ask(call, _without_pages(call.params))["GlobalClusters"]
        shown, marker = _page(found, call.params)
        return _marked("GlobalClusters", [self._global_view(call, item) for item in shown], marker)

    @operation
    def FailoverGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        if call.params.get("AllowDataLoss") and call.params.get("Switchover"):
            message = "AllowDataLoss and Switchover cannot be given together."
            raise Fault("InvalidParameterCombination", message)
        return self._change(call, data_loss=bool(call.params.get("AllowDataLoss")))

    @operation
    def SwitchoverGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        return self._change(call, data_loss=False)

    @operation
    def CreateDBInstance(self, call: Call) -> Result:  # noqa: N802
        """A global database takes no burstable class."""
        cluster = ministack.service("rds")._clusters.get(call.params.get("DBClusterIdentifier", ""))
        burstable = str(call.params["DBInstanceClass"]).startswith(_BURSTABLE)
        if cluster and cluster.get("GlobalClusterIdentifier") and burstable:
            message = f"{call.params['DBInstanceClass']} is not supported in a global database."
            raise Fault("InvalidParameterCombination", message)
        return stores.ask(call)

    @operation
    def DescribeDBClusters(self, call: Call) -> Result:  # noqa: N802
        found = stores.ask(call, _without_pages(call.params))["DBClusters"]
        shown, marker = _page(found, call.params)
        return _marked("DBClusters", [self._cluster_view(call, item) for item in shown], marker)

    @operation
    def DescribeDBInstances(self, call: Call) -> Result:  # noqa: N802
        found = stores.ask(call, _without_pages(call.params))["DBInstances"]
        shown, marker = _page(found, call.params)
        return _marked("DBInstances", shown, marker)

    def _change(self, call: Call, *, data_loss: bool) -> Result:
        identifier = call.params["GlobalClusterIdentifier"]
        target = call.params["TargetDbClusterIdentifier"]
        self._globals.change(call.account, identifier, target, data_loss=data_loss)
        describe = replace(call, operation="DescribeGlobalClusters")
        found = stores.ask(describe, {"GlobalClusterIdentifier": identifier})["GlobalClusters"]
        return {"GlobalCluster": self._global_view(call, found[0])}

    def _global_view(self, call: Call, item: Result) -> Result:
        record = rds_global.find(call.account, item["GlobalClusterIdentifier"])
        return item | {"Endpoint": rds_global.endpoint_of(record)}

    def _cluster_view(self, call: Call, item: Result) -> Result:
        region = self.world.region_of(call.region)
        zones = {"AvailabilityZones": list(region.zones)} if region else {}
        secondary = rds_global.is_secondary(call.account, item["DBClusterArn"])
        return item | zones | {"DBClusterMembers": _members(item["DBClusterMembers"], secondary)}


def _members(members: list[Result], secondary: bool) -> list[Result]:
    """One writer in a primary, none in a secondary, whatever ministack noted."""
    marked = [index for index, member in enumerate(members) if member["IsClusterWriter"]]
    writer = None if secondary or not members else marked[0] if marked else 0
    return [member | {"IsClusterWriter": index == writer} for index, member in enumerate(members)]


def _without_pages(params: Params) -> Params:
    return {key: value for key, value in params.items() if key not in ("Marker", "MaxRecords")}


def _page(items: list[Any], params: Params) -> tuple[list[Any], str | None]:
    try:
        return page(items, params.get("Marker"), params.get("MaxRecords", 100))
    except BadToken:
        raise Fault("InvalidParameterValue", "The marker is not valid.") from None


def _marked(key: str, items: list[Any], marker: str | None) -> Result:
    return {key: items} | ({"Marker": marker} if marker else {})


def _no_docker() -> None:
    return None
