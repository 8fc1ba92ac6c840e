"""EKS add-ons, access entries, pod identities and tags."""

from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.kube.kinds import NODE
from platform_pipelines.local.kube.store import Store
from tests.local.aws.clusters import (
    CLUSTER,
    ROLE,
    describe_cluster,
    make_cluster,
    make_group,
    seoul,
    update_of,
)
from tests.local.aws.regions import Regions

OF = {"clusterName": CLUSTER}
DNS = {**OF, "addonName": "coredns"}
PROXY = {**OF, "addonName": "kube-proxy"}
PERSON = {**OF, "principalArn": "arn:aws:iam::111122223333:role/Operator"}
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
AGENT = {**OF, "namespace": "amazon-cloudwatch", "serviceAccount": "cloudwatch-agent"}


def addon(regions: Regions, **key: str) -> dict[str, Any]:
    """An add-on as it is described."""
    found: dict[str, Any] = seoul(regions, "DescribeAddon", **key)["addon"]
    return found


def test_an_addon_is_installed_and_taken_away(regions: Regions) -> None:
    """CREATING, ACTIVE, DELETING, gone; the newest version unless one is named."""
    make_cluster(regions)
    made = seoul(regions, "CreateAddon", **PROXY)["addon"]
    assert made["status"] == "CREATING"
    with pytest.raises(Fault, match="ResourceInUseException: Addon already exists"):
        seoul(regions, "CreateAddon", **PROXY)
    regions.advance(30)
    assert addon(regions, **PROXY)["status"] == "ACTIVE"
    assert seoul(regions, "ListAddons", **OF)["addons"] == ["kube-proxy"]
    assert seoul(regions, "DeleteAddon", **PROXY)["addon"]["status"] == "DELETING"
    regions.advance(20)
    with pytest.raises(Fault, match="No addon: kube-proxy found"):
        addon(regions, **PROXY)


def test_an_addon_is_updated_to_a_version_that_there_is(regions: Regions) -> None:
    """The catalog says which; the update belongs to the add-on."""
    make_cluster(regions)
    named = {"addonName": "kube-proxy", "kubernetesVersion": "1.36"}
    [offer] = seoul(regions, "DescribeAddonVersions", **named)["addons"]
    newest, older = (one["addonVersion"] for one in offer["addonVersions"][:2])
    seoul(regions, "CreateAddon", **PROXY, addonVersion=older)
    regions.advance(30)
    with pytest.raises(Fault, match="Addon version specified is not supported"):
        seoul(regions, "UpdateAddon", **PROXY, addonVersion="v0")
    update = seoul(regions, "UpdateAddon", **PROXY, addonVersion=newest)["update"]
    assert addon(regions, **PROXY)["status"] == "UPDATING"
    regions.advance(40)
    assert addon(regions, **PROXY)["addonVersion"] == newest
    assert update_of(regions, update["id"], addonName="kube-proxy")["status"] == "Successful"


def test_an_unknown_addon_is_refused(regions: Regions) -> None:
    """By its name."""
    make_cluster(regions)
    with pytest.raises(Fault, match="Addon bogus specified is not supported"):
        seoul(regions, "CreateAddon", **OF, addonName="bogus")


@pytest.mark.parametrize("values", ["env: [", "just text", "[1]"])
def test_an_addon_is_configured_by_json_or_yaml(regions: Regions, values: str) -> None:
    """Of an object; a creation and an update refuse anything else."""
    make_cluster(regions)
    with pytest.raises(Fault, match=r"InvalidParameterException.*JSON or YAML"):
        seoul(regions, "CreateAddon", **PROXY, configurationValues=values)
    seoul(regions, "CreateAddon", **PROXY, configurationValues='{"mode": "ipvs"}')
    regions.advance(30)
    with pytest.raises(Fault, match=r"InvalidParameterException.*JSON or YAML"):
        seoul(regions, "UpdateAddon", **PROXY, configurationValues=values)
    assert addon(regions, **PROXY)["configurationValues"] == '{"mode": "ipvs"}'


