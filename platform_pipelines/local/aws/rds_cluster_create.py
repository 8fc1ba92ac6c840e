"""What AWS asks of a new DB cluster, and the record of one that is accepted.

A cluster that joins a global cluster takes engine, version and credentials from its writer, and only
while the writer can be copied. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
"""

import uuid
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import (
    rds_global,
    rds_keys,
    rds_monitoring,
    rds_versions,
    stores,
)
from platform_pipelines.local.aws.rds_default_groups import is_default
from platform_pipelines.local.aws.rds_store import (
    CLUSTERS,
    Record,
    check_name,
    cluster_by_arn,
    instances_of,
    name_of,
    refuse_others,
    region_of,
)
from platform_pipelines.local.aws.service import Call, Fault, not_implemented
from platform_pipelines.local.world import World

RAISES = (
    *("DBClusterAlreadyExistsFault", "DBClusterParameterGroupNotFound"),
    *("DBSubnetGroupNotFoundFault", "GlobalClusterNotFoundFault", "InvalidDBClusterStateFault"),
    *("InvalidGlobalClusterStateFault", "InvalidParameterCombination", "InvalidParameterValue"),
    *("KMSKeyNotAccessibleFault", "NotImplemented"),
)
_CREDENTIALS = ("MasterUsername", "MasterUserPassword")
_KNOWN = frozenset(
    {
        *("AvailabilityZones", "BackupRetentionPeriod", "CopyTagsToSnapshot", "DatabaseName"),
        *("DBClusterIdentifier", "DBClusterParameterGroupName", "DBSubnetGroupName"),
        *("DeletionProtection", "EnableCloudwatchLogsExports", "EnableIAMDatabaseAuthentication"),
        *("Engine", "EngineLifecycleSupport", "EngineMode", "EngineVersion"),
        *("GlobalClusterIdentifier", "KmsKeyId", "MasterUsername", "MasterUserPassword"),
        *("NetworkType", "Port", "PreferredBackupWindow", "PreferredMaintenanceWindow"),
        *("StorageEncrypted", "StorageType", "Tags", "VpcSecurityGroupIds"),
    }
)


def checked(world: World, call: Call) -> Record:
    """The record of a new cluster. Raises: Fault, for what AWS would refuse."""
    refuse_others(call, _KNOWN)
    name = check_name("DBClusterIdentifier", call.params["DBClusterIdentifier"])
    if CLUSTERS.get(call.account, call.region, name):
        raise Fault("DBClusterAlreadyExistsFault", f"DB Cluster {name} already exists.")
    wanted = call.params.get("GlobalClusterIdentifier")
    joins = rds_global.find(call.account, wanted) if wanted else None
    source = _source(world, call, joins, name) if joins else None
    engine, version = _engine(call, joins)
    _check_credentials(call, source)
    _check_groups(call)
    rds_monitoring.check_logs(engine, call.params.get("EnableCloudwatchLogsExports", []))
    record = _record(world, call, name) | {"Engine": engine, "EngineVersion": version}
    record |= {"Port": call.params.get("Port", rds_versions.PORTS[engine])}
    record |= {"DBClusterParameterGroup": _parameter_group(call, engine, version)}
    record |= _encryption(call, joins, source) | _origin(call, source)
    return record


def _source(world: World, call: Call, joins: Record, name: str) -> Record | None:
    """The writer that a joining cluster is copied from; None for the first member."""
    if joins["Status"] != "available":
        message = f"Global cluster {joins['GlobalClusterIdentifier']} is {joins['Status']}."
        raise Fault("InvalidGlobalClusterStateFault", message)
    arns = [one["DBClusterArn"] for one in joins["GlobalClusterMembers"]]
    if call.region in map(region_of, arns):
        text = f"Global cluster {joins['GlobalClusterIdentifier']} already has a member in"
        raise Fault("InvalidParameterValue", f"{text} {call.region}.")
    if name in map(name_of, arns):
        message = f"DB Cluster {name} already exists in this global cluster."
        raise Fault("DBClusterAlreadyExistsFault", message)
    writer = rds_global.writer_of(joins)
    if writer is None:
        return None
    source = cluster_by_arn(writer["DBClusterArn"])
    if source is None or not _copyable(world, call, source):
        text = f"Source cluster: {writer['DBClusterArn']} is in a state which is not valid"
        raise Fault("InvalidDBClusterStateFault", f"{text} for physical replication")
    return source


def _copyable(world: World, call: Call, source: Record) -> bool:
    running = any(one["DBInstanceStatus"] == "available" for one in instances_of(source))
    apart = stores.apart(world, region_of(source["DBClusterArn"]), call.region)
    return source["Status"] == "available" and running and not apart


def _engine(call: Call, joins: Record | None) -> tuple[str, str]:
    engine = str(call.params["Engine"])
    if engine not in rds_versions.PORTS:
        raise not_implemented(f"rds CreateDBCluster of {engine}")
    if call.params.get("EngineMode", "provisioned") != "provisioned":
        raise not_implemented(f"rds EngineMode {call.params['EngineMode']}")
    version = rds_versions.known_version(engine, call.params.get("EngineVersion"))
    if joins is None:
        return engine, version
    text = f"should match setting for global cluster {joins['GlobalClusterIdentifier']}"
    if engine != joins["Engine"]:
        raise Fault("InvalidParameterValue", f"Value for engine {text}")
    if "EngineVersion" in call.params and version != joins["EngineVersion"]:
        raise Fault("InvalidParameterValue", f"Value for engineVersion {text}")
    return engine, str(joins["EngineVersion"])


