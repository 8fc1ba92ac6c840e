"""Roles that AWS's own services take with policies that AWS keeps. They have no fixed name: IAM is
global, and names would collide."""

from collections.abc import Sequence

from troposphere.iam import Role

from cfn.service_role import document, trusting

MONITORING = "service-role/AmazonRDSEnhancedMonitoringRole"


def aws_role(title: str, service: str, policies: Sequence[str]) -> Role:
    """The role of `<service>.amazonaws.com` with AWS's policies of these names."""
    return Role(
        title,
        AssumeRolePolicyDocument=document([trusting(service)]),
        ManagedPolicyArns=[f"arn:aws:iam::aws:policy/{name}" for name in policies],
    )


def monitoring() -> Role:
    """By which RDS writes what it measures inside of its instances, into CloudWatch Logs."""
    return aws_role("MonitoringRole", "monitoring.rds", (MONITORING,))
