"""EKS clusters: CREATING → ACTIVE | FAILED, UPDATING, DELETING → gone. Their API is our own.

A cluster that is CREATING has no endpoint and no certificate yet, as in AWS.
https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
"""

import base64

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks_entries
from platform_pipelines.local.aws import eks_network as network
from platform_pipelines.local.aws.answers import taken
from platform_pipelines.local.aws.eks_base import EksBase
from platform_pipelines.local.aws.eks_cluster_changes import config_change, version_change
from platform_pipelines.local.aws.eks_principals import check_roles
from platform_pipelines.local.aws.eks_records import (
    ADDONS,
    ASSOCIATIONS,
    CLUSTERS,
    ENTRIES,
    IN_USE,
    NODEGROUPS,
    NOT_FOUND,
    PARAMETER,
    POLICIES,
    REQUEST,
    Record,
    arn,
    asked_before,
    cluster_of,
    hexadecimal,
    in_use,
    of_cluster,
    paged,
    shown,
    store,
)
from platform_pipelines.local.aws.eks_updates import parked, refuse_while_busy
from platform_pipelines.local.aws.eks_versions import DEFAULT_PLATFORM, supported
from platform_pipelines.local.aws.service import (
    Call,
    Fault,
    Params,
    Result,
    not_implemented,
    operation,
)
from platform_pipelines.model import Region

_CREATED, _DELETED = "eks_cluster_created", "eks_cluster_deleted"
_SERVICES = "10.100.0.0/16"
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_KEPT = (
    *("encryptionConfig", "zonalShiftConfig", "remoteNetworkConfig", "computeConfig"),
    *("storageConfig", "controlPlaneScalingConfig", "tags"),
)


class ClusterOperations(EksBase):
    """The cluster operations of EKS."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_CREATED, self._created)
        self.world.timers.on(_DELETED, self._deleted)

    @operation(raises=(IN_USE, PARAMETER, "NotImplemented"), states="CREATING → ACTIVE | FAILED")
    def CreateCluster(self, call: Call) -> Result:  # noqa: N802
        name = call.params["name"]
        self._expect_own(call, name)
        old = store(CLUSTERS).get(name)
        if not asked_before(call, old):
            if old is not None:
                raise in_use(f"Cluster already exists with name: {name}")
            store(CLUSTERS)[name] = self._new_cluster(call, name)
            self._later("eks_cluster_creating", _CREATED, call, name)
        return {"cluster": self._cluster(call, store(CLUSTERS)[name])}

    @operation(raises=(NOT_FOUND,))
    def DescribeCluster(self, call: Call) -> Result:  # noqa: N802
        return {"cluster": self._cluster(call, cluster_of(call, "name"))}

    @operation(raises=(PARAMETER,))
    def ListClusters(self, call: Call) -> Result:  # noqa: N802
        return paged("clusters", sorted(store(CLUSTERS)), call.params)

    @operation(raises=(NOT_FOUND, IN_USE, REQUEST), states="DELETING → gone | FAILED")
    def DeleteCluster(self, call: Call) -> Result:  # noqa: N802
        record = cluster_of(call, "name")
        if record.get("deletionProtection"):
            message = f"Cannot delete cluster {record['name']}: deletion protection is enabled"
            raise Fault(REQUEST, message)
        if of_cluster(NODEGROUPS, record["name"]):
            raise in_use("Cluster has nodegroups attached")
        if record["status"] != "FAILED":
            refuse_while_busy(record, CLUSTERS)
        record["status"] = "DELETING"
        self._later("eks_cluster_deleting", _DELETED, call, record["name"])
        return {"cluster": self._cluster(call, record)}

    @operation(
        raises=(NOT_FOUND, IN_USE, PARAMETER, REQUEST), states="InProgress → Successful | Failed"
    )
    def UpdateClusterConfig(self, call: Call) -> Result:  # noqa: N802
        record = cluster_of(call, "name")
        return self._update(call, CLUSTERS, record["name"], lambda: config_change(call, record))

    @operation(
        raises=(NOT_FOUND, IN_USE, PARAMETER, REQUEST), states="InProgress → Successful | Failed"
    )
    def UpdateClusterVersion(self, call: Call) -> Result:  # noqa: N802
        record = cluster_of(call, "name")
        groups = of_cluster(NODEGROUPS, record["name"])
        return self._update(
            call, CLUSTERS, record["name"], lambda: version_change(record, call.params, groups)
        )

    def _expect_own(self, call: Call, name: str) -> None:
        """Only the platform's own clusters have a Kubernetes API and nodes here. Raises: Fault."""
        region = self.world.region_of(call.region)
        own = self.world.platform.cluster_name(region) if region else None
        if name != own or call.account != self.world.platform.account:
            only = f"; only {own} of account {self.world.platform.account}" if own else ""
            raise not_implemented(f"eks CreateCluster of {name} in {call.region}", only)

    def _new_cluster(self, call: Call, name: str) -> Record:
        params = call.params
        version = params.get("version", self.world.platform.kubernetes_version)
        if not supported(version):
            raise Fault(PARAMETER, f"unsupported Kubernetes version {version}")
        check_roles(params, "roleArn")
        record = {
            "name": name,
            "arn": arn(call, "cluster", name),
            "createdAt": self.world.now(),
            "version": version,
            "roleArn": params["roleArn"],
            "resourcesVpcConfig": _placed(call, params["resourcesVpcConfig"], name),
            "status": "CREATING",
            "_token": params.get("clientRequestToken"),
        }
        record |= _settings(params) | taken(params, *_KEPT)
        record["identity"] = {"oidc": {"issuer": _issuer(call.region)}}
        if params.get("accessConfig", {}).get("bootstrapClusterCreatorAdminPermissions", True):
            eks_entries.admit_creator(call, name, self.world.now())
        return record

    def _created(self, account: str, here: str, key: str, *, failed: bool = False) -> None:
        if parked(self.world, _CREATED, here=here, failed=failed, account=account, key=key):
            return
        with ministack.scope(account, here):
            record = store(CLUSTERS).get(key)
            if record is not None and record["status"] == "CREATING":
                record["status"] = "FAILED" if failed else "ACTIVE"
                record["health"] = {"issues": [_INTERNAL] if failed else []}

    def _deleted(self, account: str, here: str, key: str, *, failed: bool = False) -> None:
        if parked(self.world, _DELETED, here=here, failed=failed, account=account, key=key):
            return
        with ministack.scope(account, here):
            if failed:
                store(CLUSTERS)[key] |= {"status": "FAILED", "health": {"issues": [_INTERNAL]}}
                return
            _take_apart(self._own_call(account, here), key)
        region = self.world.region_of(here)
        ours = account == self.world.platform.account
        if region is not None and ours and key == self.world.platform.cluster_name(region):
            self._empty(region)

    def _empty(self, region: Region) -> None:
        """With a cluster goes everything that its Kubernetes API held."""
        self.world.gone_clusters.add(region.alias)
        kept = self.world.stores.get(region.alias)
        if kept is not None:
            kept.reset()

    def _cluster(self, call: Call, record: Record) -> Result:
        """A cluster as EKS describes it, with the address of our own Kubernetes API."""
        described = shown(record) | {"certificateAuthority": {}}
        region = self.world.region_of(call.region)
        if region is not None and record["status"] not in ("CREATING", "FAILED"):
            described["endpoint"] = f"https://127.0.0.1:{self.world.ports.kube[region.alias]}"
            authority = base64.b64encode(self.world.ca_pem).decode()
            described["certificateAuthority"] = {"data": authority}
        return described


