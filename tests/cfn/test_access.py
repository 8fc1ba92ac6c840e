"""Stack `access`: which pods take which role, who enters the clusters, what CloudFormation may do."""

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint
import pytest
import yaml

import cfn
from cfn import stacks_role
from cfn.controllers import CONTROLLERS
from cfn.duties import Role, group
from cfn.reads import READS
from platform_pipelines.local.stage import program
from platform_pipelines.model import Region
from tests import permissions
from tests.cfn import templates
from tests.permissions import Needed

PLATFORM = templates.PLATFORM
ROLE, ENTRY, PODS = (
    "AWS::IAM::Role",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::PodIdentityAssociation",
)
ROOT = Path(__file__).parents[2]
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas" / "resources"
# What a handler asks for only when a property is set that no template of ours has.
UNUSED_SERVICES = {
    "acm-pca": "no private certificate authority",
    "application-autoscaling": "the ledger is paid by request",
    "codestar-connections": "the name before codeconnections",
    "firehose": "no logs go there",
    "iot": "no network of that kind",
    "kinesis": "no table streams",
    "route53-recovery-control-config": "no routing control",
    "s3tables": "no table bucket",
    "vpc-lattice": "no endpoint of that kind",
    "vpce": "no endpoint of another Region",
}
UNUSED = {
    *(f"iam:{name}InstanceProfile" for name in ("Create", "Delete", "Get", "Tag")),
    "iam:AddRoleToInstanceProfile",
    "iam:DeleteRolePermissionsBoundary",
    "iam:ListRoles",
    "iam:PutRolePermissionsBoundary",
    "iam:RemoveRoleFromInstanceProfile",
    "s3:REST.PUT.OBJECT",  # no action of IAM's
}
# A secret's value is none of a comparison's business, and neither is what it would write.
NOT_READ = {
    "application-autoscaling:Describe*",
    "cloudwatch:PutMetricData",
    "s3:ListTagsForResource",
    "secretsmanager:GetSecretValue",
    "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation",
}

each_region = pytest.mark.parametrize("region", PLATFORM.regions, ids=lambda one: one.alias)


def _resources(region: Region) -> dict[str, Any]:
    return templates.resources(region.alias, "access")


def _of_type(region: Region, kind: str) -> list[dict[str, Any]]:
    """The properties of the stack's resources of a type."""
    return [one["Properties"] for one in _resources(region).values() if one["Type"] == kind]


def _dagsters_entries(region: Region) -> list[dict[str, Any]]:
    return [one["Properties"] for one in templates.resources(region.alias, "entries").values()]


def _types() -> set[str]:
    found = (templates.template(unit)["Resources"].values() for unit in templates.UNITS)
    return {one["Type"] for resources in found for one in resources}


@each_region
def test_a_role_is_taken_only_by_its_own_pods(region: Region) -> None:
    """Each Pod Identity role names its cluster, namespace and service accounts in its trust."""
    resources = _resources(region)
    taken: dict[str, set[tuple[str, str]]] = {}
    for one in _of_type(region, PODS):
        role = one["RoleArn"]["Fn::GetAtt"][0]
        taken.setdefault(role, set()).add((one["Namespace"], one["ServiceAccount"]))
    for role, pods in taken.items():
        trust = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        ((statement,), tags) = trust, trust[0]["Condition"]["StringEquals"]
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert tags["aws:RequestTag/eks-cluster-name"] == PLATFORM.cluster_name(region)
        assert {tags["aws:RequestTag/kubernetes-namespace"]} == {space for space, _ in pods}
        accounts = tags["aws:RequestTag/kubernetes-service-account"]
        assert set(accounts) == {account for _, account in pods}
    assert len(taken) == len([one for one in CONTROLLERS if not one.addon]) + len(Role)


@each_region
def test_administrators_enter_the_cluster(region: Region) -> None:
    """By AWS's policy."""
    administrators = {
        one["PrincipalArn"]: [policy["PolicyArn"] for policy in one["AccessPolicies"]]
        for one in _of_type(region, ENTRY)
    }
    cluster_admin = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert administrators == {
        one: [cluster_admin] for one in PLATFORM.cluster_access.administrators
    }


@each_region
def test_the_controllers_of_both_regions_enter_the_cluster(region: Region) -> None:
    """Each Region's controllers look into both clusters: by groups, with no policy at all."""
    entered = {
        one["PrincipalArn"].rpartition("/")[2]: one["KubernetesGroups"]
        for one in _dagsters_entries(region)
    }
    assert entered == {
        PLATFORM.role_name(role, place): [group(role)]
        for place in PLATFORM.regions
        for role in (Role.READINESS, Role.APPLY, Role.FAILOVER)
    }
    assert not any("AccessPolicies" in one for one in _dagsters_entries(region))


