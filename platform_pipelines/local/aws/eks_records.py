"""What EKS keeps: clusters, node groups, add-ons, access entries and pod identities, as records.

They live in ministack's stores, one part of a store for each Region, so they are kept with
everything else. A member that begins with `_` is ours alone and never shown: updates, request
tokens, what an unfinished update returns to. Every module of EKS uses this one.
"""

import secrets
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import paging
from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.service import Call, Fault, Params, Result

Record = dict[str, Any]

# ministack's stores.
CLUSTERS, NODEGROUPS, ADDONS = "_clusters", "_nodegroups", "_addons"
ENTRIES, POLICIES = "_access_entries", "_access_policies"
ASSOCIATIONS = "_pod_identity_associations"
PAGE = 100
_NAMES = ("nextToken", "maxResults")
TIMES = ("createdAt", "modifiedAt")
# Codes of EKS's errors.
PARAMETER, REQUEST = "InvalidParameterException", "InvalidRequestException"
IN_USE, NOT_FOUND = "ResourceInUseException", "ResourceNotFoundException"


def store(name: str) -> Any:
    """One of ministack's stores: a mapping of what the account has in the Region of the scope."""
    return getattr(ministack.service("eks"), name)


def key_of(cluster: str, name: str) -> str:
    """Where a store keeps what belongs to a cluster."""
    return f"{cluster}/{name}"


def of_cluster(name: str, cluster: str) -> list[Record]:
    """Everything in a store that belongs to a cluster, by name."""
    found = sorted(store(name).items())
    return [record for _, record in found if record["clusterName"] == cluster]


def cluster_of(call: Call, key: str = "clusterName") -> Record:
    """The cluster that a call names. Raises: Fault."""
    name = call.params[key]
    record: Record | None = store(CLUSTERS).get(name)
    if record is None:
        raise missing(f"No cluster found for name: {name}.")
    return record


def active_cluster(call: Call) -> Record:
    """The cluster that a call names, which has to be ACTIVE. Raises: Fault."""
    record = cluster_of(call)
    if record["status"] != "ACTIVE":
        raise Fault(REQUEST, f"Cluster '{record['name']}' is not in ACTIVE status")
    return record


def nodegroup_of(call: Call, key: str = "clusterName") -> Record:
    """The node group that a call names. Raises: Fault."""
    cluster, name = cluster_of(call, key)["name"], call.params["nodegroupName"]
    record: Record | None = store(NODEGROUPS).get(key_of(cluster, name))
    if record is None:
        raise missing(f"No node group found for name: {name}.")
    return record


def addon_of(call: Call, key: str = "clusterName") -> Record:
    """The add-on that a call names. Raises: Fault."""
    cluster, name = cluster_of(call, key)["name"], call.params["addonName"]
    record: Record | None = store(ADDONS).get(key_of(cluster, name))
    if record is None:
        raise missing(f"No addon: {name} found in cluster: {cluster}")
    return record


def missing(message: str) -> Fault:
    """What a call gets that names something that is not there."""
    return Fault(NOT_FOUND, message, 404)


def in_use(message: str) -> Fault:
    """What a call gets that comes while something else is being done, or was done before."""
    return Fault(IN_USE, message, 409)


def asked_before(call: Call, record: Record | None) -> bool:
    """Whether a create call is the one that made the record, sent again."""
    token = call.params.get("clientRequestToken")
    return record is not None and token is not None and record.get("_token") == token


def arn(call: Call, kind: str, *parts: str) -> str:
    """A resource's ARN."""
    return f"arn:aws:eks:{call.region}:{call.account}:{'/'.join((kind, *parts))}"


def identity() -> str:
    """What makes the ARN of a node group or an add-on unique, as EKS writes it."""
    return str(uuid.uuid4())


def hexadecimal(length: int) -> str:
    """The random part of an identifier."""
    return secrets.token_hex(length)[:length]


def shown(record: Record) -> Result:
    """A record as EKS describes it."""
    seen = {key: value for key, value in record.items() if not key.startswith("_")}
    return seen | {key: moment(seen[key]) for key in TIMES if key in seen}


def paged(key: str, items: Iterable[Any], params: Params) -> Result:
    """A page of a list. Raises: Fault, for a token that is not ours."""
    wrong = Fault(PARAMETER, "The nextToken is not valid.")
    return paging.paged(key, list(items), params, wrong=wrong, limit=PAGE, names=_NAMES)


def changed(record: Record, now: Callable[[], float], **members: Any) -> None:
    """Change members of a record."""
    record |= members
    record["modifiedAt"] = now()