def _check_credentials(call: Call, source: Record | None) -> None:
    if source is None:
        for name in _CREDENTIALS:
            if not call.params.get(name):
                text = f"The parameter {name} must be provided and must not be blank."
                raise Fault("InvalidParameterValue", text)
        check_password(call.params["MasterUserPassword"])
        return
    words = {"MasterUsername": "user name", "MasterUserPassword": "password"}
    for name, word in (words | {"DatabaseName": "database name"}).items():
        if name in call.params:
            text = f"Cannot specify {word} for cross region replication cluster"
            raise Fault("InvalidParameterCombination", text)


def check_password(password: str) -> None:
    """Refuse a password that RDS would not take. Raises: Fault."""
    if len(password) < 8:
        text = "The parameter MasterUserPassword is not a valid password because it is shorter than"
        raise Fault("InvalidParameterValue", f"{text} 8 characters.")


def _check_groups(call: Call) -> None:
    group = call.params.get("DBSubnetGroupName", "default")
    if group != "default" and group not in ministack.service("rds")._subnet_groups:
        text = f"DB subnet group '{group}' does not exist."
        raise Fault("DBSubnetGroupNotFoundFault", text)


def check_parameter_group(name: str) -> None:
    """Refuse a cluster parameter group that this Region lacks. Raises: Fault."""
    groups = ministack.service("rds")._db_cluster_param_groups
    if not is_default(name) and name not in groups:
        text = f"DBClusterParameterGroup not found: {name}"
        raise Fault("DBClusterParameterGroupNotFound", text)


def _parameter_group(call: Call, engine: str, version: str) -> str:
    given = call.params.get("DBClusterParameterGroupName")
    if given:
        check_parameter_group(given)
        return str(given)
    major = version[:3] if engine == "aurora-mysql" else version.partition(".")[0]
    return f"default.{engine}{major}"


def _encryption(call: Call, joins: Record | None, source: Record | None) -> dict[str, Any]:
    given = call.params.get("KmsKeyId")
    encrypted = bool(call.params.get("StorageEncrypted", bool(joins and joins["StorageEncrypted"])))
    if joins and encrypted != joins["StorageEncrypted"]:
        name = joins["GlobalClusterIdentifier"]
        text = f"Value for storageEncrypted should match setting for global cluster {name}"
        raise Fault("InvalidParameterValue", text)
    if given and not encrypted:
        raise Fault("InvalidParameterCombination", "KmsKeyId needs StorageEncrypted.")
    if not encrypted:
        return {"StorageEncrypted": False}
    if source and not given:
        text = f"Source cluster {source['DBClusterArn']} is encrypted; KmsKeyId has to be specified"
        raise Fault("InvalidParameterCombination", text)
    key = rds_keys.find(call, given) if given else rds_keys.default(call)
    return {"StorageEncrypted": True, "KmsKeyId": key}


def _origin(call: Call, source: Record | None) -> dict[str, Any]:
    if source is None:
        given = ("MasterUsername", "DatabaseName")
        return {name: call.params[name] for name in given if name in call.params}
    copied = {name: source[name] for name in ("MasterUsername", "DatabaseName") if name in source}
    return copied | {"ReplicationSourceIdentifier": source["DBClusterArn"]}


def _record(world: World, call: Call, name: str) -> Record:
    params, region = call.params, world.region_of(call.region)
    mark, host = uuid.uuid4().hex[:12], f"{call.region}.rds.amazonaws.com"
    now = world.now()
    return {
        "DBClusterIdentifier": name,
        "DBClusterArn": f"arn:aws:rds:{call.region}:{call.account}:cluster:{name}",
        "DbClusterResourceId": f"cluster-{uuid.uuid4().hex[:26].upper()}",
        "Status": "creating",
        "EngineMode": "provisioned",
        "AvailabilityZones": list(region.zones if region else params.get("AvailabilityZones", [])),
        "Endpoint": f"{name}.cluster-{mark}.{host}",
        "ReaderEndpoint": f"{name}.cluster-ro-{mark}.{host}",
        "HostedZoneId": "Z2R2ITUGPM61AM",
        "DBSubnetGroup": params.get("DBSubnetGroupName", "default"),
        "VpcSecurityGroups": security_groups(params.get("VpcSecurityGroupIds", [])),
        "BackupRetentionPeriod": params.get("BackupRetentionPeriod", 1),
        "PreferredBackupWindow": params.get("PreferredBackupWindow", "18:00-18:30"),
        "PreferredMaintenanceWindow": params.get(
            "PreferredMaintenanceWindow", "sun:19:00-sun:19:30"
        ),
        "IAMDatabaseAuthenticationEnabled": params.get("EnableIAMDatabaseAuthentication", False),
        "EnabledCloudwatchLogsExports": params.get("EnableCloudwatchLogsExports", []),
        "DeletionProtection": params.get("DeletionProtection", False),
        "CopyTagsToSnapshot": params.get("CopyTagsToSnapshot", False),
        "NetworkType": params.get("NetworkType", "IPV4"),
        "StorageType": params.get("StorageType", "aurora"),
        "EngineLifecycleSupport": params.get(
            "EngineLifecycleSupport", "open-source-rds-extended-support"
        ),
        "AllocatedStorage": 1,
        "AutoMinorVersionUpgrade": False,
        "ClusterCreateTime": now,
        "EarliestRestorableTime": now,
        "_writer": None,
        "_mark": mark,
    }


def security_groups(ids: list[str]) -> list[dict[str, str]]:
    """The security groups of a cluster or an instance."""
    return [{"VpcSecurityGroupId": one, "Status": "active"} for one in ids]
