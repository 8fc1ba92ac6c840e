"""Access entries of EKS clusters that nobody asks for: the creator's, and the nodes'.

https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
"""

from platform_pipelines.local.aws.eks_records import (
    ENTRIES,
    POLICIES,
    Record,
    arn,
    identity,
    key_of,
    store,
)
from platform_pipelines.local.aws.service import Call, Params

POLICY = "arn:aws:eks::aws:cluster-access-policy/"
ADMIN = f"{POLICY}AmazonEKSClusterAdminPolicy"
# Modes in which a cluster has access entries.
WITH_ENTRIES = ("API", "API_AND_CONFIG_MAP")
# What a node is to Kubernetes, by the type of its entry.
_NODES = "system:nodes"
_NODE_NAME = "system:node:{{EC2PrivateDNSName}}"


def new_entry(call: Call, cluster: str, principal: str, now: float, params: Params) -> Record:
    """Keep an access entry, and return it."""
    kind = params.get("type", "STANDARD")
    groups = params.get("kubernetesGroups", []) if kind == "STANDARD" else [_NODES]
    made = {
        "clusterName": cluster,
        "principalArn": principal,
        "kubernetesGroups": groups,
        "accessEntryArn": _arn(call, cluster, principal),
        "createdAt": now,
        "modifiedAt": now,
        "tags": params.get("tags", {}),
        "username": params.get("username") or _username(principal, kind),
        "type": kind,
        "_token": params.get("clientRequestToken"),
    }
    store(ENTRIES)[key_of(cluster, principal)] = made
    return made


def new_policy(cluster: str, principal: str, policy: str, scope: Params, now: float) -> Record:
    """Keep the association of a policy with an access entry, and return it."""
    key = f"{key_of(cluster, principal)}/{policy}"
    old = store(POLICIES).get(key) or {}
    made = {
        "clusterName": cluster,
        "_principal": principal,
        "policyArn": policy,
        "accessScope": {"type": "cluster", "namespaces": []} | scope,
        "associatedAt": old.get("associatedAt", now),
        "modifiedAt": now,
    }
    store(POLICIES)[key] = made
    return made


def admit_creator(call: Call, cluster: str, now: float) -> None:
    """Who creates a cluster is its administrator. The local Regions know callers as root only."""
    creator = f"arn:aws:iam::{call.account}:root"
    new_entry(call, cluster, creator, now, {})
    new_policy(cluster, creator, ADMIN, {}, now)


def admit_nodes(call: Call, cluster: Record, role: str, now: float) -> None:
    """The role of a managed node group gets its entry with the first group that has it."""
    name = cluster["name"]
    mode = cluster["accessConfig"]["authenticationMode"]
    if mode in WITH_ENTRIES and key_of(name, role) not in store(ENTRIES):
        new_entry(call, name, role, now, {"type": "EC2_LINUX"})


def _username(principal: str, kind: str) -> str:
    if kind != "STANDARD":
        return _NODE_NAME
    resource = principal.rpartition(":")[2]
    if not resource.startswith("role/"):
        return principal
    assumed = principal.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    return f"{assumed}/{{{{SessionName}}}}"


def _arn(call: Call, cluster: str, principal: str) -> str:
    """`access-entry/<cluster>/<user, role or root>/<account>/<name>/<unique>`."""
    resource = principal.rpartition(":")[2]
    kind, _, name = resource.partition("/")
    account = principal.split(":")[4]
    parts = [part for part in (kind, account, name.rpartition("/")[2]) if part]
    return arn(call, "access-entry", cluster, *parts, identity())