def test_an_addon_with_replicas_waits_for_a_node_that_takes_any_pod(regions: Regions) -> None:
    """CREATING for twenty minutes, then DEGRADED; ACTIVE when such a node is there."""
    cluster = Store(regions.world.datetime)
    regions.world.stores["seoul"] = cluster
    make_cluster(regions)
    seoul(regions, "CreateAddon", **DNS)
    regions.advance(60)
    assert addon(regions, **DNS)["status"] == "CREATING"
    regions.advance(1200)
    degraded = addon(regions, **DNS)
    assert degraded["status"] == "DEGRADED"
    assert degraded["health"]["issues"][0]["code"] == "InsufficientNumberOfReplicas"
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    cluster.create(NODE, {"metadata": {"name": "one"}, "spec": {}, "status": ready})
    regions.advance(30)
    assert addon(regions, **DNS)["status"] == "ACTIVE"


def test_a_failed_addon_says_why(regions: Regions) -> None:
    """CREATE_FAILED with an issue of its health."""
    make_cluster(regions)
    fault = {"kind": "transition", "transition": "eks_addon_creating", "ending": "failed"}
    regions.world.faults.add(fault)
    seoul(regions, "CreateAddon", **PROXY)
    regions.advance(30)
    failed = addon(regions, **PROXY)
    assert (failed["status"], len(failed["health"]["issues"])) == ("CREATE_FAILED", 1)


def test_creator_and_nodes_have_entries_that_nobody_asked_for(regions: Regions) -> None:
    """The creator is administrator; a node role enters with its first group."""
    network = make_cluster(regions)
    creator = "arn:aws:iam::111122223333:root"
    assert seoul(regions, "ListAccessEntries", **OF)["accessEntries"] == [creator]
    policies = seoul(regions, "ListAssociatedAccessPolicies", **OF, principalArn=creator)
    [policy] = policies["associatedAccessPolicies"]
    assert policy["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")
    make_group(regions, network)
    entry = seoul(regions, "DescribeAccessEntry", **OF, principalArn=ROLE)["accessEntry"]
    assert (entry["type"], entry["kubernetesGroups"]) == ("EC2_LINUX", ["system:nodes"])


def test_somebody_is_admitted_and_shown_out(regions: Regions) -> None:
    """An entry, a policy of one namespace, and both gone again."""
    make_cluster(regions)
    seoul(regions, "CreateAccessEntry", **PERSON, kubernetesGroups=["viewers"])
    with pytest.raises(Fault, match="already in use on this cluster"):
        seoul(regions, "CreateAccessEntry", **PERSON)
    scope = {"type": "namespace", "namespaces": ["web"]}
    seoul(regions, "AssociateAccessPolicy", **PERSON, policyArn=VIEW, accessScope=scope)
    found = seoul(regions, "ListAssociatedAccessPolicies", **PERSON)["associatedAccessPolicies"]
    assert [(one["policyArn"], one["accessScope"]) for one in found] == [(VIEW, scope)]
    with_view = seoul(regions, "ListAccessEntries", **OF, associatedPolicyArn=VIEW)
    assert with_view["accessEntries"] == [PERSON["principalArn"]]
    seoul(regions, "DisassociateAccessPolicy", **PERSON, policyArn=VIEW)
    seoul(regions, "DeleteAccessEntry", **PERSON)
    with pytest.raises(Fault, match="principalArn could not be found"):
        seoul(regions, "DescribeAccessEntry", **PERSON)


@pytest.mark.parametrize(
    ("policy", "scope", "told"),
    [
        (VIEW, {"type": "namespace"}, "Namespaces have to be given"),
        (f"{VIEW}s", {"type": "cluster"}, "policyArn is invalid"),
    ],
)
def test_a_policy_must_exist_and_have_a_scope(
    regions: Regions, policy: str, scope: dict[str, str], told: str
) -> None:
    """Only EKS's own policies, and namespaces with the scope of that name."""
    make_cluster(regions)
    seoul(regions, "CreateAccessEntry", **PERSON)
    with pytest.raises(Fault, match=told):
        seoul(regions, "AssociateAccessPolicy", **PERSON, policyArn=policy, accessScope=scope)


def test_a_group_of_kubernetes_own_is_refused(regions: Regions) -> None:
    """An entry cannot make somebody system:masters."""
    make_cluster(regions)
    with pytest.raises(Fault, match="cannot start with system:"):
        seoul(regions, "CreateAccessEntry", **PERSON, kubernetesGroups=["system:masters"])


