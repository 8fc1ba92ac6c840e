"""What one update may change of a cluster, and what EKS says when it cannot."""

import json

from platform_pipelines.local.aws import eks_network as network
from platform_pipelines.local.aws.eks_records import PARAMETER, REQUEST, Record
from platform_pipelines.local.aws.eks_updates import Change
from platform_pipelines.local.aws.eks_versions import SKEW, minor, supported
from platform_pipelines.local.aws.service import Call, Fault, Params

_ENDPOINT = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
_PLACES = ("subnetIds", "securityGroupIds")
# The kind of update by the parameter of UpdateClusterConfig, and how the update lists it.
_KINDS = {
    "logging": ("LoggingUpdate", "ClusterLogging"),
    "accessConfig": ("AccessConfigUpdate", "AuthenticationMode"),
    "upgradePolicy": ("UpgradePolicyUpdate", "UpgradePolicy"),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", "ZonalShiftConfig"),
    "remoteNetworkConfig": ("RemoteNetworkConfigUpdate", "RemoteNetworkConfig"),
    "deletionProtection": ("DeletionProtectionUpdate", "DeletionProtection"),
    "controlPlaneScalingConfig": ("ControlPlaneScalingConfigUpdate", "UpdatedTier"),
}
_LISTED = {
    "endpointPublicAccess": "EndpointPublicAccess",
    "endpointPrivateAccess": "EndpointPrivateAccess",
    "publicAccessCidrs": "PublicAccessCidrs",
    "subnetIds": "Subnets",
    "securityGroupIds": "SecurityGroups",
}
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")  # in the only order in which it may change


def config_change(call: Call, record: Record) -> Change:
    """The change that UpdateClusterConfig asks for. Raises: Fault."""
    params = call.params
    asked = [name for name in (*_KINDS, "resourcesVpcConfig") if name in params]
    if len(asked) > 1:
        raise Fault(PARAMETER, "Only one type of update can be allowed.")
    if not asked:
        raise Fault(PARAMETER, "Invalid type for cluster update.")
    if asked == ["resourcesVpcConfig"]:
        return _network_change(call, record)
    return _setting_change(record, asked[0], params[asked[0]])


def version_change(record: Record, params: Params, groups: list[Record]) -> Change:
    """The change to another Kubernetes version: the next one, and no other. Raises: Fault."""
    old, new = record["version"], params["version"]
    if not supported(new):
        raise Fault(PARAMETER, f"unsupported Kubernetes version {new}")
    if new == old:
        raise Fault(PARAMETER, f"Cluster is already at version {new}")
    if minor(new) != minor(old) + 1:
        message = f"Unsupported Kubernetes minor version update from {old} to {new}"
        raise Fault(PARAMETER, message)
    for group in groups:
        if minor(new) - minor(group["version"]) > SKEW:
            message = f"Nodegroup {group['nodegroupName']} must be updated to match cluster version"
            raise Fault(REQUEST, f"{message} {old} before updating cluster version")
    return Change(
        kind="VersionUpdate",
        duration="eks_cluster_version_update",
        then={"version": new},
        listed={"Version": new},
    )


def _network_change(call: Call, record: Record) -> Change:
    wanted, now = call.params["resourcesVpcConfig"], record["resourcesVpcConfig"]
    changed = {key: value for key, value in wanted.items() if _differs(now.get(key), value)}
    if not changed:
        raise Fault(PARAMETER, _already(now))
    if changed.keys() & set(_ENDPOINT) and changed.keys() & set(_PLACES):
        raise Fault(PARAMETER, "Only one type of update can be allowed.")
    if "subnetIds" in changed:
        found = network.subnets(call, changed["subnetIds"])
        network.two_zones(found)
        network.one_network(found)
    listed = {_LISTED[key]: _text(value) for key, value in changed.items() if key in _LISTED}
    kind = "VpcConfigUpdate" if changed.keys() & set(_PLACES) else "EndpointAccessUpdate"
    return _update(kind, {"resourcesVpcConfig": now | changed}, listed)


def _setting_change(record: Record, name: str, value: Params | bool) -> Change:
    kind, listed = _KINDS[name]
    now = record.get(name)
    wanted = (now or {}) | value if isinstance(value, dict) else value
    if now == wanted:
        raise Fault(PARAMETER, f"Cluster is already at the desired configuration of {name}.")
    if name == "accessConfig" and isinstance(wanted, dict):
        _check_mode(record, str(wanted["authenticationMode"]))
    return _update(kind, {name: wanted}, {listed: _text(value)})


def _update(kind: str, then: Record, listed: dict[str, str]) -> Change:
    return Change(kind=kind, duration="eks_cluster_update", then=then, listed=listed)


def _check_mode(record: Record, wanted: str) -> None:
    """The way back from access entries does not exist, and none jumps over a mode."""
    now = record["accessConfig"]["authenticationMode"]
    if _MODES.index(wanted) != _MODES.index(now) + 1:
        message = f"Unsupported authentication mode update from {now} to {wanted}"
        raise Fault(PARAMETER, message)


def _differs(now: object, wanted: object) -> bool:
    if isinstance(now, list) and isinstance(wanted, list):
        return sorted(now) != sorted(wanted)
    return now != wanted


def _already(now: Record) -> str:
    told = (f"{key}: {_text(now[key])}" for key in _ENDPOINT)
    return f"Cluster is already at the desired configuration with {', '.join(told)}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
