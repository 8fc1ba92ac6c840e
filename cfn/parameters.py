"""The inputs of a stack that stores data inside the Region's network: `files` and `database`."""

from troposphere import Parameter, Template

TYPES = {
    "Vpc": "AWS::EC2::VPC::Id",
    "PrivateSubnets": "List<AWS::EC2::Subnet::Id>",
    "ClusterSecurityGroup": "AWS::EC2::SecurityGroup::Id",
    "Key": "String",
}


def add(template: Template) -> None:
    """Declare them; the registry in `cfn` says which outputs fill them."""
    for name, kind in TYPES.items():
        template.add_parameter(Parameter(name, Type=kind))