@pytest.mark.parametrize("principal", ["Operator", "arn:aws:iam::111122223333:group/people"])
def test_only_users_and_roles_are_admitted(regions: Regions, principal: str) -> None:
    """Anything else is an invalid principal."""
    make_cluster(regions)
    with pytest.raises(Fault, match=r"InvalidParameterException.*invalid principal"):
        seoul(regions, "CreateAccessEntry", **OF, principalArn=principal)


def test_a_cluster_of_the_config_map_has_no_entries(regions: Regions) -> None:
    """InvalidRequestException, until its authentication mode allows them."""
    make_cluster(regions, accessConfig={"authenticationMode": "CONFIG_MAP"})
    with pytest.raises(Fault, match=r"InvalidRequestException.*authentication mode"):
        seoul(regions, "CreateAccessEntry", **PERSON)
    both = {"authenticationMode": "API_AND_CONFIG_MAP"}
    seoul(regions, "UpdateClusterConfig", name=CLUSTER, accessConfig=both)
    regions.advance(120)
    seoul(regions, "CreateAccessEntry", **PERSON)


def test_a_service_account_has_one_role(regions: Regions) -> None:
    """Associated, listed, changed, taken away."""
    make_cluster(regions)
    made = seoul(regions, "CreatePodIdentityAssociation", **AGENT, roleArn=ROLE)["association"]
    with pytest.raises(Fault, match=f"Association already exists: {made['associationId']}"):
        seoul(regions, "CreatePodIdentityAssociation", **AGENT, roleArn=ROLE)
    listed = seoul(regions, "ListPodIdentityAssociations", **OF, namespace="amazon-cloudwatch")
    assert [one["associationId"] for one in listed["associations"]] == [made["associationId"]]
    assert seoul(regions, "ListPodIdentityAssociations", **OF, namespace="x")["associations"] == []
    key = {**OF, "associationId": made["associationId"]}
    changed = seoul(regions, "UpdatePodIdentityAssociation", **key, roleArn=f"{ROLE}-2")
    assert changed["association"]["roleArn"] == f"{ROLE}-2"
    seoul(regions, "DeletePodIdentityAssociation", **key)
    with pytest.raises(Fault, match="No association found"):
        seoul(regions, "DescribePodIdentityAssociation", **key)


def test_pods_get_a_role_and_nothing_else(regions: Regions) -> None:
    """What is no role's ARN is refused."""
    make_cluster(regions)
    with pytest.raises(Fault, match=r"InvalidParameterException.*roleArn"):
        seoul(regions, "CreatePodIdentityAssociation", **AGENT, roleArn="agent")
    assert seoul(regions, "ListPodIdentityAssociations", **OF)["associations"] == []


def test_tags_are_changed_by_arn(regions: Regions) -> None:
    """They are the resource's own; an unknown ARN is NotFound."""
    make_cluster(regions)
    arn = describe_cluster(regions)["arn"]
    seoul(regions, "TagResource", resourceArn=arn, tags={"stage": "one"})
    seoul(regions, "UntagResource", resourceArn=arn, tagKeys=["team"])
    assert seoul(regions, "ListTagsForResource", resourceArn=arn)["tags"] == {"stage": "one"}
    assert describe_cluster(regions)["tags"] == {"stage": "one"}
    with pytest.raises(Fault, match="NotFoundException"):
        seoul(regions, "ListTagsForResource", resourceArn=f"{arn}-other")


def test_a_cluster_takes_with_it_what_belongs_to_it(regions: Regions) -> None:
    """A new cluster of the name has no add-ons, entries or associations of the old one."""
    make_cluster(regions)
    seoul(regions, "CreateAddon", **PROXY)
    seoul(regions, "CreateAccessEntry", **PERSON)
    seoul(regions, "CreatePodIdentityAssociation", **AGENT, roleArn=ROLE)
    regions.advance(30)
    seoul(regions, "DeleteCluster", name=CLUSTER)
    regions.advance(180)
    make_cluster(regions)
    assert seoul(regions, "ListAddons", **OF)["addons"] == []
    assert seoul(regions, "ListPodIdentityAssociations", **OF)["associations"] == []
    assert len(seoul(regions, "ListAccessEntries", **OF)["accessEntries"]) == 1
