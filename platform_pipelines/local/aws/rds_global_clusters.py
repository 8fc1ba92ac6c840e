"""The operations of Aurora global clusters as such; `rds_global_roles` has those of their members.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-managing.html
"""

import uuid
from typing import Any

from platform_pipelines.local.aws import rds_global, rds_versions, rds_views
from platform_pipelines.local.aws.rds_global import CONNECTED, Views, find
from platform_pipelines.local.aws.rds_store import (
    GLOBALS,
    LOOK,
    Record,
    check_name,
    cluster_by_arn,
    find_cluster,
    instances_of,
    region_of,
    set_tags,
    tags_of,
)
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation
from platform_pipelines.local.aws.stores import frozen, parked

_DELETED, _UPGRADED = "rds_global_deleted", "rds_global_upgraded"
_MISSING, _STATE = "GlobalClusterNotFoundFault", "InvalidGlobalClusterStateFault"
_OF_SOURCE = ("Engine", "EngineVersion", "DatabaseName", "StorageEncrypted")
_FILTERS: rds_views.Filters = {
    "region": lambda one: {region_of(m["DBClusterArn"]) for m in one["GlobalClusterMembers"]},
}


class GlobalClusters(Service):
    """Create, describe, change and delete global clusters."""

    views: Views

    def start(self) -> None:
        super().start()
        self.world.timers.on(_DELETED, self._global_deleted)
        self.world.timers.on(_UPGRADED, self._global_upgraded)

    @operation(
        raises=(
            *("GlobalClusterAlreadyExistsFault", "DBClusterNotFoundFault"),
            *("InvalidDBClusterStateFault", "InvalidParameterCombination"),
            *("InvalidParameterValue", "NotImplemented"),
        ),
        states="available",
    )
    def CreateGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        """Empty, or around a DB cluster of this Region, which becomes the writer."""
        name = check_name("GlobalClusterIdentifier", call.params["GlobalClusterIdentifier"])
        if GLOBALS.get(call.account, name):
            text = f"Global cluster {name} already exists."
            raise Fault("GlobalClusterAlreadyExistsFault", text)
        source = _source(call)
        record = _record(call, name) | (_from_source(source) if source else _from_params(call))
        GLOBALS.put(call.account, name, record)
        set_tags(call.account, record["GlobalClusterArn"], call.params.get("Tags", []))
        return {"GlobalCluster": rds_global.view(call.account, record, call.region)}

    @operation(raises=(_MISSING, "InvalidParameterValue"))
    def DescribeGlobalClusters(self, call: Call) -> Result:  # noqa: N802
        """As this Region knows them: it hears of changes elsewhere a moment later."""
        asked = call.params.get("GlobalClusterIdentifier")
        found = [find(call.account, asked)] if asked else GLOBALS.of(call.account)
        views = [rds_global.view(call.account, one, call.region) for one in found]
        views = rds_views.select(views, call.params, _FILTERS)
        return rds_views.paged("GlobalClusters", views, call.params)

    @operation(
        raises=(
            *(_MISSING, _STATE, "GlobalClusterAlreadyExistsFault", "InvalidDBClusterStateFault"),
            *("InvalidParameterCombination", "InvalidParameterValue"),
        ),
        states="upgrading → available",
    )
    def ModifyGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        record = find(call.account, call.params["GlobalClusterIdentifier"])
        check_available(record)
        version = _version(call, record)
        if new := call.params.get("NewGlobalClusterIdentifier"):
            _rename(call, record, check_name("NewGlobalClusterIdentifier", new))
        if "DeletionProtection" in call.params:
            record["DeletionProtection"] = call.params["DeletionProtection"]
        if version is not None:
            self._upgrade(call, record, version)
        self.views.publish(call.account, record, call.region)
        return {"GlobalCluster": rds_global.view(call.account, record, call.region)}

    @operation(raises=(_MISSING, _STATE, "InvalidParameterCombination"), states="deleting → gone")
    def DeleteGlobalCluster(self, call: Call) -> Result:  # noqa: N802
        record = find(call.account, call.params["GlobalClusterIdentifier"])
        if record["DeletionProtection"]:
            text = (
                "Cannot delete protected Cluster, please disable deletion protection and try again."
            )
            raise Fault("InvalidParameterCombination", text)
        if record["GlobalClusterMembers"]:
            text = f"Global Cluster {record['GlobalClusterArn']} is not empty"
            raise Fault(_STATE, text)
        if record["Status"] == "deleting":
            raise Fault(_STATE, f"{record['GlobalClusterIdentifier']} is being deleted already.")
        record["Status"] = "deleting"
        self._transit_global("global_cluster_deleting", _DELETED, record, call.region)
        self.views.publish(call.account, record, call.region)
        return {"GlobalCluster": rds_global.view(call.account, record, call.region)}

    def _upgrade(self, call: Call, record: Record, version: str) -> None:
        record["Status"] = "upgrading"
        for one in record["GlobalClusterMembers"]:
            cluster = cluster_by_arn(one["DBClusterArn"])
            if cluster is not None:
                cluster["Status"] = "upgrading"
        self._transit_global(
            "db_cluster_upgrading", _UPGRADED, record, call.region, version=version
        )

    def _transit_global(
        self, name: str, kind: str, record: Record, region: str, **more: Any
    ) -> None:
        identifier = record["GlobalClusterIdentifier"]
        about = {"account": record["GlobalClusterArn"].split(":")[4], "identifier": identifier}
        where = {"region": region, "resource": identifier}
        self.world.transition(name, kind, **where, **about, place=region, **more)

    def _global_deleted(
        self, account: str, identifier: str, place: str, *, failed: bool = False
    ) -> None:
        record = GLOBALS.get(account, identifier)
        if record is None or record["Status"] != "deleting":
            return
        about = {"account": account, "identifier": identifier, "place": place}
        if parked(self.world, place, _DELETED, **about, failed=failed):
            return
        if failed:
            record["Status"] = "available"
            self.views.publish(account, record, place)
        else:
            GLOBALS.drop(account, identifier)
            set_tags(account, record["GlobalClusterArn"], [])

    def _global_upgraded(
        self, account: str, identifier: str, place: str, version: str, *, failed: bool = False
    ) -> None:
        record = GLOBALS.get(account, identifier)
        if record is None or record["Status"] != "upgrading":
            return
        arns = [one["DBClusterArn"] for one in record["GlobalClusterMembers"]]
        if any(frozen(self.world, region_of(arn)) for arn in arns):
            about = {"account": account, "identifier": identifier, "place": place}
            self.world.timers.after(LOOK, _UPGRADED, **about, version=version, failed=failed)
            return
        record |= {"Status": "available"} | ({} if failed else {"EngineVersion": version})
        for cluster in filter(None, map(cluster_by_arn, arns)):
            cluster |= {"Status": "available", "EngineVersion": record["EngineVersion"]}
            for one in instances_of(cluster):
                one["EngineVersion"] = record["EngineVersion"]
        self.views.publish(account, record, place)


