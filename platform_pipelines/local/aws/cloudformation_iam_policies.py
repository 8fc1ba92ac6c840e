"""The resource type of IAM's managed policies, through its API."""

from typing import Any

from platform_pipelines.local.aws.cloudformation_iam import IamType, document, only_roles, text
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    changed,
    parameters,
)
from platform_pipelines.local.aws.service import Fault

_VERSIONS = 5  # that a policy can have


class ManagedPolicy(IamType):
    """AWS::IAM::ManagedPolicy: Ref is its ARN. A new document is a new default version."""

    name = "AWS::IAM::ManagedPolicy"
    create_only = ("ManagedPolicyName", "Description", "Path")
    custom_name = "ManagedPolicyName"
    longest_name = 128
    reads = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"})

    def create(self, props: Properties) -> Made:
        only_roles(props, self.name)
        known: Properties = {name: props[name] for name in ("Description", "Path") if name in props}
        params = parameters("iam", "CreatePolicy", known)
        params["PolicyName"] = props["ManagedPolicyName"]
        params["PolicyDocument"] = text(props["PolicyDocument"])
        return _made(self.call("iam", "CreatePolicy", params)["Policy"])

    def settle(self, one: Existing) -> bool:
        self._attach(one.id, set(), set(only_roles(one.properties, self.name)))
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        if "PolicyDocument" in changed(one.properties, new):
            self._make_room(one.id)
            put = {"PolicyDocument": text(new["PolicyDocument"]), "SetAsDefault": True}
            self.ask("CreatePolicyVersion", PolicyArn=one.id, **put)
        before, after = (set(only_roles(props, self.name)) for props in (one.properties, new))
        self._attach(one.id, before, after)
        return _made(self.ask("GetPolicy", PolicyArn=one.id)["Policy"])

    def delete(self, one: Existing) -> None:
        self._attach(one.id, set(only_roles(one.properties, self.name)), set())
        for version in self._versions(one.id):
            self.take_away("DeletePolicyVersion", PolicyArn=one.id, VersionId=version)
        self.ask("DeletePolicy", PolicyArn=one.id)

    def look(self, one: Existing) -> Look:
        found = self.ask("GetPolicy", PolicyArn=one.id)["Policy"]
        asked = {"PolicyArn": one.id, "VersionId": found["DefaultVersionId"]}
        version = self.ask("GetPolicyVersion", **asked)["PolicyVersion"]
        actual = {
            "ManagedPolicyName": found["PolicyName"],
            "Path": found["Path"],
            "PolicyDocument": document(version["Document"]),
            "Roles": [
                role for role in only_roles(one.properties, self.name) if self._is_on(one, role)
            ],
        }
        if found.get("Description"):
            actual["Description"] = found["Description"]
        return Look(condition=Condition.READY, made=_made(found), actual=actual)

    def identify(self, props: Properties) -> str | None:
        name, path = props.get("ManagedPolicyName"), props.get("Path", "/")
        return f"arn:aws:iam::{self.call.account}:policy{path}{name}" if name else None

    def _is_on(self, one: Existing, role: str) -> bool:
        try:
            found = self.ask("ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
        except Fault:  # the role is gone, and the policy with it
            return False
        return any(policy["PolicyArn"] == one.id for policy in found)

    def _attach(self, arn: str, before: set[str], after: set[str]) -> None:
        for role in sorted(before - after):
            self.take_away("DetachRolePolicy", RoleName=role, PolicyArn=arn)
        for role in sorted(after - before):
            self.ask("AttachRolePolicy", RoleName=role, PolicyArn=arn)

    def _versions(self, arn: str) -> list[str]:
        """The versions that are not the default, oldest first."""
        found = self.ask("ListPolicyVersions", PolicyArn=arn)["Versions"]
        others = [one["VersionId"] for one in found if not one["IsDefaultVersion"]]
        return sorted(others, key=lambda id_: int(id_.lstrip("v")))

    def _make_room(self, arn: str) -> None:
        others = self._versions(arn)
        for version in others[: max(0, len(others) + 2 - _VERSIONS)]:
            self.ask("DeletePolicyVersion", PolicyArn=arn, VersionId=version)


def _made(policy: dict[str, Any]) -> Made:
    names = ("PolicyId", "DefaultVersionId", "AttachmentCount", "IsAttachable")
    attributes = {name: str(policy[name]) for name in names if name in policy}
    return Made(id=policy["Arn"], attributes=attributes | {"PolicyArn": policy["Arn"]})
