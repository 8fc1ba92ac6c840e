"""What a node of an instance type offers to pods.

Figures of EKS: the pods that the VPC CNI has addresses for, and what the kubelet keeps for itself.
https://github.com/awslabs/amazon-eks-ami/blob/main/templates/shared/runtime/eni-max-pods.txt
https://github.com/awslabs/amazon-eks-ami (kube-reserved: 255 MiB + 11 MiB a pod, 6 % of the first
core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest; 100 MiB eviction threshold)
"""

from dataclasses import dataclass

MIB = 1024
# vCPUs, GiB and pods by size, for families with 4 GiB a vCPU from large on.
_SIZES = {
    "medium": (2, 4, 17),
    "large": (2, 8, 29),
    "xlarge": (4, 16, 58),
    "2xlarge": (8, 32, 58),
    "4xlarge": (16, 64, 234),
    "8xlarge": (32, 128, 234),
    "12xlarge": (48, 192, 234),
    "16xlarge": (64, 256, 737),
    "24xlarge": (96, 384, 737),
}
_PODS = {"t3.large": 35}
_GIB_PER_CPU = {"c": 2, "r": 8}  # compute and memory families; all others have 4
_PART_OF_MEMORY = 0.96  # the firmware and the kernel take the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One instance type."""

    cpus: int
    memory_kib: int  # as the kernel sees it
    pods: int

    def capacity(self) -> dict[str, str]:
        """`status.capacity` of a node."""
        return {
            "cpu": str(self.cpus),
            "memory": f"{self.memory_kib}Ki",
            "pods": str(self.pods),
            "ephemeral-storage": "52416492Ki",
        }

    def allocatable(self) -> dict[str, str]:
        """`status.allocatable` of a node."""
        cores = (0.06, 0.01, 0.005, 0.005)
        kept = sum(cores[: self.cpus]) + 0.0025 * max(0, self.cpus - len(cores))
        kept_kib = (255 + 11 * self.pods + 100) * MIB
        return {
            "cpu": f"{self.cpus * 1000 - round(kept * 1000)}m",
            "memory": f"{self.memory_kib - kept_kib}Ki",
            "pods": str(self.pods),
            "ephemeral-storage": "47233297124",
        }


def size_of(instance_type: str) -> Size:
    """The size of an instance type; a size that we do not know counts as large."""
    family, _, size = instance_type.partition(".")
    cpus, gib, pods = _SIZES.get(size, _SIZES["large"])
    if size != "medium":
        gib = cpus * _GIB_PER_CPU.get(family[:1], 4)
    return Size(
        cpus=cpus,
        memory_kib=int(gib * MIB * MIB * _PART_OF_MEMORY),
        pods=_PODS.get(instance_type, pods),
    )
