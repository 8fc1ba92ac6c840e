"""EKS managed node groups: CREATING → ACTIVE | CREATE_FAILED, UPDATING, DEGRADED, DELETING → gone.

A group is ACTIVE once its nodes have joined. The nodes themselves are the node controller's, which
reads `node_groups` of `eks` and reports launches that failed through `eks_health`.
https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks_entries, eks_health
from platform_pipelines.local.aws import eks_network as network
from platform_pipelines.local.aws.answers import taken
from platform_pipelines.local.aws.eks_base import EksBase
from platform_pipelines.local.aws.eks_nodegroup_changes import (
    check_labels,
    check_scaling,
    config_change,
    version_change,
)
from platform_pipelines.local.aws.eks_principals import check_roles
from platform_pipelines.local.aws.eks_records import (
    IN_USE,
    NODEGROUPS,
    NOT_FOUND,
    PARAMETER,
    REQUEST,
    Record,
    active_cluster,
    arn,
    asked_before,
    cluster_of,
    identity,
    in_use,
    key_of,
    nodegroup_of,
    of_cluster,
    paged,
    shown,
    store,
)
from platform_pipelines.local.aws.eks_updates import parked, refuse_while_busy
from platform_pipelines.local.aws.eks_versions import minor, release
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

# What EKS takes when scalingConfig is absent.
DEFAULT_SCALING = {"minSize": 1, "maxSize": 2, "desiredSize": 2}
_CREATED, _DELETED = "eks_nodegroup_created", "eks_nodegroup_deleted"
_AGAIN = 10.0  # AWS-like seconds between two looks at nodes that come or go
_PATIENCE = 1200.0  # until EKS gives up on nodes that do not join
_KEPT = ("launchTemplate", "nodeRepairConfig", "remoteAccess", "warmPoolConfig")
_IN_TEMPLATE = {"diskSize": "Disk size", "remoteAccess": "Remote access configuration"}


class NodegroupOperations(EksBase):
    """The node group operations of EKS."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_CREATED, self._joined)
        self.world.timers.on(_DELETED, self._drained)

    @operation(
        raises=(NOT_FOUND, IN_USE, PARAMETER, REQUEST), states="CREATING → ACTIVE | CREATE_FAILED"
    )
    def CreateNodegroup(self, call: Call) -> Result:  # noqa: N802
        name = call.params["nodegroupName"]
        cluster = cluster_of(call)
        key = key_of(cluster["name"], name)
        old = store(NODEGROUPS).get(key)
        if not asked_before(call, old):
            self._create(call, key, old)
        return {"nodegroup": shown(store(NODEGROUPS)[key])}

    @operation(raises=(NOT_FOUND,))
    def DescribeNodegroup(self, call: Call) -> Result:  # noqa: N802
        return {"nodegroup": shown(nodegroup_of(call))}

    @operation(raises=(NOT_FOUND, PARAMETER))
    def ListNodegroups(self, call: Call) -> Result:  # noqa: N802
        found = of_cluster(NODEGROUPS, cluster_of(call)["name"])
        return paged("nodegroups", [one["nodegroupName"] for one in found], call.params)

    @operation(raises=(NOT_FOUND, IN_USE), states="DELETING → gone | DELETE_FAILED")
    def DeleteNodegroup(self, call: Call) -> Result:  # noqa: N802
        record = nodegroup_of(call)
        if record["status"] not in ("CREATE_FAILED", "DELETE_FAILED", "CREATING"):
            refuse_while_busy(record, NODEGROUPS)
        record |= {"status": "DELETING", "modifiedAt": self.world.now()}
        key = key_of(record["clusterName"], record["nodegroupName"])
        self._later("eks_nodegroup_deleting", _DELETED, call, key)
        return {"nodegroup": shown(record)}

    @operation(raises=(NOT_FOUND, IN_USE, PARAMETER), states="InProgress → Successful | Failed")
    def UpdateNodegroupConfig(self, call: Call) -> Result:  # noqa: N802
        record = nodegroup_of(call)
        key = key_of(record["clusterName"], record["nodegroupName"])
        return self._update(call, NODEGROUPS, key, lambda: config_change(record, call.params))

    @operation(
        raises=(NOT_FOUND, IN_USE, PARAMETER, REQUEST), states="InProgress → Successful | Failed"
    )
    def UpdateNodegroupVersion(self, call: Call) -> Result:  # noqa: N802
        record, cluster = nodegroup_of(call), cluster_of(call)
        key = key_of(record["clusterName"], record["nodegroupName"])
        return self._update(
            call,
            NODEGROUPS,
            key,
            lambda: version_change(record, call.params, cluster["version"]),
        )

    def _create(self, call: Call, key: str, old: Record | None) -> None:
        cluster, name = active_cluster(call), call.params["nodegroupName"]
        if old is not None:
            message = (
                f"NodeGroup already exists with name {name} and cluster name {cluster['name']}"
            )
            raise in_use(message)
        _check(call.params, cluster)
        found = network.subnets(call, call.params["subnets"])
        if network.one_network(found) != cluster["resourcesVpcConfig"]["vpcId"]:
            raise Fault(PARAMETER, "Subnets are not in the VPC of the cluster")
        now = self.world.now()
        store(NODEGROUPS)[key] = self._new_nodegroup(call, cluster) | {
            "createdAt": now,
            "modifiedAt": now,
        }
        eks_entries.admit_nodes(call, cluster, call.params["nodeRole"], now)
        self._later("eks_nodegroup_creating", _CREATED, call, key)

    def _new_nodegroup(self, call: Call, cluster: Record) -> Record:
        params, unique = call.params, identity()
        name = params["nodegroupName"]
        version = str(params.get("version", cluster["version"]))
        record = {
            "nodegroupName": name,
            "nodegroupArn": arn(call, "nodegroup", cluster["name"], name, unique),
            "clusterName": cluster["name"],
            "version": version,
            "releaseVersion": params.get("releaseVersion", release(version)),
            "status": "CREATING",
            "scalingConfig": params.get("scalingConfig") or dict(DEFAULT_SCALING),
            "subnets": params["subnets"],
            "nodeRole": params["nodeRole"],
            "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{unique}"}]},
            "_token": params.get("clientRequestToken"),
        }
        return record | _settings(params) | taken(params, *_KEPT)

    def _joined(self, account: str, here: str, key: str, *, failed: bool = False) -> None:
        scope = {"account": account, "here": here, "key": key}
        if parked(self.world, _CREATED, failed=failed, **scope):
            return
        with ministack.scope(account, here):
            record = store(NODEGROUPS).get(key)
            if record is None or record["status"] != "CREATING":
                return
            if failed or self.world.now() > record["createdAt"] + _PATIENCE:
                eks_health.report(record, [eks_health.not_joined()])
            if record["health"]["issues"]:
                record["status"] = "CREATE_FAILED"
            elif eks_health.all_joined(self.world, here, record):
                record["status"] = "ACTIVE"
            else:
                self.world.timers.after(_AGAIN, _CREATED, **scope)

    def _drained(self, account: str, here: str, key: str, *, failed: bool = False) -> None:
        scope = {"account": account, "here": here, "key": key}
        if parked(self.world, _DELETED, failed=failed, **scope):
            return
        with ministack.scope(account, here):
            record = store(NODEGROUPS)[key]
            if failed:
                record["status"] = "DELETE_FAILED"
                eks_health.report(record, [eks_health.not_terminated()])
            elif eks_health.nodes_of(self.world, here, record["nodegroupName"]):
                self.world.timers.after(_AGAIN, _DELETED, **scope)
            else:
                del store(NODEGROUPS)[key]


