"""The pod identities of add-ons: EKS associates an add-on's service accounts with roles.

They come and go with the add-on, and it says so in each association's `ownerArn`.
https://docs.aws.amazon.com/eks/latest/userguide/add-ons-iam.html
"""

from platform_pipelines.local.aws.eks_principals import check_roles
from platform_pipelines.local.aws.eks_records import (
    ASSOCIATIONS,
    Record,
    arn,
    hexadecimal,
    in_use,
    key_of,
    of_cluster,
    store,
)
from platform_pipelines.local.aws.service import Call, Params

MEMBER = "podIdentityAssociations"


def check(params: Params, cluster: str, namespace: str, owner: str = "") -> None:
    """Raises: Fault, for a role that is none, or an account that somebody else has associated."""
    for asked in params.get(MEMBER, []):
        check_roles(asked, "roleArn")
        found = _of_account(cluster, namespace, asked["serviceAccount"])
        if found and found.get("ownerArn") != (owner or None):
            raise in_use(f"Association already exists: {found['associationId']}")


def associate(call: Call, addon: Record, now: float) -> None:
    """Give an add-on the associations that a call asks for, in place of those that it has."""
    wanted = {one["serviceAccount"]: one["roleArn"] for one in call.params[MEMBER]}
    for record in owned(addon):
        if record["serviceAccount"] not in wanted:
            _forget(record)
    for account, role in wanted.items():
        found = _of_account(addon["clusterName"], _namespace(addon), account)
        record = found or _new(call, addon, account, now)
        record |= {"roleArn": role, "modifiedAt": now}
    addon[MEMBER] = [record["associationArn"] for record in owned(addon)]


def forget(addon: Record) -> None:
    """With an add-on go its associations."""
    for record in owned(addon):
        _forget(record)


def owned(addon: Record) -> list[Record]:
    """The associations that belong to an add-on."""
    found = of_cluster(ASSOCIATIONS, addon["clusterName"])
    return [one for one in found if one.get("ownerArn") == addon["addonArn"]]


def _new(call: Call, addon: Record, account: str, now: float) -> Record:
    id_, cluster = f"a-{hexadecimal(17)}", addon["clusterName"]
    record: Record = {
        "clusterName": cluster,
        "namespace": _namespace(addon),
        "serviceAccount": account,
        "associationArn": arn(call, "podidentityassociation", cluster, id_),
        "associationId": id_,
        "ownerArn": addon["addonArn"],
        "tags": {},
        "disableSessionTags": False,
        "createdAt": now,
        "_token": None,
    }
    store(ASSOCIATIONS)[key_of(cluster, id_)] = record
    return record


def _forget(record: Record) -> None:
    del store(ASSOCIATIONS)[key_of(record["clusterName"], record["associationId"])]


def _namespace(addon: Record) -> str:
    return str(addon["namespaceConfig"]["namespace"])


def _of_account(cluster: str, namespace: str, account: str) -> Record | None:
    found = (
        one
        for one in of_cluster(ASSOCIATIONS, cluster)
        if (one["namespace"], one["serviceAccount"]) == (namespace, account)
    )
    return next(found, None)
