"""The Kubernetes versions that EKS has, and how a cluster or node group goes from one to the next.

https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
"""

import re

_OLDEST, _NEWEST = 30, 37
DEFAULT_PLATFORM = "eks.4"
SKEW = 3  # how many minor versions a kubelet may be behind its API server


def minor(version: str) -> int:
    """The minor version; 0 for what is no version."""
    found = re.fullmatch(r"1\.(\d+)", version)
    return int(found[1]) if found else 0


def supported(version: str) -> bool:
    """Whether EKS has this version."""
    return _OLDEST <= minor(version) <= _NEWEST


def release(version: str) -> str:
    """The newest AMI release of a version, as EKS names it."""
    return f"{version}.0-20261105"
