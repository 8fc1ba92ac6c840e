"""The IAM principals that calls to EKS name: their form. Whether there is such a role is not asked."""

import re

from platform_pipelines.local.aws.eks_records import PARAMETER
from platform_pipelines.local.aws.service import Fault, Params

_IAM = r"arn:aws[a-z-]*:iam::\d{12}:"
_ROLE = re.compile(rf"{_IAM}role/[\w+=,.@/-]+")
_PRINCIPAL = re.compile(rf"{_IAM}(root|(role|user)/[\w+=,.@/-]+)")


def check_roles(params: Params, *names: str) -> None:
    """Raises: Fault, for a parameter that is given and is no role's ARN."""
    for name in names:
        if name in params and not _ROLE.fullmatch(params[name]):
            raise Fault(PARAMETER, f"The {name} is not the ARN of an IAM role: {params[name]}")


def check_principal(arn: str) -> None:
    """Raises: Fault, for an access entry of what is neither a user nor a role."""
    if not _PRINCIPAL.fullmatch(arn):
        raise Fault(PARAMETER, "The specified principalArn is invalid: invalid principal.")