@each_region
def test_a_role_is_there_before_it_enters_a_cluster(region: Region) -> None:
    """EKS refuses an entry of a role that does not exist, so both Regions' roles come first."""
    unit = next(one for one in templates.UNITS if one.key == (region.alias, "entries"))
    before = {one.key for one in cfn.dependencies(PLATFORM, unit)}
    assert {(one.alias, "access") for one in PLATFORM.regions} <= before
    made = {
        role["RoleName"]
        for place in PLATFORM.regions
        for role in _of_type(place, ROLE)
        if "RoleName" in role
    }
    assert {one["PrincipalArn"].rpartition("/")[2] for one in _dagsters_entries(region)} <= made


@each_region
def test_the_groups_have_rights_in_the_cluster(region: Region) -> None:
    """Every group of an access entry is bound, and only looks, but for scaling Deployments."""
    objects = _manifests(region)
    bound = {
        subject["name"]: one["roleRef"]["name"]
        for one in objects
        if one["kind"] == "ClusterRoleBinding"
        for subject in one["subjects"]
    }
    rules = {
        one["metadata"]["name"]: one["rules"] for one in objects if one["kind"] == "ClusterRole"
    }
    entries = _dagsters_entries(region)
    assert bound.keys() == {name for one in entries for name in one["KubernetesGroups"]}
    writes = [
        (name, rule["resources"], rule["verbs"])
        for name, found in rules.items()
        for rule in found
        if rule["verbs"] != ["list"]
    ]
    assert writes == [("platform-failover", ["deployments/scale"], ["patch"])]
    assert not any("secrets" in rule["resources"] for found in rules.values() for rule in found)


@each_region
def test_external_dns_cannot_move_a_host(region: Region) -> None:
    """It may write the Region's own names; not the hosts, not the signals, not the other Region's."""
    statements = _policy(region, "RoleRecords")
    other = PLATFORM.other(region.alias)
    for service in PLATFORM.services:
        own = service.regional_host(region)
        for name in (own, f"a-{own}", f"cname-{own}"):
            assert permissions.allowed(statements, _record(name))
        for name in (service.host, service.regional_host(other), PLATFORM.signal_host(region)):
            assert not permissions.allowed(statements, _record(name))


@each_region
def test_the_load_balancer_controller_keeps_to_its_cluster(region: Region) -> None:
    """It removes what carries its cluster's tag, and nothing of the other Region."""
    statements = _policy(region, "RoleLoadBalancers")
    for place, cluster, expected in (
        (region, PLATFORM.cluster_name(region), True),
        (region, "somebody-else", False),
        (PLATFORM.other(region.alias), PLATFORM.cluster_name(region), False),
    ):
        arn = f"arn:aws:elasticloadbalancing:{place.name}:{PLATFORM.account}:loadbalancer/app/k/1"
        context = {"aws:ResourceTag/elbv2.k8s.aws/cluster": [cluster]}
        one = Needed(
            action="elasticloadbalancing:DeleteLoadBalancer", resource=arn, context=context
        )
        assert permissions.allowed(statements, one) is expected


def test_no_statement_is_about_nothing() -> None:
    """IAM refuses a policy with an empty list of resources, and the whole stack with it."""
    bare = PLATFORM.model_copy(
        update={
            "databases": (),
            "file_systems": (),
            "services": tuple(one.model_copy(update={"source": None}) for one in PLATFORM.services),
        }
    )
    for region in PLATFORM.regions:
        roles = templates.resources(region.alias, "access", bare).values()
        for policy in (p for r in roles for p in r["Properties"].get("Policies", [])):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Resource"], statement["Sid"]


def test_policies_fit_into_their_roles() -> None:
    """IAM takes 10,240 characters of inline policies for a role, and 2,048 of trust."""
    for kind, limit in (("Policies", 10_240), ("AssumeRolePolicyDocument", 2_048)):
        for role in templates.of_type(ROLE):
            assert len(json.dumps(role.get(kind, []), separators=(",", ":"))) < limit


def test_every_action_of_the_stack_exists() -> None:
    """No policy of any role names an action that AWS's reference does not know."""
    reference = json.loads((SCHEMAS.parents[1] / "AdditionalSpecs" / "Policies.json").read_text())
    for action in sorted(set(_all_actions())):
        service, _, name = action.partition(":")
        assert service in reference, action
        assert name == "*" or name.lower() in reference[service]["Actions"], action


def test_cloudformation_may_do_what_the_types_of_our_stacks_ask_for() -> None:
    """Every permission of AWS's handlers, but for what is denied, and for features that we lack."""
    statements = stacks_role.statements(PLATFORM, PLATFORM.home_region)
    lacking = {
        action
        for kind in _types()
        for action in _handled(kind)
        if action not in UNUSED | set(stacks_role.DENIED)
        and action.partition(":")[0] not in UNUSED_SERVICES
        and not permissions.allowed(statements, _somewhere(action))
    }
    assert lacking == set()