_INTERNAL = {
    "code": "InternalFailure",
    "message": "EKS could not complete the request by an internal failure.",
    "resourceIds": [],
}


def _placed(call: Call, wanted: Params, name: str) -> Record:
    """The cluster's network as EKS keeps it."""
    found = network.subnets(call, wanted.get("subnetIds") or [])
    network.two_zones(found)
    vpc = network.one_network(found)
    return {
        "subnetIds": [subnet["SubnetId"] for subnet in found],
        "securityGroupIds": wanted.get("securityGroupIds", []),
        "clusterSecurityGroupId": network.create_security_group(call, name, vpc),
        "vpcId": vpc,
        "endpointPublicAccess": wanted.get("endpointPublicAccess", True),
        "endpointPrivateAccess": wanted.get("endpointPrivateAccess", False),
        "publicAccessCidrs": wanted.get("publicAccessCidrs", ["0.0.0.0/0"]),
    }


def _settings(params: Params) -> Record:
    """What EKS fills in."""
    access = params.get("accessConfig", {})
    addresses = params.get("kubernetesNetworkConfig", {})
    logs = params.get("logging") or {"clusterLogging": [{"types": list(_LOGS), "enabled": False}]}
    return {
        "platformVersion": DEFAULT_PLATFORM,
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": _SERVICES,
            "ipFamily": "ipv4",
            "elasticLoadBalancing": {"enabled": False},
        }
        | addresses,
        "logging": logs,
        "accessConfig": {"authenticationMode": access.get("authenticationMode", "CONFIG_MAP")},
        "upgradePolicy": {"supportType": "EXTENDED"} | params.get("upgradePolicy", {}),
        "deletionProtection": params.get("deletionProtection", False),
        "tags": {},
        "health": {"issues": []},
    }


def _issuer(region: str) -> str:
    return f"https://oidc.eks.{region}.amazonaws.com/id/{hexadecimal(32).upper()}"


def _take_apart(call: Call, name: str) -> None:
    """Forget a cluster and everything that belongs to it."""
    record = store(CLUSTERS).pop(name)
    for kind in (ADDONS, ENTRIES, POLICIES, ASSOCIATIONS):
        kept = store(kind)
        for key in [key for key, one in kept.items() if one["clusterName"] == name]:
            del kept[key]
    network.delete_security_group(call, record["resourcesVpcConfig"]["clusterSecurityGroupId"])
