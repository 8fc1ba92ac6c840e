"""What RDS asks of a new PostgreSQL instance, and the record of one that is accepted.

Other than Aurora's, such an instance has its own storage, credentials and backups, and with Multi-AZ
a standby in another zone that serves nobody until it takes over.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

import re
import uuid
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import rds_keys, rds_monitoring, stores
from platform_pipelines.local.aws import rds_postgres_versions as versions
from platform_pipelines.local.aws.rds_cluster_create import check_password, security_groups
from platform_pipelines.local.aws.rds_default_groups import PREFIX
from platform_pipelines.local.aws.rds_store import INSTANCES, Record, check_name, refuse_others
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, not_implemented
from platform_pipelines.local.world import World

RAISES = (
    *("DBInstanceAlreadyExists", "DBParameterGroupNotFound", "DBSubnetGroupNotFoundFault"),
    *("InvalidParameterCombination", "InvalidParameterValue", "KMSKeyNotAccessibleFault"),
    *("NotImplemented", "StorageTypeNotSupported"),
)
_CLASS = re.compile(
    r"db\.(m\d[a-z]*|r\d[a-z]*|t3|t4g|x2[a-z]*|c6gd)\.(micro|small|medium|\d*x?large)"
)
STORAGE = {"gp2": 5, "gp3": 20, "io1": 100, "io2": 100}  # the least GiB of each type
_LARGEST = 65536
_SETTINGS: dict[str, Any] = {  # what is kept as it is given, and what it is otherwise
    "AutoMinorVersionUpgrade": True,
    "BackupRetentionPeriod": 1,
    "CACertificateIdentifier": "rds-ca-rsa2048-g1",
    "CopyTagsToSnapshot": False,
    "DeletionProtection": False,
    "EngineLifecycleSupport": "open-source-rds-extended-support",
    "LicenseModel": "postgresql-license",
    "MultiAZ": False,
    "NetworkType": "IPV4",
    "PreferredBackupWindow": "18:00-18:30",
    "PreferredMaintenanceWindow": "sun:19:00-sun:19:30",
    "PubliclyAccessible": False,
}
_KNOWN = frozenset(
    {
        *_SETTINGS,
        *rds_monitoring.MEMBERS,
        *("AllocatedStorage", "AvailabilityZone", "DBInstanceClass", "DBInstanceIdentifier"),
        *("DBName", "DBParameterGroupName", "DBSubnetGroupName", "EnableCloudwatchLogsExports"),
        *("EnableIAMDatabaseAuthentication", "Engine", "EngineVersion", "Iops", "KmsKeyId"),
        *("MasterUsername", "MasterUserPassword", "MaxAllocatedStorage", "Port"),
        *("StorageEncrypted", "StorageThroughput", "StorageType", "Tags", "VpcSecurityGroupIds"),
    }
)


def checked(world: World, call: Call) -> Record:
    """The record of a new instance. Raises: Fault, for what RDS would refuse."""
    params = call.params
    if params["Engine"] != versions.ENGINE:
        raise not_implemented(f"rds CreateDBInstance of {params['Engine']} outside of a DB cluster")
    refuse_others(call, _KNOWN)
    name = check_name("DBInstanceIdentifier", params["DBInstanceIdentifier"])
    if INSTANCES.get(call.account, call.region, name):
        raise Fault("DBInstanceAlreadyExists", f"DB instance {name} already exists.")
    check_class(str(params["DBInstanceClass"]))
    _check_credentials(params)
    return _record(world, call, name)


def check_class(wanted: str) -> None:
    """Raises: Fault, for a class that PostgreSQL does not run on."""
    if not _CLASS.fullmatch(wanted):
        raise Fault("InvalidParameterValue", f"Invalid DB Instance class: {wanted}")


def check_storage(params: Params, type_: str, size: int) -> None:
    """Raises: Fault, for storage that there is not."""
    if type_ not in STORAGE:
        raise Fault("StorageTypeNotSupported", f"Invalid storage type: {type_}")
    most = params.get("MaxAllocatedStorage")
    if not STORAGE[type_] <= size <= _LARGEST:
        text = f"Invalid storage size for engine name {versions.ENGINE} and storage type {type_}:"
        raise Fault("InvalidParameterCombination", f"{text} {size}")
    if most is not None and most < size:
        text = "Max storage size must be greater than storage size"
        raise Fault("InvalidParameterCombination", text)


def check_parameter_group(name: str, version: str) -> None:
    """Raises: Fault, for a parameter group that is not there, or of another family."""
    wanted = versions.family(version)
    if name == f"{PREFIX}{wanted}":
        return
    group = ministack.service("rds")._param_groups.get(name)
    if group is None:
        raise Fault("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
    if group["DBParameterGroupFamily"] != wanted:
        text = (
            f"The parameter group {name} with DBParameterGroupFamily "
            f"{group['DBParameterGroupFamily']} can't be used for this instance. Please use a "
            f"parameter group with DBParameterGroupFamily {wanted}"
        )
        raise Fault("InvalidParameterCombination", text)


def _check_credentials(params: Params) -> None:
    for name in ("MasterUsername", "MasterUserPassword"):
        if not params.get(name):
            text = f"The parameter {name} must be provided and must not be blank."
            raise Fault("InvalidParameterValue", text)
    if params["MasterUsername"].lower() in {"admin", "rdsadmin", "user"}:
        text = f"MasterUsername {params['MasterUsername']} cannot be used as it is a reserved word"
        raise Fault("InvalidParameterValue", f"{text} used by the engine")
    check_password(params["MasterUserPassword"])


def _record(world: World, call: Call, name: str) -> Record:
    params, mark = call.params, uuid.uuid4().hex[:12]
    version = versions.known(params.get("EngineVersion"))
    group = params.get("DBParameterGroupName", f"{PREFIX}{versions.family(version)}")
    check_parameter_group(group, version)
    rds_monitoring.check_logs(versions.ENGINE, params.get("EnableCloudwatchLogsExports", []))
    record: Record = {key: params.get(key, default) for key, default in _SETTINGS.items()}
    record |= {
        "DBInstanceIdentifier": name,
        "DBInstanceArn": f"arn:aws:rds:{call.region}:{call.account}:db:{name}",
        "DbiResourceId": f"db-{uuid.uuid4().hex[:26].upper()}",
        "DBInstanceClass": params["DBInstanceClass"],
        "DBInstanceStatus": "creating",
        "Engine": versions.ENGINE,
        "EngineVersion": version,
        "MasterUsername": params["MasterUsername"],
        "Endpoint": {
            "Address": f"{name}.{mark}.{call.region}.rds.amazonaws.com",
            "Port": params.get("Port", versions.PORT),
            "HostedZoneId": "Z2R2ITUGPM61AM",
        },
        "DbInstancePort": 0,
        "DBParameterGroups": [{"DBParameterGroupName": group, "ParameterApplyStatus": "in-sync"}],
        "VpcSecurityGroups": security_groups(params.get("VpcSecurityGroupIds", [])),
        "IAMDatabaseAuthenticationEnabled": params.get("EnableIAMDatabaseAuthentication", False),
        "EnabledCloudwatchLogsExports": sorted(params.get("EnableCloudwatchLogsExports", [])),
        "InstanceCreateTime": world.now(),
        "_cluster": "",
    }
    if "DBName" in params:
        record["DBName"] = params["DBName"]
    record |= _storage(params) | _encryption(call) | rds_monitoring.settings(call, {})
    return record | _place(call) | rds_monitoring.resource(record)


def _storage(params: Params) -> Record:
    type_ = params.get("StorageType", "gp2")
    if "AllocatedStorage" not in params:
        text = "The parameter AllocatedStorage must be provided and must not be blank."
        raise Fault("InvalidParameterValue", text)
    check_storage(params, type_, params["AllocatedStorage"])
    names = ("AllocatedStorage", "Iops", "MaxAllocatedStorage", "StorageThroughput")
    return {"StorageType": type_} | {name: params[name] for name in names if name in params}


def _encryption(call: Call) -> Record:
    given = call.params.get("KmsKeyId")
    if not call.params.get("StorageEncrypted", False):
        if given:
            raise Fault("InvalidParameterCombination", "KmsKeyId needs StorageEncrypted.")
        return {"StorageEncrypted": False}
    key = rds_keys.find(call, given) if given else rds_keys.default(call)
    return {"StorageEncrypted": True, "KmsKeyId": key}


def _place(call: Call) -> Record:
    """Its subnets, its zone, and that of its standby."""
    params = call.params
    group = {"DBSubnetGroup": _subnet_group(call, params.get("DBSubnetGroupName", "default"))}
    subnets = group["DBSubnetGroup"].get("Subnets", [])
    named = sorted({one["SubnetAvailabilityZone"]["Name"] for one in subnets})
    found = named or [f"{call.region}{letter}" for letter in "ac"]  # of the default VPC
    asked, multi = params.get("AvailabilityZone"), params.get("MultiAZ", False)
    if asked and multi:
        text = "Requesting a specific availability zone is not valid for Multi-AZ instances."
        raise Fault("InvalidParameterCombination", text)
    if asked and asked not in found:
        raise Fault("InvalidParameterValue", f"Invalid availability zone: {asked}")
    second = {"SecondaryAvailabilityZone": found[1]} if multi else {}
    return {"AvailabilityZone": asked or found[0], "_zones": found} | second | group


def _subnet_group(call: Call, name: str) -> Result:
    if name == "default":
        return {"DBSubnetGroupName": name, "SubnetGroupStatus": "Complete"}
    if name not in ministack.service("rds")._subnet_groups:
        text = f"DB subnet group '{name}' does not exist."
        raise Fault("DBSubnetGroupNotFoundFault", text)
    asked = replace(call, operation="DescribeDBSubnetGroups")
    found: Result = stores.ask(asked, {"DBSubnetGroupName": name})["DBSubnetGroups"][0]
    return found
