"""IAM: roles and policies, whose documents and names are checked; ministack takes any.

Nobody is refused by them: the local Regions let every signed call through.
"""

import json
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.policy_documents import listed
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

_MALFORMED = "MalformedPolicyDocument"
_MISSING = "NoSuchEntity"
_CONFLICT = "EntityAlreadyExists"
_AWS_MANAGED = "arn:aws:iam::aws:policy/"


class Iam(Service):
    """What the stacks make, and what explains it."""

    name = "iam"
    passes = frozenset(
        {
            *("GetRole", "ListRoles", "UpdateRole", "DeleteRole"),
            *("TagRole", "UntagRole", "ListRoleTags"),
            *("DetachRolePolicy", "ListAttachedRolePolicies"),
            *("GetRolePolicy", "DeleteRolePolicy", "ListRolePolicies"),
            *("GetPolicy", "ListPolicies", "DeletePolicy"),
            *("GetPolicyVersion", "ListPolicyVersions", "DeletePolicyVersion"),
            *("CreateInstanceProfile", "GetInstanceProfile", "ListInstanceProfiles"),
            *("DeleteInstanceProfile", "AddRoleToInstanceProfile"),
            "RemoveRoleFromInstanceProfile",
            *("CreateOpenIDConnectProvider", "GetOpenIDConnectProvider"),
            *("DeleteOpenIDConnectProvider", "ListOpenIDConnectProviders"),
            "CreateServiceLinkedRole",
        }
    )

    @operation(raises=(_CONFLICT, _MALFORMED))
    def CreateRole(self, call: Call) -> Result:  # noqa: N802
        _check(call.params["AssumeRolePolicyDocument"], trust=True)
        return stores.ask(call)

    @operation(raises=(_MALFORMED, _MISSING))
    def UpdateAssumeRolePolicy(self, call: Call) -> Result:  # noqa: N802
        _check(call.params["PolicyDocument"], trust=True)
        return stores.ask(call)

    @operation(raises=(_MALFORMED, _MISSING))
    def PutRolePolicy(self, call: Call) -> Result:  # noqa: N802
        _check(call.params["PolicyDocument"])
        return stores.ask(call)

    @operation(raises=(_CONFLICT, _MALFORMED))
    def CreatePolicy(self, call: Call) -> Result:  # noqa: N802
        _check(call.params["PolicyDocument"])
        return stores.ask(call)

    @operation(raises=("LimitExceeded", _MALFORMED, _MISSING))
    def CreatePolicyVersion(self, call: Call) -> Result:  # noqa: N802
        _check(call.params["PolicyDocument"])
        return stores.ask(call)

    @operation(raises=(_MISSING,))
    def AttachRolePolicy(self, call: Call) -> Result:  # noqa: N802
        arn = call.params["PolicyArn"]
        if not arn.startswith(_AWS_MANAGED) and arn not in ministack.service("iam")._policies:
            message = f"Policy {arn} does not exist or is not attachable."
            raise Fault(_MISSING, message, 404)
        return stores.ask(call)


def _check(document: str, *, trust: bool = False) -> None:
    """Whether a text is a policy, of a role's trust or of permissions. Raises: Fault."""
    try:
        policy: Any = json.loads(document)
    except ValueError:
        raise Fault(_MALFORMED, "This policy contains invalid Json") from None
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise Fault(_MALFORMED, "Syntax errors in policy.")
    for statement in listed(policy["Statement"]):
        _check_statement(statement, trust=trust)


def _check_statement(statement: Any, *, trust: bool) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in {"Allow", "Deny"}:
        raise Fault(_MALFORMED, "Syntax errors in policy.")
    if trust and not statement.keys() & {"Principal", "NotPrincipal"}:
        raise Fault(_MALFORMED, "Missing required field Principal")
    if not trust and not statement.keys() & {"Resource", "NotResource"}:
        raise Fault(_MALFORMED, "Policy statement must contain resources.")
    if not statement.keys() & {"Action", "NotAction"}:
        raise Fault(_MALFORMED, "Policy statement must contain actions.")
