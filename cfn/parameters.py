"""The inputs that several stacks share; the registry in `cfn` says which outputs fill them."""

from troposphere import Parameter, Template

TYPES = {
    "Vpc": "AWS::EC2::VPC::Id",
    "PrivateSubnets": "List<AWS::EC2::Subnet::Id>",
    "ClusterSecurityGroup": "AWS::EC2::SecurityGroup::Id",
    "Key": "String",
    "Zone": "AWS::Route53::HostedZone::Id",
}
# Of a stack that stores what the cluster's pods use, inside the Region's network.
STORAGE = ("Vpc", "PrivateSubnets", "ClusterSecurityGroup", "Key")


def add(template: Template, *names: str) -> None:
    """Declare inputs by their names."""
    for name in names:
        template.add_parameter(Parameter(name, Type=TYPES[name]))
