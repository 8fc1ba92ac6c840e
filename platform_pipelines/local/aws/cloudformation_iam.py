"""The resource types of IAM roles, with everything that is attached to them, through its API.

IAM is one for all Regions: a name that a stack of the other Region has taken is taken.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from platform_pipelines.local.aws.cloudformation_retag import retag
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    Made,
    Properties,
    ResourceType,
    changed,
    is_missing,
    parameters,
)
from platform_pipelines.local.aws.service import Fault, Result, not_implemented

_ATTACHED = ("ManagedPolicyArns", "Policies", "Tags")  # what has operations of its own


class IamType(ResourceType):
    """A type of IAM; names keep their case."""

    lowercase = False
    longest_name = 64

    def ask(self, operation: str, **params: Any) -> Result:
        """Ask IAM. Raises: Fault."""
        return self.call("iam", operation, params)

    def take_away(self, operation: str, **params: Any) -> None:
        """Ask for a removal; what is gone is no error. Raises: Fault."""
        try:
            self.ask(operation, **params)
        except Fault as fault:
            if not is_missing(fault):
                raise


class Role(IamType):
    """AWS::IAM::Role: Ref is its name."""

    name = "AWS::IAM::Role"
    create_only = ("Path", "RoleName")
    custom_name = "RoleName"
    reads = frozenset(
        {
            *("AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "Policies"),
            *("MaxSessionDuration", "Path", "RoleName", "Tags"),
        }
    )

    def create(self, props: Properties) -> Made:
        rest = {key: value for key, value in props.items() if key not in _ATTACHED}
        rest["AssumeRolePolicyDocument"] = text(props["AssumeRolePolicyDocument"])
        params = parameters("iam", "CreateRole", rest)
        if props.get("Tags"):
            params["Tags"] = props["Tags"]
        return _made_role(self.call("iam", "CreateRole", params)["Role"])

    def settle(self, one: Existing) -> bool:
        self._attach(one.id, {}, one.properties)
        return True

    def update(self, one: Existing, new: Properties) -> Made:
        names = changed(one.properties, new)
        if "PermissionsBoundary" in names:
            raise not_implemented("a change of PermissionsBoundary")
        if "AssumeRolePolicyDocument" in names:
            document = text(new["AssumeRolePolicyDocument"])
            self.ask("UpdateAssumeRolePolicy", RoleName=one.id, PolicyDocument=document)
        if names & {"Description", "MaxSessionDuration"}:
            wanted = {"Description": new.get("Description", "")}
            seconds = int(new.get("MaxSessionDuration", 3600))
            self.ask("UpdateRole", RoleName=one.id, MaxSessionDuration=seconds, **wanted)
        self._attach(one.id, one.properties, new)
        return _made_role(self.ask("GetRole", RoleName=one.id)["Role"])

    def delete(self, one: Existing) -> None:
        self._attach(one.id, one.properties, {})
        self.ask("DeleteRole", RoleName=one.id)

    def look(self, one: Existing) -> Look:
        found = self.ask("GetRole", RoleName=one.id)["Role"]
        attached = self.ask("ListAttachedRolePolicies", RoleName=one.id)["AttachedPolicies"]
        names = ("Description", "MaxSessionDuration", "Path", "RoleName")
        actual = {name: found[name] for name in names if name in found}
        actual |= {
            "AssumeRolePolicyDocument": document(found["AssumeRolePolicyDocument"]),
            "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
            "Policies": self._inline(one.id),
            "Tags": self.ask("ListRoleTags", RoleName=one.id)["Tags"],
        }
        return Look(condition=Condition.READY, made=_made_role(found), actual=actual)

    def _inline(self, role: str) -> list[Properties]:
        names = self.ask("ListRolePolicies", RoleName=role)["PolicyNames"]
        found = (self.ask("GetRolePolicy", RoleName=role, PolicyName=name) for name in names)
        return [
            {"PolicyName": one["PolicyName"], "PolicyDocument": document(one["PolicyDocument"])}
            for one in found
        ]

    def _attach(self, role: str, old: Properties, new: Properties) -> None:
        """Bring policies and tags from what they were to what they are to be."""
        before, after = (set(one.get("ManagedPolicyArns", [])) for one in (old, new))
        for arn in sorted(before - after):
            self.take_away("DetachRolePolicy", RoleName=role, PolicyArn=arn)
        for arn in sorted(after - before):
            self.ask("AttachRolePolicy", RoleName=role, PolicyArn=arn)
        had, wanted = _documents(old), _documents(new)
        for name in sorted(had.keys() - wanted.keys()):
            self.take_away("DeleteRolePolicy", RoleName=role, PolicyName=name)
        for name in sorted(name for name in wanted if had.get(name) != wanted[name]):
            put = {"PolicyName": name, "PolicyDocument": wanted[name]}
            self.ask("PutRolePolicy", RoleName=role, **put)
        if old and new:
            tags, words = (old.get("Tags"), new.get("Tags")), ("TagRole", "UntagRole")
            retag(self.call, "iam", {"RoleName": role}, *tags, words=words)


class InlinePolicy(IamType):
    """AWS::IAM::Policy: a document in several roles. Ref is an id that says nothing."""

    name = "AWS::IAM::Policy"
    create_only = ()
    reads = frozenset({"PolicyDocument", "PolicyName", "Roles"})

    def create(self, props: Properties) -> Made:
        roles = only_roles(props, self.name)
        if not roles:
            message = "At least one of [Groups,Roles,Users] must be non-empty."
            raise Fault("ValidationException", message)
        for role in roles:
            self.ask("GetRole", RoleName=role)  # before the first document is written
        self._put(props, roles)
        id_ = made_up_id(props["PolicyName"], *roles)
        return Made(id=id_, attributes={"Id": id_})

    def update(self, one: Existing, new: Properties) -> Made:
        old, roles = one.properties, only_roles(new, self.name)
        for role in only_roles(old, self.name):
            if role not in roles or old["PolicyName"] != new["PolicyName"]:
                self._drop(role, old)
        self._put(new, roles)
        return Made(id=one.id, attributes={"Id": one.id})

    def delete(self, one: Existing) -> None:
        for role in only_roles(one.properties, self.name):
            self._drop(role, one.properties)

    def look(self, one: Existing) -> Look:
        name = one.properties["PolicyName"]
        holders = [role for role in only_roles(one.properties, self.name) if self._has(role, name)]
        if not holders:
            raise Fault("NoSuchEntity", f"The role policy with name {name} cannot be found.", 404)
        found = self.ask("GetRolePolicy", RoleName=holders[0], PolicyName=name)
        actual = {
            "PolicyDocument": document(found["PolicyDocument"]),
            "PolicyName": name,
            "Roles": holders,
        }
        made = Made(id=one.id, attributes={"Id": one.id})
        return Look(condition=Condition.READY, made=made, actual=actual)

    def identify(self, props: Properties) -> str | None:  # noqa: ARG002  # it has no name
        return None

    def _has(self, role: str, name: str) -> bool:
        try:
            return name in self.ask("ListRolePolicies", RoleName=role)["PolicyNames"]
        except Fault as fault:
            if is_missing(fault):
                return False
            raise

    def _put(self, props: Properties, roles: Iterable[str]) -> None:
        for role in roles:
            put = {
                "PolicyName": props["PolicyName"],
                "PolicyDocument": text(props["PolicyDocument"]),
            }
            self.ask("PutRolePolicy", RoleName=role, **put)

    def _drop(self, role: str, props: Properties) -> None:
        self.take_away("DeleteRolePolicy", RoleName=role, PolicyName=props["PolicyName"])


def text(value: Any) -> str:
    """A document as IAM takes it."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def document(value: str) -> Any:
    """A document as a template has it; IAM answers with a quoted one."""
    return json.loads(unquote(value)) if isinstance(value, str) else value


def made_up_id(*parts: str) -> str:
    """An id that CloudFormation makes up for what has none."""
    name = "-".join(part[:8] for part in parts)
    return f"{name[:40]}-{uuid4().hex[:12].upper()}"


def only_roles(props: Properties, kind: str) -> list[str]:
    """The roles that a policy names. Raises: Fault, for anybody else."""
    others = [name for name in ("Users", "Groups") if props.get(name)]
    if others:
        raise not_implemented(f"{kind} with {others}")
    return [str(role) for role in props.get("Roles", [])]


def _documents(props: Properties) -> dict[str, str]:
    return {one["PolicyName"]: text(one["PolicyDocument"]) for one in props.get("Policies", [])}


def _made_role(role: dict[str, Any]) -> Made:
    return Made(id=role["RoleName"], attributes={"Arn": role["Arn"], "RoleId": role["RoleId"]})
