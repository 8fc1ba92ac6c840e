"""The account's service quotas in each Region: AWS's default values, and what was granted.

`service_quotas` answers AWS's API from it; whoever makes a resource asks `value` how much there may
be. The account is one that runs a platform already, so it has more vCPUs than a new one.
https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
"""

from dataclasses import dataclass
from typing import Any

EC2_VCPUS = "L-1216C47A"  # Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One quota as AWS defines it."""

    service: str  # the service code
    code: str
    name: str
    default: float
    applied: float | None = None  # what this account has, where it is not the default
    is_global: bool = False  # only us-east-1 knows it
    adjustable: bool = True


SERVICES = {
    "cloudformation": "AWS CloudFormation",
    "dynamodb": "Amazon DynamoDB",
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "ecr": "Amazon Elastic Container Registry (Amazon ECR)",
    "eks": "Amazon Elastic Kubernetes Service (Amazon EKS)",
    "elasticfilesystem": "Amazon Elastic File System (EFS)",
    "elasticloadbalancing": "Elastic Load Balancing (ELB)",
    "rds": "Amazon Relational Database Service (Amazon RDS)",
    "route53": "Amazon Route 53",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}
_STANDARD = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
_ROWS: tuple[tuple[str, str, str, float], ...] = (
    ("cloudformation", "L-0485CB21", "Stack count", 2000),
    ("dynamodb", "L-F98FE922", "Maximum number of tables", 2500),
    ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5),
    ("ecr", "L-03A36CE1", "Images per repository", 20000),
    ("ecr", "L-CFEB8E8D", "Registered repositories", 100000),
    ("eks", "L-1194D53C", "Clusters", 100),
    ("eks", "L-6D54EA21", "Managed node groups per cluster", 30),
    ("eks", "L-BD136A63", "Nodes per managed node group", 450),
    ("elasticfilesystem", "L-848C634D", "File systems per account", 1000),
    ("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50),
    ("rds", "L-7B6409FD", "DB instances", 40),
    ("rds", "L-952B80B8", "DB clusters", 40),
    ("vpc", "L-F678F1CE", "VPCs per Region", 5),
    ("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5),
)
QUOTAS = (
    *(Quota(service=one, code=code, name=name, default=value) for one, code, name, value in _ROWS),
    Quota(service="ec2", code=EC2_VCPUS, name=_STANDARD, default=5, applied=256),
    Quota(service="route53", code="L-4EA4796A", name="Hosted zones", default=500, is_global=True),
    Quota(service="route53", code="L-ACB674F3", name="Health checks", default=200, is_global=True),
)


def find(service: str, code: str) -> Quota | None:
    """The quota of a service and a code."""
    return next((one for one in QUOTAS if (one.service, one.code) == (service, code)), None)


class Quotas:
    """What the account has in each Region (an AWS name)."""

    def __init__(self) -> None:
        self._granted: dict[str, float] = {}  # by Region/service/code

    def value(self, region: str, service: str, code: str) -> float:
        """How much the account may have there. Raises: KeyError, for an unknown quota."""
        quota = find(service, code)
        if quota is None:
            raise KeyError(f"{service}/{code}")
        known = quota.default if quota.applied is None else quota.applied
        return self._granted.get(f"{region}/{service}/{code}", known)

    def grant(self, region: str, service: str, code: str, value: float) -> None:
        """Set what the account has there; what is used already stays."""
        self._granted[f"{region}/{service}/{code}"] = value

    def dump(self) -> dict[str, Any]:
        """What was granted, as JSON values."""
        return dict(self._granted)

    def load(self, state: dict[str, Any]) -> None:
        """Go on with what `dump` gave."""
        self._granted = dict(state)
