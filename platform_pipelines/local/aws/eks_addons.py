"""EKS add-ons: CREATING → ACTIVE | DEGRADED | CREATE_FAILED, UPDATING, DELETING → gone.

An add-on with replicas waits for a node without taints, and is DEGRADED without one. The local
clusters run no pods of add-ons: what they would do is built in.
https://docs.aws.amazon.com/eks/latest/APIReference/API_Addon.html
"""

import yaml

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import eks_addon_identities as identities
from platform_pipelines.local.aws.answers import taken
from platform_pipelines.local.aws.eks_addon_catalog import BY_NAME, OFFERS, Offer
from platform_pipelines.local.aws.eks_base import EksBase
from platform_pipelines.local.aws.eks_health import issue, ready_for_all
from platform_pipelines.local.aws.eks_principals import check_roles
from platform_pipelines.local.aws.eks_records import (
    ADDONS,
    IN_USE,
    NOT_FOUND,
    PARAMETER,
    REQUEST,
    Record,
    active_cluster,
    addon_of,
    arn,
    asked_before,
    cluster_of,
    identity,
    in_use,
    key_of,
    missing,
    of_cluster,
    paged,
    shown,
    store,
)
from platform_pipelines.local.aws.eks_updates import Change, parked
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

_CREATED, _DELETED = "eks_addon_created", "eks_addon_deleted"
_AGAIN = 30.0  # AWS-like seconds between two looks at the nodes
_PATIENCE = 1200.0  # until EKS calls an add-on without replicas DEGRADED
_OPTIONS = ("serviceAccountRoleArn", "configurationValues")
_LISTED = {
    "addonVersion": "AddonVersion",
    "serviceAccountRoleArn": "ServiceAccountRoleArn",
    "resolveConflicts": "ResolveConflicts",
    "configurationValues": "ConfigurationValues",
}
_FEW = issue(
    "InsufficientNumberOfReplicas",
    "The add-on is unhealthy because it doesn't have the desired number of replicas.",
)


