"""EKS: clusters whose endpoint is our own Kubernetes API, and node groups that change by updates.

ministack keeps the records; here nothing starts Docker. A cluster is ACTIVE at once: its Kubernetes
API was there before. Nodes are the node controller's, which reads `node_groups`.
https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
"""

import base64
from dataclasses import replace
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks_updates, stores
from platform_pipelines.local.aws.eks_updates import CLUSTERS, NODEGROUPS, Updates
from platform_pipelines.local.aws.paging import BadToken, page
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation
from platform_pipelines.local.world import World

Record = dict[str, Any]

# What EKS takes when scalingConfig is absent.
DEFAULT_SCALING = {"minSize": 1, "maxSize": 2, "desiredSize": 2}


def node_groups(world: World, region_name: str) -> list[Record]:
    """The node groups of the Region's cluster (`region_name` is its AWS name), as DescribeNodegroup
    has them: nodegroupName, status, scalingConfig, labels, taints, instanceTypes, subnets, …"""
    region = world.region_of(region_name)
    if region is None:
        return []
    name = world.platform.cluster_name(region)
    with ministack.scope(world.platform.account, region_name):
        return [_view(item) for item in _nodegroups().values() if item["clusterName"] == name]


class Eks(Service):
    """Clusters and node groups; ministack's for add-ons, access and tags."""

    name = "eks"
    passes = frozenset(
        {
            *("TagResource", "UntagResource", "ListTagsForResource"),
            *("CreateAddon", "DescribeAddon", "ListAddons", "DeleteAddon", "UpdateAddon"),
            *("CreateAccessEntry", "DescribeAccessEntry", "ListAccessEntries"),
            *("UpdateAccessEntry", "DeleteAccessEntry", "AssociateAccessPolicy"),
            *("DisassociateAccessPolicy", "ListAssociatedAccessPolicies"),
            *("CreatePodIdentityAssociation", "DescribePodIdentityAssociation"),
            *("ListPodIdentityAssociations", "UpdatePodIdentityAssociation"),
            "DeletePodIdentityAssociation",
        }
    )

    def start(self) -> None:
        self._updates = Updates(self.world)
        ministack.service("eks").__dict__["_get_docker"] = _no_docker

    @operation
    def CreateCluster(self, call: Call) -> Result:  # noqa: N802
        defaults = {"version": self.world.platform.kubernetes_version}
        stores.ask(call, defaults | call.params)
        record = self._record(call, "name")
        record["createdAt"] = self.world.now()
        kept = ("deletionProtection", "upgradePolicy", "zonalShiftConfig", "encryptionConfig")
        record.update({key: call.params[key] for key in kept if key in call.params})
        return {"cluster": self._cluster(call, call.params["name"])}

    @operation
    def DescribeCluster(self, call: Call) -> Result:  # noqa: N802
        return {"cluster": self._cluster(call, call.params["name"])}

    @operation
    def ListClusters(self, call: Call) -> Result:  # noqa: N802
        return _paged("clusters", sorted(_clusters()), call.params)

    @operation
    def DeleteCluster(self, call: Call) -> Result:  # noqa: N802
        name = call.params["name"]
        if self._record(call, "name").get("deletionProtection"):
            raise Fault("InvalidRequestException", f"Cluster {name} is protected from deletion")
        if any(item["clusterName"] == name for item in _nodegroups().values()):
            raise Fault("ResourceInUseException", "Cluster has nodegroups attached", 409)
        cluster = self._cluster(call, name)
        stores.ask(call)
        return {"cluster": cluster | {"status": "DELETING"}}

    @operation
    def CreateNodegroup(self, call: Call) -> Result:  # noqa: N802
        self._record(call)
        scaling = call.params.get("scalingConfig") or dict(DEFAULT_SCALING)
        if set(scaling) != set(DEFAULT_SCALING):
            missing = ", ".join(sorted(set(DEFAULT_SCALING) - set(scaling)))
            raise Fault("InvalidParameterException", f"scalingConfig lacks {missing}.")
        eks_updates.check_scaling(scaling)
        created = stores.ask(call, call.params | {"scalingConfig": scaling})["nodegroup"]
        record = _nodegroups()[f"{call.params['clusterName']}/{created['nodegroupName']}"]
        record["createdAt"] = record["modifiedAt"] = self.world.now()
        kept = ("launchTemplate", "updateConfig", "nodeRepairConfig", "remoteAccess")
        record.update({key: call.params[key] for key in kept if key in call.params})
        return self.DescribeNodegroup(call)

    @operation
    def DescribeNodegroup(self, call: Call) -> Result:  # noqa: N802
        return {"nodegroup": _view(self._nodegroup(call))}

    @operation
    def ListNodegroups(self, call: Call) -> Result:  # noqa: N802
        self._record(call)
        name = call.params["clusterName"]
        found = [item for item in _nodegroups().values() if item["clusterName"] == name]
        return _paged("nodegroups", sorted(item["nodegroupName"] for item in found), call.params)

    @operation
    def UpdateClusterConfig(self, call: Call) -> Result:  # noqa: N802
        return self._update(call, CLUSTERS, self._record(call, "name")["name"], "ConfigUpdate")

    @operation
    def UpdateClusterVersion(self, call: Call) -> Result:  # noqa: N802
        return self._update(call, CLUSTERS, self._record(call, "name")["name"], "VersionUpdate")

    @operation
    def DeleteNodegroup(self, call: Call) -> Result:  # noqa: N802
        record = self._nodegroup(call)
        eks_updates.refuse_while_updating(record)
        stores.ask(call)
        return {"nodegroup": _view(record) | {"status": "DELETING"}}

    @operation
    def UpdateNodegroupConfig(self, call: Call) -> Result:  # noqa: N802
        return self._update(call, NODEGROUPS, _key(self._nodegroup(call)), "ConfigUpdate")

    @operation
    def UpdateNodegroupVersion(self, call: Call) -> Result:  # noqa: N802
        return self._update(call, NODEGROUPS, _key(self._nodegroup(call)), "VersionUpdate")

    @operation
    def DescribeUpdate(self, call: Call) -> Result:  # noqa: N802
        wanted = call.params["updateId"]
        update = next((one for one in self._updates_of(call) if one["id"] == wanted), None)
        if update is None:
            raise Fault("ResourceNotFoundException", f"No update found for ID: {wanted}", 404)
        return {"update": eks_updates.view(update)}

    @operation
    def ListUpdates(self, call: Call) -> Result:  # noqa: N802
        return _paged("updateIds", [one["id"] for one in self._updates_of(call)], call.params)

    def _updates_of(self, call: Call) -> list[Record]:
        """Updates of the cluster itself, or of the node group that is named."""
        record = self._record(call, "name")
        if "nodegroupName" in call.params:
            record = self._nodegroup(call, "name")
        return eks_updates.all_of(record)

    def _update(self, call: Call, store: str, key: str, kind: str) -> Result:
        return {"update": self._updates.begin(call, store, key, kind)}

    def _record(self, call: Call, key: str = "clusterName") -> Record:
        name = call.params[key]
        record: Record | None = _clusters().get(name)
        if record is None:
            raise Fault("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
        return record

    def _nodegroup(self, call: Call, key: str = "clusterName") -> Record:
        self._record(call, key)
        name = call.params["nodegroupName"]
        record: Record | None = _nodegroups().get(f"{call.params[key]}/{name}")
        if record is None:
            raise Fault("ResourceNotFoundException", f"No node group found for name: {name}.", 404)
        return record

    def _cluster(self, call: Call, name: str) -> Result:
        """A cluster as EKS describes it, with the address of our own Kubernetes API."""
        record = self._record(call, "name")
        region = self.world.region_of(call.region)
        describe = replace(call, operation="DescribeCluster")
        described: Result = stores.ask(describe, {"name": name})["cluster"]
        described["status"] = eks_updates.status_of(record)
        if region is not None:
            described["endpoint"] = f"https://127.0.0.1:{self.world.ports.kube[region.alias]}"
        authority = base64.b64encode(self.world.ca_pem).decode()
        return described | {"certificateAuthority": {"data": authority}}


def _key(nodegroup: Record) -> str:
    return f"{nodegroup['clusterName']}/{nodegroup['nodegroupName']}"


def _view(record: Record) -> Result:
    shown = {key: value for key, value in record.items() if not key.startswith("_")}
    for key in ("createdAt", "modifiedAt"):
        shown[key] = eks_updates.moment(record[key])
    return shown | {"status": eks_updates.status_of(record)}


def _paged(key: str, items: list[str], params: Params) -> Result:
    try:
        shown, token = page(items, params.get("nextToken"), params.get("maxResults", 100))
    except BadToken:
        raise Fault("InvalidParameterException", "The nextToken is not valid.") from None
    return {key: shown} | ({"nextToken": token} if token else {})


def _clusters() -> Any:
    return ministack.service("eks")._clusters


def _nodegroups() -> Any:
    return ministack.service("eks")._nodegroups


def _no_docker() -> None:
    return None
