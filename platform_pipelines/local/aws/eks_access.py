"""Access entries and access policies: who may enter a cluster, and as what.

All of it is done at once. https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html
"""

from platform_pipelines.local.aws.answers import moment, taken
from platform_pipelines.local.aws.eks_base import EksBase
from platform_pipelines.local.aws.eks_entries import POLICY, WITH_ENTRIES, new_entry, new_policy
from platform_pipelines.local.aws.eks_principals import check_principal
from platform_pipelines.local.aws.eks_records import (
    ENTRIES,
    IN_USE,
    NOT_FOUND,
    PARAMETER,
    POLICIES,
    REQUEST,
    Record,
    asked_before,
    changed,
    cluster_of,
    in_use,
    key_of,
    missing,
    of_cluster,
    paged,
    shown,
    store,
)
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

_POLICIES = (
    *("AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSAutoNodePolicy"),
    *("AmazonEKSBlockStorageClusterPolicy", "AmazonEKSBlockStoragePolicy"),
    *("AmazonEKSClusterAdminPolicy", "AmazonEKSComputeClusterPolicy", "AmazonEKSComputePolicy"),
    *("AmazonEKSEditPolicy", "AmazonEKSHybridPolicy", "AmazonEKSLoadBalancingClusterPolicy"),
    *("AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingClusterPolicy"),
    *("AmazonEKSNetworkingPolicy", "AmazonEKSViewPolicy"),
)


class AccessOperations(EksBase):
    """The access operations of EKS."""

    @operation(raises=(NOT_FOUND, IN_USE, PARAMETER, REQUEST))
    def CreateAccessEntry(self, call: Call) -> Result:  # noqa: N802
        cluster, principal = _cluster(call), call.params["principalArn"]
        old = store(ENTRIES).get(key_of(cluster, principal))
        if not asked_before(call, old):
            if old is not None:
                message = "The specified access entry resource is already in use on this cluster."
                raise in_use(message)
            check_principal(principal)
            _check(call.params)
            old = new_entry(call, cluster, principal, self.world.now(), call.params)
        assert old is not None
        return {"accessEntry": shown(old)}

    @operation(raises=(NOT_FOUND, REQUEST))
    def DescribeAccessEntry(self, call: Call) -> Result:  # noqa: N802
        return {"accessEntry": shown(_entry(call))}

    @operation(raises=(NOT_FOUND, PARAMETER, REQUEST))
    def ListAccessEntries(self, call: Call) -> Result:  # noqa: N802
        entries = of_cluster(ENTRIES, _cluster(call))
        principals = [one["principalArn"] for one in entries]
        if policy := call.params.get("associatedPolicyArn"):
            holders = {
                one["_principal"] for one in store(POLICIES).values() if one["policyArn"] == policy
            }
            principals = [one for one in principals if one in holders]
        return paged("accessEntries", principals, call.params)

    @operation(raises=(NOT_FOUND, PARAMETER, REQUEST))
    def UpdateAccessEntry(self, call: Call) -> Result:  # noqa: N802
        entry = _entry(call)
        if entry["type"] != "STANDARD":
            raise Fault(REQUEST, "Only access entries of type STANDARD can be updated.")
        _check(call.params | {"type": "STANDARD"})
        members = taken(call.params, "kubernetesGroups", "username")
        changed(entry, self.world.now, **members)
        return {"accessEntry": shown(entry)}

    @operation(raises=(NOT_FOUND, REQUEST))
    def DeleteAccessEntry(self, call: Call) -> Result:  # noqa: N802
        entry = _entry(call)
        key = key_of(entry["clusterName"], entry["principalArn"])
        for policy in _policies(entry):
            del store(POLICIES)[f"{key}/{policy['policyArn']}"]
        del store(ENTRIES)[key]
        return {}

    @operation(raises=(NOT_FOUND, PARAMETER, REQUEST))
    def AssociateAccessPolicy(self, call: Call) -> Result:  # noqa: N802
        entry, policy = _entry(call), call.params["policyArn"]
        if entry["type"] != "STANDARD":
            text = "Access policies can be associated with access entries of type STANDARD only."
            raise Fault(REQUEST, text)
        if policy.removeprefix(POLICY) not in _POLICIES:
            raise missing(f"The specified policyArn is invalid: {policy}")
        scope = _scope(call.params["accessScope"])
        cluster, principal = entry["clusterName"], entry["principalArn"]
        made = new_policy(cluster, principal, policy, scope, self.world.now())
        key = {"clusterName": cluster, "principalArn": principal}
        return key | {"associatedAccessPolicy": _policy(made)}

    @operation(raises=(NOT_FOUND, REQUEST))
    def DisassociateAccessPolicy(self, call: Call) -> Result:  # noqa: N802
        entry, policy = _entry(call), call.params["policyArn"]
        key = f"{key_of(entry['clusterName'], entry['principalArn'])}/{policy}"
        if key not in store(POLICIES):
            raise missing(f"The policy {policy} is not associated with the access entry.")
        del store(POLICIES)[key]
        return {}

    @operation(raises=(NOT_FOUND, REQUEST))
    def ListAssociatedAccessPolicies(self, call: Call) -> Result:  # noqa: N802
        entry = _entry(call)
        found = [_policy(one) for one in _policies(entry)]
        key = {name: entry[name] for name in ("clusterName", "principalArn")}
        return key | paged("associatedAccessPolicies", found, call.params)

    @operation
    def ListAccessPolicies(self, call: Call) -> Result:  # noqa: N802
        found = [{"name": name, "arn": f"{POLICY}{name}"} for name in _POLICIES]
        return paged("accessPolicies", found, call.params)


def _cluster(call: Call) -> str:
    """The name of the cluster, which has to know access entries. Raises: Fault."""
    record = cluster_of(call)
    if record["accessConfig"]["authenticationMode"] not in WITH_ENTRIES:
        text = (
            f"The cluster's authentication mode must be set to one of [{', '.join(WITH_ENTRIES)}]"
        )
        raise Fault(REQUEST, f"{text} to perform this operation.")
    name: str = record["name"]
    return name


def _entry(call: Call) -> Record:
    principal = call.params["principalArn"]
    found: Record | None = store(ENTRIES).get(key_of(_cluster(call), principal))
    if found is None:
        raise missing(
            "The specified principalArn could not be found. You can view your available "
            "access entries with 'list-access-entries'."
        )
    return found


def _policies(entry: Record) -> list[Record]:
    return [
        one
        for one in of_cluster(POLICIES, entry["clusterName"])
        if one["_principal"] == entry["principalArn"]
    ]


def _policy(record: Record) -> Result:
    return {
        "policyArn": record["policyArn"],
        "accessScope": record["accessScope"],
        "associatedAt": moment(record["associatedAt"]),
        "modifiedAt": moment(record["modifiedAt"]),
    }


def _check(params: Params) -> None:
    """Raises: Fault, for what an access entry may not say."""
    groups = params.get("kubernetesGroups", [])
    if params.get("type", "STANDARD") != "STANDARD" and (groups or "username" in params):
        text = "kubernetesGroups and username can be set for entries of type STANDARD only."
        raise Fault(PARAMETER, text)
    for group in groups:
        if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            text = f"The kubernetes group name {group} is invalid, it cannot start with"
            raise Fault(PARAMETER, f"{text} {group.partition(':')[0]}:")


def _scope(asked: Params) -> Params:
    """The scope of a policy. Raises: Fault, when it fits its type not."""
    named = bool(asked.get("namespaces"))
    if named != (asked.get("type") == "namespace"):
        raise Fault(PARAMETER, "Namespaces have to be given for the type namespace, and only then.")
    return asked