def test_cloudformation_has_no_service_that_no_stack_uses() -> None:
    """A service that no type asks for is a leftover."""
    asked = {action.partition(":")[0] for kind in _types() for action in _handled(kind)}
    given = set(stacks_role.SERVICES) | set(stacks_role.GLOBAL)
    assert given - asked - {"codebuild"} == set()  # AWS lists no permissions of CodeBuild's type
    assert "AWS::CodeBuild::Project" in _types()


@pytest.mark.parametrize("action", stacks_role.DENIED)
def test_no_template_can_undo_a_failover(action: str) -> None:
    """What roles own is denied to CloudFormation, whatever a template says."""
    statements = stacks_role.statements(PLATFORM, PLATFORM.home_region)
    assert not permissions.allowed(statements, _somewhere(action))


def test_no_template_can_move_traffic() -> None:
    """The traffic object is not CloudFormation's, in either Region."""
    for region in PLATFORM.regions:
        statements = stacks_role.statements(PLATFORM, region)
        arn = f"arn:aws:s3:::{PLATFORM.traffic_bucket(region)}/serving"
        one = Needed(action="s3:PutObject", resource=arn, context={})
        assert not permissions.allowed(statements, one)


def test_cloudformation_makes_roles_of_this_platform_only() -> None:
    """A template cannot give rights to a role that somebody else has made."""
    statements = stacks_role.statements(PLATFORM, PLATFORM.home_region)
    for name, expected in (("peccy-cluster-NodeRole-1", True), ("administrator", False)):
        arn = f"arn:aws:iam::{PLATFORM.account}:role/{name}"
        one = Needed(action="iam:PutRolePolicy", resource=arn, context={})
        assert permissions.allowed(statements, one) is expected


@pytest.mark.parametrize("kind", sorted(READS))
def test_reads_are_those_of_the_schema(kind: str) -> None:
    """What a comparison asks for, as AWS's own handler of the type says it."""
    schema = {action.lower() for action in _handled(kind, "read")} - {
        action.lower() for action in NOT_READ
    }
    mine = {action.lower() for action in READS[kind]}
    if not schema:
        assert kind in ("AWS::CodeBuild::Project", "AWS::SNS::TopicPolicy")
        return
    assert all(any(permissions.like(one, action) for one in schema) for action in mine)
    assert all(
        any(permissions.like(one, action) for action in mine) for one in schema if "*" not in one
    )


def test_reads_are_known_for_every_type_of_our_stacks() -> None:
    """A type that is new to the stacks needs its reads, and one that is gone needs none."""
    assert _types() == READS.keys()


@cache
def _schemas() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text())
        found.setdefault(schema["typeName"], []).append(schema.get("handlers", {}))
    return found


def _handled(kind: str, *handlers: str) -> set[str]:
    """The permissions of a type's handlers; of all of them, if none is named."""
    return {
        action
        for one in _schemas()[kind]
        for name, handler in one.items()
        if not handlers or name in handlers
        for action in handler["permissions"]
    }


def _somewhere(action: str) -> Needed:
    """An action on something of ours, of the kind that its service has."""
    name = f"{PLATFORM.platform}-one"
    account, home = PLATFORM.account, PLATFORM.home_region.name
    resource = {
        "dynamodb": f"arn:aws:dynamodb:{home}:{account}:table/{name}",
        "iam": f"arn:aws:iam::{account}:role/{name}",
        "s3": f"arn:aws:s3:::{name}-{account}-{home}",
        "secretsmanager": f"arn:aws:secretsmanager:{home}:{account}:secret:{name}",
    }.get(action.partition(":")[0], "*")
    if action == "iam:CreateServiceLinkedRole":
        resource = f"arn:aws:iam::{account}:role/aws-service-role/one"
    if action == "secretsmanager:GetRandomPassword":
        resource = "*"
    return Needed(action=action, resource=resource, context={"aws:RequestedRegion": [home]})


def _record(name: str) -> Needed:
    key = "route53:ChangeResourceRecordSets"
    return Needed(
        action=key,
        resource="arn:aws:route53:::hostedzone/Z1",
        context={f"{key}NormalizedRecordNames": [name], f"{key}RecordTypes": ["CNAME"]},
    )


def _policy(region: Region, role: str) -> list[dict[str, Any]]:
    (policy,) = _resources(region)[role]["Properties"]["Policies"]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _all_actions() -> Iterator[str]:
    for region in PLATFORM.regions:
        for role in _of_type(region, ROLE):
            for policy in role.get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield from statement["Action"]


def _manifests(region: Region) -> list[dict[str, Any]]:
    """What an administrator gives the Region's cluster first."""
    folder = ROOT / "manifests" / "argocd" / "overlays" / region.alias
    kubectl = [str(program("kubectl")), "kustomize", str(folder)]
    shown = subprocess.run(kubectl, check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(shown.stdout))
