"""What EKS sees of EC2: the subnets of clusters and node groups, and a cluster's security group."""

from dataclasses import replace

from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.eks_records import PARAMETER, Record, hexadecimal
from platform_pipelines.local.aws.service import Call, Fault, Params, Result

_EC2 = "(Service: AmazonEC2; Status Code: 400; Error Code: {code})"


def ask(call: Call, operation: str, params: Params) -> Result:
    """What EC2 answers the caller of EKS. Raises: Fault."""
    return stores.ask(replace(call, service="ec2", operation=operation), params)


def subnets(call: Call, ids: list[str]) -> list[Record]:
    """The subnets of these ids. Raises: Fault, of EKS, when one of them does not exist."""
    if not ids:
        raise Fault(PARAMETER, "Subnets cannot be empty.")
    try:
        found: list[Record] = ask(call, "DescribeSubnets", {"SubnetIds": ids})["Subnets"]
    except Fault as fault:
        raise Fault(PARAMETER, f"{fault.message} {_EC2.format(code=fault.code)}") from None
    return found


def two_zones(found: list[Record]) -> None:
    """Raises: Fault, when a cluster's subnets are in a single zone."""
    if len({subnet["AvailabilityZone"] for subnet in found}) < 2:
        raise Fault(PARAMETER, "Subnets specified must be in at least two different AZs")


def one_network(found: list[Record]) -> str:
    """The id of the VPC that has all these subnets. Raises: Fault."""
    networks: list[str] = sorted({subnet["VpcId"] for subnet in found})
    if len(networks) > 1:
        raise Fault(PARAMETER, f"Subnets must be in the same VPC: {', '.join(networks)}")
    return networks[0]


def create_security_group(call: Call, cluster: str, network: str) -> str:
    """The security group that EKS makes for a cluster; its members reach each other."""
    name = f"eks-cluster-sg-{cluster}-{hexadecimal(8)}"
    description = "EKS created security group applied to ENI that is attached to EKS Control Plane"
    made = ask(
        call,
        "CreateSecurityGroup",
        {"GroupName": name, "Description": description, "VpcId": network},
    )
    group: str = made["GroupId"]
    own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ask(call, "AuthorizeSecurityGroupIngress", {"GroupId": group, "IpPermissions": [own]})
    return group


def delete_security_group(call: Call, group: str) -> None:
    """Delete it; one that somebody still uses stays, as in AWS."""
    try:
        ask(call, "DeleteSecurityGroup", {"GroupId": group})
    except Fault as fault:
        if fault.code not in ("DependencyViolation", "InvalidGroup.NotFound"):
            raise