def _source(call: Call) -> Record | None:
    arn = call.params.get("SourceDBClusterIdentifier")
    if arn is None:
        return None
    given = [name for name in _OF_SOURCE if name in call.params]
    if given:
        text = f"{', '.join(given)} cannot be specified with SourceDBClusterIdentifier."
        raise Fault("InvalidParameterCombination", text)
    source = find_cluster(call, arn)
    joined = rds_global.joined(call.account, source["DBClusterArn"])
    if joined or source["Status"] != "available":
        text = f"{source['DBClusterIdentifier']} is {source['Status']}"
        reason = "a member of a global cluster already" if joined else text
        raise Fault("InvalidDBClusterStateFault", f"The source cluster is {reason}.")
    return source


def check_available(record: Record) -> None:
    """Refuse what a global cluster in the middle of something does not take. Raises: Fault."""
    if record["Status"] != "available":
        text = f"Global cluster {record['GlobalClusterIdentifier']} is {record['Status']};"
        raise Fault(_STATE, f"{text} wait until it is available.")


def _record(call: Call, name: str) -> Record:
    return {
        "GlobalClusterIdentifier": name,
        "GlobalClusterResourceId": f"cluster-{uuid.uuid4().hex[:16]}",
        "GlobalClusterArn": f"arn:aws:rds::{call.account}:global-cluster:{name}",
        "Status": "available",
        "DeletionProtection": call.params.get("DeletionProtection", False),
        "EngineLifecycleSupport": call.params.get(
            "EngineLifecycleSupport", "open-source-rds-extended-support"
        ),
        "GlobalClusterMembers": [],
        "FailoverState": None,
        "_views": {},
        "_change": 0,
    }


def _from_source(source: Record) -> Record:
    copied = {name: source[name] for name in _OF_SOURCE if name in source}
    return copied | {
        "GlobalClusterMembers": [rds_global.member(source["DBClusterArn"], writer=True)]
    }


def _from_params(call: Call) -> Record:
    engine = call.params.get("Engine")
    if engine not in rds_versions.PORTS:
        text = f"Invalid DB engine for a global cluster: {engine}"
        raise Fault("InvalidParameterValue", text)
    version = rds_versions.known_version(engine, call.params.get("EngineVersion"))
    name = {"DatabaseName": call.params["DatabaseName"]} if "DatabaseName" in call.params else {}
    encrypted = call.params.get("StorageEncrypted", False)
    return name | {"Engine": engine, "EngineVersion": version, "StorageEncrypted": encrypted}


def _version(call: Call, record: Record) -> str | None:
    wanted = call.params.get("EngineVersion")
    if wanted is None or wanted == record["EngineVersion"]:
        return None
    allowed = bool(call.params.get("AllowMajorVersionUpgrade"))
    old = record["EngineVersion"]
    return rds_versions.check_path(record["Engine"], old, wanted, major_allowed=allowed)


def _rename(call: Call, record: Record, name: str) -> None:
    if GLOBALS.get(call.account, name):
        text = f"Global cluster {name} already exists."
        raise Fault("GlobalClusterAlreadyExistsFault", text)
    if any(one["SynchronizationStatus"] != CONNECTED for one in record["GlobalClusterMembers"]):
        raise Fault(_STATE, "A member is not connected; wait until it is.")
    tags = tags_of(call.account, record["GlobalClusterArn"])
    set_tags(call.account, record["GlobalClusterArn"], [])
    GLOBALS.drop(call.account, record["GlobalClusterIdentifier"])
    record["GlobalClusterIdentifier"] = name
    record["GlobalClusterArn"] = f"arn:aws:rds::{call.account}:global-cluster:{name}"
    GLOBALS.put(call.account, name, record)
    set_tags(call.account, record["GlobalClusterArn"], tags)
