"""Roles and policies of stacks, as IAM has them; IAM is one for both Regions."""

import json
from typing import Any

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.stacks import Stacks, change_of, in_still_world, resource, template

WORKER = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def document(action: str) -> dict[str, Any]:
    """A policy that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(**properties: Any) -> dict[str, Any]:
    """A role that EC2 takes."""
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST, **properties)


def policies(action: str) -> dict[str, Any]:
    """A role with a policy of each kind."""
    return template(
        Role=role(
            ManagedPolicyArns=[WORKER],
            Policies=[{"PolicyName": "own", "PolicyDocument": document(action)}],
        ),
        Managed=resource(
            "AWS::IAM::ManagedPolicy", PolicyDocument=document(action), Roles=[{"Ref": "Role"}]
        ),
        Inline=resource(
            "AWS::IAM::Policy",
            PolicyName="inline",
            PolicyDocument=document(action),
            Roles=[{"Ref": "Role"}],
        ),
    )


def drifted(stacks: Stacks, name: str, logical: str) -> dict[str, Any]:
    """How a resource has drifted, asked of it alone."""
    found: dict[str, Any] = stacks.client("seoul").detect_stack_resource_drift(
        StackName=name, LogicalResourceId=logical
    )["StackResourceDrift"]
    return found


def test_a_role_has_all_its_policies_and_loses_them_with_its_stack(stacks: Stacks) -> None:
    """Those of its template, those of other resources, and none when the stack is gone."""
    iam = stacks.world.aws("iam")
    assert stacks.apply("seoul", "full", policies("s3:GetObject")) == "CREATE_COMPLETE"
    (made,) = iam.list_roles()["Roles"]
    name = made["RoleName"]
    assert sorted(iam.list_role_policies(RoleName=name)["PolicyNames"]) == ["inline", "own"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert len(attached) == 2
    assert stacks.apply("seoul", "full", policies("s3:PutObject")) == "UPDATE_COMPLETE"
    (managed,) = iam.list_policies(Scope="Local")["Policies"]
    assert managed["DefaultVersionId"] == "v2"
    assert stacks.delete("seoul", "full") == "DELETE_COMPLETE"
    assert iam.list_roles()["Roles"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_policy_keeps_five_versions(stacks: Stacks) -> None:
    """The oldest makes room for the next."""
    for number in range(7):
        body = template(
            Managed=resource("AWS::IAM::ManagedPolicy", PolicyDocument=document(f"s3:Get{number}"))
        )
        assert stacks.apply("seoul", "versions", body).endswith("_COMPLETE")
    iam = stacks.world.aws("iam")
    (managed,) = iam.list_policies(Scope="Local")["Policies"]
    found = iam.list_policy_versions(PolicyArn=managed["Arn"])["Versions"]
    assert sorted(one["VersionId"] for one in found) == ["v3", "v4", "v5", "v6", "v7"]


def test_both_regions_get_roles_of_their_own(stacks: Stacks) -> None:
    """Although their stacks have one name; a name that is taken is an error."""
    body = template(Role=role())
    assert stacks.apply("seoul", "same", body) == "CREATE_COMPLETE"
    assert stacks.apply("tokyo", "same", body) == "CREATE_COMPLETE"
    names = [one["RoleName"] for one in stacks.world.aws("iam").list_roles()["Roles"]]
    assert len(set(names)) == 2
    assert all(name.startswith("same-Role-") for name in names)
    taken = stacks.plan("seoul", "taken", template(Role=role(RoleName=names[0])))
    assert (taken["Status"], "ResourceExistenceCheck" in taken["StatusReason"]) == ("FAILED", True)


def test_a_new_path_replaces_a_role_and_what_refers_to_it_is_not_known_yet(stacks: Stacks) -> None:
    """The change set says so."""
    body = policies("s3:GetObject")
    stacks.apply("seoul", "path", body)
    body["Resources"]["Role"]["Properties"]["Path"] = "/team/"
    planned = stacks.plan("seoul", "path", body)
    assert change_of(planned, "Role")["Replacement"] == "True"
    (detail,) = change_of(planned, "Inline")["Details"]
    assert detail["Target"]["AfterValue"] == "{{changeSet:KNOWN_AFTER_APPLY}}"


def test_what_the_stack_itself_attaches_is_no_drift_and_anything_else_is(stacks: Stacks) -> None:
    """A policy that somebody has taken away, and one that somebody has put there."""
    stacks.apply("seoul", "drift", policies("s3:GetObject"))
    assert drifted(stacks, "drift", "Role")["StackResourceDriftStatus"] == "IN_SYNC"
    iam = stacks.world.aws("iam")
    name = iam.list_roles()["Roles"][0]["RoleName"]
    iam.detach_role_policy(RoleName=name, PolicyArn=WORKER)
    sneaked = json.dumps(document("iam:*"))
    iam.put_role_policy(RoleName=name, PolicyName="sneaked", PolicyDocument=sneaked)
    found = drifted(stacks, "drift", "Role")
    assert found["StackResourceDriftStatus"] == "MODIFIED"
    paths = {one["PropertyPath"]: one["DifferenceType"] for one in found["PropertyDifferences"]}
    assert paths == {"/ManagedPolicyArns/0": "REMOVE", "/Policies/1": "ADD"}
    assert drifted(stacks, "drift", "Inline")["StackResourceDriftStatus"] == "IN_SYNC"
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    assert drifted(stacks, "drift", "Inline")["StackResourceDriftStatus"] == "DELETED"