class AddonOperations(EksBase):
    """The add-on operations of EKS."""

    def start(self) -> None:
        super().start()
        self.world.timers.on(_CREATED, self._installed)
        self.world.timers.on(_DELETED, self._removed)

    @operation(
        raises=(NOT_FOUND, IN_USE, PARAMETER, REQUEST),
        states="CREATING → ACTIVE | DEGRADED | CREATE_FAILED",
    )
    def CreateAddon(self, call: Call) -> Result:  # noqa: N802
        cluster, name = cluster_of(call), call.params["addonName"]
        key = key_of(cluster["name"], name)
        old = store(ADDONS).get(key)
        if not asked_before(call, old):
            active_cluster(call)
            if old is not None:
                raise in_use("Addon already exists.")
            store(ADDONS)[key] = addon = self._new_addon(call, cluster)
            if identities.MEMBER in call.params:
                identities.associate(call, addon, self.world.now())
            self._later("eks_addon_creating", _CREATED, call, key)
        return {"addon": shown(store(ADDONS)[key])}

    @operation(raises=(NOT_FOUND,))
    def DescribeAddon(self, call: Call) -> Result:  # noqa: N802
        return {"addon": shown(addon_of(call))}

    @operation(raises=(NOT_FOUND, PARAMETER))
    def ListAddons(self, call: Call) -> Result:  # noqa: N802
        found = of_cluster(ADDONS, cluster_of(call)["name"])
        return paged("addons", [one["addonName"] for one in found], call.params)

    @operation(raises=(NOT_FOUND, IN_USE, PARAMETER), states="InProgress → Successful | Failed")
    def UpdateAddon(self, call: Call) -> Result:  # noqa: N802
        record = addon_of(call)
        key = key_of(record["clusterName"], record["addonName"])
        result = self._update(call, ADDONS, key, lambda: _change(call, record))
        if identities.MEMBER in call.params:
            identities.associate(call, record, self.world.now())
        return result

    @operation(raises=(NOT_FOUND, REQUEST), states="DELETING → gone | DELETE_FAILED")
    def DeleteAddon(self, call: Call) -> Result:  # noqa: N802
        record = addon_of(call)
        if record["status"] in ("UPDATING", "DELETING"):
            text = f"Addon {record['addonName']} cannot be deleted as it is {record['status']}"
            raise Fault(REQUEST, text)
        record |= {"status": "DELETING", "modifiedAt": self.world.now()}
        key = key_of(record["clusterName"], record["addonName"])
        self._later("eks_addon_deleting", _DELETED, call, key)
        return {"addon": shown(record)}

    @operation(raises=(NOT_FOUND, PARAMETER))
    def DescribeAddonVersions(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        version = params.get("kubernetesVersion", self.world.platform.kubernetes_version)
        offers = [one for one in OFFERS if params.get("addonName", one.name) == one.name]
        if not offers:
            raise missing(f"Addon {params['addonName']} not found")
        for key, value in (("types", "kind"),):
            if params.get(key):
                offers = [one for one in offers if getattr(one, value) in params[key]]
        if "eks" not in params.get("publishers", ["eks"]) or "aws" not in params.get(
            "owners", ["aws"]
        ):
            offers = []
        return paged("addons", [one.described(version) for one in offers], params)

    def _new_addon(self, call: Call, cluster: Record) -> Record:
        params, now = call.params, self.world.now()
        offer = _offer(params["addonName"], cluster["version"])
        _check(params)
        namespace = params.get("namespaceConfig", {}).get("namespace", offer.namespace)
        identities.check(params, cluster["name"], namespace)
        return {
            "addonName": offer.name,
            "clusterName": cluster["name"],
            "status": "CREATING",
            "addonVersion": _version(offer, params.get("addonVersion")),
            "health": {"issues": []},
            "addonArn": arn(call, "addon", cluster["name"], offer.name, identity()),
            "createdAt": now,
            "modifiedAt": now,
            "tags": params.get("tags", {}),
            "publisher": "eks",
            "owner": "aws",
            "namespaceConfig": {"namespace": namespace},
            "_token": params.get("clientRequestToken"),
        } | taken(params, *_OPTIONS)

    def _installed(self, account: str, here: str, key: str, *, failed: bool = False) -> None:
        scope = {"account": account, "here": here, "key": key}
        if parked(self.world, _CREATED, failed=failed, **scope):
            return
        with ministack.scope(account, here):
            record = store(ADDONS).get(key)
            if record is None or record["status"] not in ("CREATING", "DEGRADED"):
                return
            if failed:
                record["status"] = "CREATE_FAILED"
                record["health"] = {"issues": [_conflict(record["addonName"])]}
                return
            self._watch(record, here, scope)

    def _watch(self, record: Record, here: str, scope: Record) -> None:
        """ACTIVE with its replicas; DEGRADED when it had to wait too long for a node."""
        if not BY_NAME[record["addonName"]].replicated or ready_for_all(self.world, here):
            record |= {"status": "ACTIVE", "health": {"issues": []}}
            return
        if self.world.now() >= record["createdAt"] + _PATIENCE:
            record |= {"status": "DEGRADED", "health": {"issues": [_FEW]}}
        self.world.timers.after(_AGAIN, _CREATED, **scope)

    def _removed(self, account: str, here: str, key: str, *, failed: bool = False) -> None:
        if parked(self.world, _DELETED, here=here, failed=failed, account=account, key=key):
            return
        with ministack.scope(account, here):
            if failed:
                record = store(ADDONS)[key]
                record |= {"status": "DELETE_FAILED"}
                record["health"] = {"issues": [_conflict(record["addonName"])]}
            elif addon := store(ADDONS).pop(key, None):
                identities.forget(addon)


def _offer(name: str, kubernetes: str) -> Offer:
    if name not in BY_NAME:
        text = f"Addon {name} specified is not supported in {kubernetes} kubernetes version"
        raise Fault(PARAMETER, text)
    return BY_NAME[name]


def _check(params: Params) -> None:
    """Raises: Fault, for a role or a configuration that is none."""
    check_roles(params, "serviceAccountRoleArn")
    try:
        values = yaml.safe_load(params.get("configurationValues", ""))
    except yaml.YAMLError:
        values = False
    if not isinstance(values, dict | None):
        raise Fault(PARAMETER, "ConfigurationValue is not in valid JSON or YAML format.")


def _version(offer: Offer, wanted: str | None) -> str:
    if wanted is not None and wanted not in offer.versions:
        raise Fault(PARAMETER, "Addon version specified is not supported")
    return wanted or offer.versions[0]


def _change(call: Call, record: Record) -> Change:
    """What UpdateAddon asks for. Raises: Fault."""
    _check(call.params)
    namespace = record["namespaceConfig"]["namespace"]
    identities.check(call.params, record["clusterName"], namespace, record["addonArn"])
    wanted = taken(call.params, *_OPTIONS)
    if "addonVersion" in call.params:
        _version(BY_NAME[record["addonName"]], call.params["addonVersion"])
        wanted["addonVersion"] = call.params["addonVersion"]
    listed = {_LISTED[key]: str(call.params[key]) for key in _LISTED if key in call.params}
    return Change(kind="AddonUpdate", duration="eks_addon_update", then=wanted, listed=listed)


def _conflict(name: str) -> Record:
    text = f"Conflicts found when trying to apply {name}; will not continue."
    return issue("ConfigurationConflict", text)
