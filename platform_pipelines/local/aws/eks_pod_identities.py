"""Pod identity associations: which role the pods of a service account get. Done at once.

https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
"""

from platform_pipelines.local.aws.answers import taken
from platform_pipelines.local.aws.eks_base import EksBase
from platform_pipelines.local.aws.eks_principals import check_roles
from platform_pipelines.local.aws.eks_records import (
    ASSOCIATIONS,
    IN_USE,
    NOT_FOUND,
    PARAMETER,
    Record,
    arn,
    asked_before,
    changed,
    cluster_of,
    hexadecimal,
    in_use,
    key_of,
    missing,
    of_cluster,
    paged,
    shown,
    store,
)
from platform_pipelines.local.aws.service import Call, Result, operation

_SUMMARY = (
    *("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn"),
)
_ROLES = ("roleArn", "targetRoleArn")
_OPTIONS = (*_ROLES, "disableSessionTags", "policy")


class PodIdentityOperations(EksBase):
    """The pod identity operations of EKS."""

    @operation(raises=(NOT_FOUND, IN_USE, PARAMETER))
    def CreatePodIdentityAssociation(self, call: Call) -> Result:  # noqa: N802
        cluster = cluster_of(call)["name"]
        check_roles(call.params, *_ROLES)
        old = _of_account(cluster, call.params["namespace"], call.params["serviceAccount"])
        if not asked_before(call, old):
            if old is not None:
                raise in_use(f"Association already exists: {old['associationId']}")
            old = self._new_association(call, cluster)
            store(ASSOCIATIONS)[key_of(cluster, old["associationId"])] = old
        assert old is not None
        return {"association": shown(old)}

    @operation(raises=(NOT_FOUND,))
    def DescribePodIdentityAssociation(self, call: Call) -> Result:  # noqa: N802
        return {"association": shown(_association(call))}

    @operation(raises=(NOT_FOUND, PARAMETER))
    def ListPodIdentityAssociations(self, call: Call) -> Result:  # noqa: N802
        wanted = taken(call.params, "namespace", "serviceAccount").items()
        found = of_cluster(ASSOCIATIONS, cluster_of(call)["name"])
        summaries = [taken(one, *_SUMMARY) for one in found if wanted <= _pairs(one)]
        return paged("associations", summaries, call.params)

    @operation(raises=(NOT_FOUND, PARAMETER))
    def UpdatePodIdentityAssociation(self, call: Call) -> Result:  # noqa: N802
        record = _association(call)
        check_roles(call.params, *_ROLES)
        changed(record, self.world.now, **taken(call.params, *_OPTIONS))
        return {"association": shown(record)}

    @operation(raises=(NOT_FOUND,))
    def DeletePodIdentityAssociation(self, call: Call) -> Result:  # noqa: N802
        record = _association(call)
        del store(ASSOCIATIONS)[key_of(record["clusterName"], record["associationId"])]
        return {"association": shown(record)}

    def _new_association(self, call: Call, cluster: str) -> Record:
        id_, now = f"a-{hexadecimal(17)}", self.world.now()
        return {
            "clusterName": cluster,
            "associationArn": arn(call, "podidentityassociation", cluster, id_),
            "associationId": id_,
            "tags": call.params.get("tags", {}),
            "disableSessionTags": False,
            "createdAt": now,
            "modifiedAt": now,
            "_token": call.params.get("clientRequestToken"),
        } | taken(call.params, "namespace", "serviceAccount", *_OPTIONS)


def _pairs(record: Record) -> set[tuple[str, str]]:
    return {(key, record[key]) for key in ("namespace", "serviceAccount")}


def _of_account(cluster: str, namespace: str, account: str) -> Record | None:
    wanted = {("namespace", namespace), ("serviceAccount", account)}
    found = (one for one in of_cluster(ASSOCIATIONS, cluster) if _pairs(one) == wanted)
    return next(found, None)


def _association(call: Call) -> Record:
    cluster, id_ = cluster_of(call)["name"], call.params["associationId"]
    found: Record | None = store(ASSOCIATIONS).get(key_of(cluster, id_))
    if found is None:
        raise missing(f"No association found for associationID: {id_}.")
    return found