def _check(params: Params, cluster: Record) -> None:
    """Raises: Fault, for what EKS refuses without asking anybody else."""
    if "scalingConfig" in params:
        missing = sorted(set(DEFAULT_SCALING) - set(params["scalingConfig"]))
        if missing:
            raise Fault(PARAMETER, f"scalingConfig lacks {', '.join(missing)}.")
        check_scaling(params["scalingConfig"])
    check_roles(params, "nodeRole")
    check_labels(params.get("labels", {}))
    if "launchTemplate" in params:
        for key, what in _IN_TEMPLATE.items():
            if key in params:
                raise Fault(PARAMETER, f"{what} must be specified within the launch template.")
    version = str(params.get("version", cluster["version"]))
    if minor(version) > minor(cluster["version"]):
        message = f"Requested Nodegroup version {version} is higher than cluster version"
        raise Fault(PARAMETER, f"{message} {cluster['version']}")


def _settings(params: Params) -> Record:
    """What EKS fills in. A launch template says the size of the disks itself."""
    disk = {} if "launchTemplate" in params else {"diskSize": params.get("diskSize", 20)}
    return disk | {
        "capacityType": params.get("capacityType", "ON_DEMAND"),
        "instanceTypes": params.get("instanceTypes", ["t3.medium"]),
        "amiType": params.get("amiType", "AL2023_x86_64_STANDARD"),
        "labels": params.get("labels", {}),
        "taints": params.get("taints", []),
        "updateConfig": params.get("updateConfig", {"maxUnavailable": 1}),
        "health": {"issues": []},
        "tags": params.get("tags", {}),
    }
