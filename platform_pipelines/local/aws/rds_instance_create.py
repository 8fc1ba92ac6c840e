"""What AWS asks of a new instance of a DB cluster, its record, and how it is described."""

import re
import uuid
from collections import Counter
from dataclasses import replace

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import rds_global, rds_monitoring, stores
from platform_pipelines.local.aws.rds_default_groups import PREFIX
from platform_pipelines.local.aws.rds_store import (
    INSTANCES,
    Record,
    check_name,
    find_cluster,
    instances_of,
    refuse_others,
    tags_of,
)
from platform_pipelines.local.aws.rds_views import shown
from platform_pipelines.local.aws.service import Call, Fault, Result
from platform_pipelines.local.world import World

RAISES = (
    *("DBClusterNotFoundFault", "DBInstanceAlreadyExists", "DBParameterGroupNotFound"),
    *("InstanceQuotaExceeded", "KMSKeyNotAccessibleFault"),
    *("InvalidDBClusterStateFault", "InvalidParameterCombination", "InvalidParameterValue"),
    "NotImplemented",
)
_BURSTABLE = "db.t"
_CLASS = re.compile(r"db\.(serverless|[a-z]+\d+[a-z]*\.(micro|small|medium|(\d*x)?large))")
_AURORAS = re.compile(r"db\.(serverless|(t2|t3|t4g|x2g|r[3-8][a-z]*)\..+)")
_MOST = 16  # instances in a cluster
_JOINABLE = frozenset({"available", "creating", "modifying", "failing-over"})
SETTINGS = (  # what of an instance changes at once
    *("AutoMinorVersionUpgrade", "CACertificateIdentifier", "PreferredMaintenanceWindow"),
    *("PromotionTier", "PubliclyAccessible"),
)
_KNOWN = frozenset(
    {
        *("AutoMinorVersionUpgrade", "AvailabilityZone", "CACertificateIdentifier"),
        *("DBClusterIdentifier", "DBInstanceClass", "DBInstanceIdentifier"),
        *("DBParameterGroupName", "DBSubnetGroupName", "Engine", "EngineVersion"),
        *("PreferredMaintenanceWindow", "PromotionTier", "PubliclyAccessible", "Tags"),
        *rds_monitoring.MEMBERS,
    }
)


def checked(world: World, call: Call) -> tuple[Record, Record]:
    """The cluster and the record of its new instance. Raises: Fault, for what AWS would refuse."""
    refuse_others(call, _KNOWN)
    name = check_name("DBInstanceIdentifier", call.params["DBInstanceIdentifier"])
    if INSTANCES.get(call.account, call.region, name):
        raise Fault("DBInstanceAlreadyExists", f"DB instance {name} already exists.")
    cluster = find_cluster(call, call.params["DBClusterIdentifier"])
    _check_cluster(call, cluster)
    check_class(call, cluster)
    return cluster, _record(world, call, cluster, name)


def check_class(call: Call, cluster: Record) -> None:
    """Aurora takes some classes, and a global database no burstable one. Raises: Fault."""
    wanted = str(call.params["DBInstanceClass"])
    if not _CLASS.fullmatch(wanted):
        raise Fault("InvalidParameterValue", f"Invalid DB Instance class: {wanted}")
    if not _AURORAS.fullmatch(wanted):
        text = "RDS does not support creating a DB instance with the following combination:"
        which = f"DBInstanceClass={wanted}, Engine={cluster['Engine']}"
        raise Fault("InvalidParameterCombination", f"{text} {which}")
    if wanted.startswith(_BURSTABLE) and rds_global.joined(call.account, cluster["DBClusterArn"]):
        text = f"The DB instance class {wanted} is not supported in a global database."
        raise Fault("InvalidParameterCombination", text)


def view(call: Call, record: Record) -> Result:
    """An instance as its Region describes it; its endpoint is there once it was created."""
    answer = shown(record) | {"TagList": tags_of(call.account, record["DBInstanceArn"])}
    if record["DBInstanceStatus"] in ("creating", "failed"):
        del answer["Endpoint"]
    return answer


def _check_cluster(call: Call, cluster: Record) -> None:
    if cluster["Status"] not in _JOINABLE:
        text = f"DB cluster {cluster['DBClusterIdentifier']} is {cluster['Status']}."
        raise Fault("InvalidDBClusterStateFault", text)
    if call.params["Engine"] != cluster["Engine"]:
        text = (
            f"The engine name requested for your DB instance ({call.params['Engine']}) doesn't "
            f"match the engine name of your DB cluster ({cluster['Engine']})."
        )
        raise Fault("InvalidParameterCombination", text)
    if call.params.get("EngineVersion", cluster["EngineVersion"]) != cluster["EngineVersion"]:
        text = "The engine version that you requested for your DB instance does not match the"
        raise Fault("InvalidParameterCombination", f"{text} engine version of your DB cluster.")
    if len(instances_of(cluster)) >= _MOST:
        text = f"A DB cluster has {_MOST} instances at most."
        raise Fault("InstanceQuotaExceeded", text)


