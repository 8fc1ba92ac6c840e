"""The add-ons that EKS offers, as far as the local Regions know them.

https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
"""

from dataclasses import dataclass

from platform_pipelines.local.aws.eks_records import Record
from platform_pipelines.local.aws.eks_versions import DEFAULT_PLATFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An add-on with its versions, the newest first; the newest is the default."""

    name: str
    versions: tuple[str, ...]
    kind: str  # what it is for
    namespace: str = "kube-system"
    replicated: bool = False  # whether it has pods that need a node without taints
    permissions: bool = False  # whether it needs an IAM role

    def compatible(self, kubernetes: str, name: str) -> Record:
        """One of its versions as EKS describes it."""
        compatibility = {
            "clusterVersion": kubernetes,
            "platformVersions": [DEFAULT_PLATFORM],
            "defaultVersion": name == self.versions[0],
        }
        return {
            "addonVersion": name,
            "architecture": ["amd64", "arm64"],
            "computeTypes": ["ec2", "hybrid"],
            "compatibilities": [compatibility],
            "requiresConfiguration": False,
            "requiresIamPermissions": self.permissions,
        }

    def described(self, kubernetes: str) -> Record:
        """The add-on as DescribeAddonVersions has it."""
        return {
            "addonName": self.name,
            "type": self.kind,
            "addonVersions": [self.compatible(kubernetes, name) for name in self.versions],
            "publisher": "eks",
            "owner": "aws",
            "defaultNamespace": self.namespace,
        }


OFFERS = (
    Offer(
        name="amazon-cloudwatch-observability",
        versions=("v6.2.0-eksbuild.1", "v6.1.0-eksbuild.1"),
        kind="observability",
        namespace="amazon-cloudwatch",
        replicated=True,
        permissions=True,
    ),
    Offer(
        name="aws-ebs-csi-driver",
        versions=("v1.63.0-eksbuild.1", "v1.62.0-eksbuild.1"),
        kind="storage",
        replicated=True,
        permissions=True,
    ),
    Offer(
        name="aws-efs-csi-driver",
        versions=("v3.4.0-eksbuild.1", "v3.3.0-eksbuild.1"),
        kind="storage",
        replicated=True,
        permissions=True,
    ),
    Offer(
        name="coredns",
        versions=("v1.14.2-eksbuild.1", "v1.14.1-eksbuild.1"),
        kind="networking",
        replicated=True,
    ),
    Offer(
        name="eks-pod-identity-agent",
        versions=("v1.4.2-eksbuild.1", "v1.4.1-eksbuild.1"),
        kind="security",
    ),
    Offer(
        name="kube-proxy",
        versions=("v1.36.1-eksbuild.2", "v1.36.0-eksbuild.2"),
        kind="networking",
    ),
    Offer(
        name="metrics-server",
        versions=("v0.9.1-eksbuild.1", "v0.9.0-eksbuild.1"),
        kind="observability",
        replicated=True,
    ),
    Offer(
        name="vpc-cni",
        versions=("v1.22.1-eksbuild.1", "v1.22.0-eksbuild.1"),
        kind="networking",
        permissions=True,
    ),
)
BY_NAME = {offer.name: offer for offer in OFFERS}