def _record(world: World, call: Call, cluster: Record, name: str) -> Record:
    params = call.params
    host = f"{cluster['_mark']}.{call.region}.rds.amazonaws.com"
    now = world.now()
    copied = ("Engine", "EngineVersion", "StorageEncrypted", "KmsKeyId", "MasterUsername")
    more = ("VpcSecurityGroups", "BackupRetentionPeriod", "PreferredBackupWindow", "NetworkType")
    rest = ("CopyTagsToSnapshot", "StorageType", "EngineLifecycleSupport")
    record = {key: cluster[key] for key in (*copied, *more, *rest) if key in cluster}
    group = params.get("DBParameterGroupName") or _default_group(cluster)
    subnets = _subnet_group(call, cluster)
    _check_parameter_group(group, cluster)
    record |= {
        "DBInstanceIdentifier": name,
        "DBInstanceArn": f"arn:aws:rds:{call.region}:{call.account}:db:{name}",
        "DbiResourceId": f"db-{uuid.uuid4().hex[:26].upper()}",
        "DBClusterIdentifier": cluster["DBClusterIdentifier"],
        "DBInstanceClass": params["DBInstanceClass"],
        "DBInstanceStatus": "creating",
        "Endpoint": {
            "Address": f"{name}.{host}",
            "Port": cluster["Port"],
            "HostedZoneId": cluster["HostedZoneId"],
        },
        "DbInstancePort": 0,
        "AllocatedStorage": 1,
        "AvailabilityZone": _zone(call, cluster, subnets),
        "DBSubnetGroup": subnets,
        "DBParameterGroups": [{"DBParameterGroupName": group, "ParameterApplyStatus": "in-sync"}],
        "PreferredMaintenanceWindow": params.get(
            "PreferredMaintenanceWindow", cluster["PreferredMaintenanceWindow"]
        ),
        "PromotionTier": params.get("PromotionTier", 1),
        "AutoMinorVersionUpgrade": params.get("AutoMinorVersionUpgrade", True),
        "PubliclyAccessible": params.get("PubliclyAccessible", False),
        "CACertificateIdentifier": params.get("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        "MultiAZ": False,
        "LicenseModel": "general-public-license",
        "DeletionProtection": False,
        "IAMDatabaseAuthenticationEnabled": cluster["IAMDatabaseAuthenticationEnabled"],
        "InstanceCreateTime": now,
        "_cluster": cluster["DBClusterArn"],
        **rds_monitoring.settings(call, {}),
    }
    return record | rds_monitoring.resource(record)


def change(call: Call, record: Record) -> None:
    """Take the settings that hold at once. Raises: Fault, before anything is changed."""
    settings = rds_monitoring.settings(call, record)
    settings |= {name: call.params[name] for name in SETTINGS if name in call.params}
    if group := call.params.get("DBParameterGroupName"):
        _check_parameter_group(group, record)
        status = {"ParameterApplyStatus": "pending-reboot"}
        settings["DBParameterGroups"] = [{"DBParameterGroupName": group} | status]
    record |= settings
    record.pop("EnhancedMonitoringResourceArn", None)
    record |= rds_monitoring.resource(record)


def _check_parameter_group(name: str, engine: Record) -> None:
    """Raises: Fault, for a parameter group that is not there, or not for this cluster or instance."""
    wanted = _default_group(engine)
    if name == wanted:
        return
    group = ministack.service("rds")._param_groups.get(name)
    if group is None:
        raise Fault("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
    family = wanted.removeprefix(PREFIX)
    if group["DBParameterGroupFamily"] != family:
        text = (
            f"The parameter group {name} with DBParameterGroupFamily "
            f"{group['DBParameterGroupFamily']} can't be used for this instance. Please use a "
            f"parameter group with DBParameterGroupFamily {family}"
        )
        raise Fault("InvalidParameterCombination", text)


def _default_group(cluster: Record) -> str:
    version = str(cluster["EngineVersion"])
    mysql = cluster["Engine"] == "aurora-mysql"
    return f"default.{cluster['Engine']}{version[:3] if mysql else version.partition('.')[0]}"


def _zone(call: Call, cluster: Record, group: Result) -> str:
    """The zone that was asked for, or the one with the fewest of the cluster's instances; one that
    the cluster has a subnet in."""
    subnets = group.get("Subnets", [])
    named = sorted({subnet["SubnetAvailabilityZone"]["Name"] for subnet in subnets})
    zones: list[str] = named or cluster["AvailabilityZones"]
    asked = call.params.get("AvailabilityZone")
    if asked is not None:
        if asked not in zones:
            raise Fault("InvalidParameterValue", f"Invalid availability zone: {asked}")
        return str(asked)
    used = Counter(one["AvailabilityZone"] for one in instances_of(cluster))
    return min(zones, key=lambda zone: used[zone])


def _subnet_group(call: Call, cluster: Record) -> Result:
    name = cluster["DBSubnetGroup"]
    if name == "default":
        return {"DBSubnetGroupName": name, "SubnetGroupStatus": "Complete"}
    asked = replace(call, operation="DescribeDBSubnetGroups")
    found: Result = stores.ask(asked, {"DBSubnetGroupName": name})["DBSubnetGroups"][0]
    return found
