"""VPC endpoints and flow logs."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.local.aws.accounts import SEOUL, Account

STS = f"com.amazonaws.{SEOUL}.sts"


@dataclass
class Network:
    """A VPC of three zones that resolves names."""

    account: Account
    vpc: str
    subnets: list[str]
    group: str

    def __call__(self, operation: str, **params: Any) -> Any:
        """A call of EC2."""
        return self.account("ec2", operation, **params)

    def interface(self, service: str = STS, **more: Any) -> dict[str, Any]:
        """What asks for an interface endpoint."""
        places = {"SubnetIds": self.subnets, "SecurityGroupIds": [self.group]}
        return {
            "VpcId": self.vpc,
            "VpcEndpointType": "Interface",
            "ServiceName": service,
            **places,
            **more,
        }

    def endpoint(self, id_: str) -> dict[str, Any]:
        """An endpoint as it is described."""
        return dict(self("DescribeVpcEndpoints", VpcEndpointIds=[id_])["VpcEndpoints"][0])


@pytest.fixture
def network(account: Account) -> Network:
    """A network in Seoul."""
    vpc, subnets = account.network()
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        account("ec2", "ModifyVpcAttribute", VpcId=vpc, **{name: {"Value": True}})
    asked = {"GroupName": "endpoints", "Description": "HTTPS", "VpcId": vpc}
    group = account("ec2", "CreateSecurityGroup", **asked)["GroupId"]
    return Network(account, vpc, subnets, group)


def test_an_interface_endpoint_takes_a_while(network: Network) -> None:
    """pending, then available, with an address in each zone and the service's own name."""
    id_ = network("CreateVpcEndpoint", **network.interface())["VpcEndpoint"]["VpcEndpointId"]
    assert network.endpoint(id_)["State"] == "pending"
    network.account.wait(91)
    found = network.endpoint(id_)
    assert found["State"] == "available"
    assert len(found["NetworkInterfaceIds"]) == 3
    assert [one["GroupId"] for one in found["Groups"]] == [network.group]
    assert f"sts.{SEOUL}.amazonaws.com" in {one["DnsName"] for one in found["DnsEntries"]}


def test_a_gateway_endpoint_is_there_at_once(network: Network) -> None:
    """In the route tables that are named, which lead to a service once."""
    table = network("CreateRouteTable", VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    asked = {"ServiceName": f"com.amazonaws.{SEOUL}.s3", "RouteTableIds": [table]}
    made = network("CreateVpcEndpoint", VpcId=network.vpc, **asked)["VpcEndpoint"]
    assert (made["State"], made["RouteTableIds"]) == ("available", [table])
    again = network.account.refused("ec2", "CreateVpcEndpoint", VpcId=network.vpc, **asked)
    assert again == "RouteAlreadyExists"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ServiceName": f"com.amazonaws.{SEOUL}.nothing"}, "InvalidServiceName"),
        ({"ServiceName": "com.amazonaws.ap-northeast-1.sts"}, "InvalidServiceName"),
        ({"VpcEndpointType": "Gateway"}, "InvalidServiceName"),
        ({"VpcId": "vpc-none"}, "InvalidVpcID.NotFound"),
        ({"SubnetIds": ["subnet-none"]}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-none"]}, "InvalidGroup.NotFound"),
    ],
)
def test_a_wrong_endpoint_is_refused(network: Network, wrong: dict[str, Any], code: str) -> None:
    """A service that is not there, or has no gateway; places that are not."""
    asked = network.interface() | wrong
    assert network.account.refused("ec2", "CreateVpcEndpoint", **asked) == code


def test_an_endpoint_has_one_address_a_zone(network: Network) -> None:
    """AWS tells of the second subnet only now."""
    more = {"CidrBlock": "10.9.9.0/24", "AvailabilityZone": f"{SEOUL}a"}
    second = network("CreateSubnet", VpcId=network.vpc, **more)["Subnet"]["SubnetId"]
    asked = network.interface(SubnetIds=[*network.subnets, second])
    code = network.account.refused("ec2", "CreateVpcEndpoint", **asked)
    assert code == "DuplicateSubnetsInSameZone"


def test_a_name_is_resolved_to_one_endpoint_of_a_vpc_that_resolves_names(network: Network) -> None:
    """A second one has to do without private DNS; so has any in a VPC without host names."""
    network("CreateVpcEndpoint", **network.interface())
    refused = network.account.refused
    assert refused("ec2", "CreateVpcEndpoint", **network.interface()) == "InvalidParameter"
    network("CreateVpcEndpoint", **network.interface(PrivateDnsEnabled=False))
    off = {"VpcId": network.vpc, "EnableDnsHostnames": {"Value": False}}
    network("ModifyVpcAttribute", **off)
    logs = network.interface(f"com.amazonaws.{SEOUL}.logs")
    assert refused("ec2", "CreateVpcEndpoint", **logs) == "InvalidParameter"


def test_an_endpoint_changes_its_places(network: Network) -> None:
    """Subnets and groups are added and removed; the policy is reset."""
    id_ = network("CreateVpcEndpoint", **network.interface(PolicyDocument='{"Statement": []}'))
    key = {"VpcEndpointId": id_["VpcEndpoint"]["VpcEndpointId"]}
    gone = {"RemoveSubnetIds": network.subnets[:1], "ResetPolicy": True}
    network("ModifyVpcEndpoint", **key, **gone, PrivateDnsEnabled=False)
    found = network.endpoint(key["VpcEndpointId"])
    assert (found["SubnetIds"], len(found["NetworkInterfaceIds"])) == (network.subnets[1:], 2)
    assert json.loads(found["PolicyDocument"])["Statement"][0]["Effect"] == "Allow"
    assert not found["PrivateDnsEnabled"]


def test_an_endpoint_holds_its_subnets_and_groups_until_it_is_gone(network: Network) -> None:
    """deleting takes a while; of unknown ids the answer tells."""
    id_ = network("CreateVpcEndpoint", **network.interface())["VpcEndpoint"]["VpcEndpointId"]
    refused, group = network.account.refused, {"GroupId": network.group}
    assert refused("ec2", "DeleteSubnet", SubnetId=network.subnets[0]) == "DependencyViolation"
    answer = network("DeleteVpcEndpoints", VpcEndpointIds=[id_, "vpce-none"])["Unsuccessful"]
    assert [one["Error"]["Code"] for one in answer] == ["InvalidVpcEndpoint.NotFound"]
    assert network.endpoint(id_)["State"] == "deleting"
    assert refused("ec2", "DeleteSecurityGroup", **group) == "DependencyViolation"
    network.account.wait(61)
    gone = refused("ec2", "DescribeVpcEndpoints", VpcEndpointIds=[id_])
    assert gone == "InvalidVpcEndpointId.NotFound"
    network("DeleteSecurityGroup", **group)


# Flow logs

TRUST = {"Effect": "Allow", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}}


def role(account: Account, **statement: Any) -> str:
    """A role with this trust; its ARN."""
    trust = json.dumps({"Statement": [TRUST | {"Action": "sts:AssumeRole"} | statement]})
    made = account("iam", "CreateRole", RoleName="flows", AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


def flow_log(network: Network, role_arn: str, **more: Any) -> dict[str, Any]:
    """What asks for a flow log of the VPC."""
    return {
        "ResourceIds": [network.vpc],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "/vpc/flows",
        "DeliverLogsPermissionArn": role_arn,
        "MaxAggregationInterval": 60,
        **more,
    }


def test_whether_a_flow_log_is_delivered_shows_after_an_interval(network: Network) -> None:
    """It needs a log group, and a role that flow logs may take."""
    network.account("logs", "CreateLogGroup", logGroupName="/vpc/flows")
    asked = flow_log(network, role(network.account))
    (id_,) = network("CreateFlowLogs", **asked)["FlowLogIds"]
    (found,) = network("DescribeFlowLogs", FlowLogIds=[id_])["FlowLogs"]
    assert (found["FlowLogStatus"], "DeliverLogsStatus" in found) == ("ACTIVE", False)
    network.account.wait(61)
    (found,) = network("DescribeFlowLogs")["FlowLogs"]
    assert found["DeliverLogsStatus"] == "SUCCESS"
    network.account("logs", "DeleteLogGroup", logGroupName="/vpc/flows")
    (found,) = network("DescribeFlowLogs")["FlowLogs"]
    assert found["DeliverLogsErrorMessage"] == "Access error"


def test_a_flow_log_by_a_role_that_it_cannot_take_delivers_nothing(network: Network) -> None:
    """AWS accepts it all the same."""
    network.account("logs", "CreateLogGroup", logGroupName="/vpc/flows")
    wrong = role(network.account, Principal={"Service": "ec2.amazonaws.com"})
    network("CreateFlowLogs", **flow_log(network, wrong))
    network.account.wait(61)
    filters = [{"Name": "deliver-log-status", "Values": ["FAILED"]}]
    assert len(network("DescribeFlowLogs", Filter=filters)["FlowLogs"]) == 1


def test_flow_logs_fail_one_by_one(network: Network) -> None:
    """A resource that is not there, and one that has the same already."""
    asked = flow_log(network, "arn:aws:iam::111122223333:role/none")
    network("CreateFlowLogs", **asked)
    again = network("CreateFlowLogs", **asked | {"ResourceIds": [network.vpc, "vpc-none"]})
    codes = [one["Error"]["Code"] for one in again["Unsuccessful"]]
    assert (again["FlowLogIds"], codes) == ([], ["FlowLogAlreadyExists", "InvalidVpcId.NotFound"])
    gone = network("DeleteFlowLogs", FlowLogIds=["fl-none"])["Unsuccessful"]
    assert gone[0]["Error"]["Code"] == "InvalidFlowLogId.NotFound"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"DeliverLogsPermissionArn": ""}, "InvalidParameter"),
        ({"MaxAggregationInterval": 90}, "InvalidParameter"),
        ({"LogDestinationType": "s3"}, "InvalidParameter"),
        ({"LogGroupName": ""}, "MissingParameter"),
        ({"ResourceType": "TransitGateway"}, "NotImplemented"),
    ],
)
def test_a_wrong_flow_log_is_refused(network: Network, wrong: dict[str, Any], code: str) -> None:
    """What belongs together, and what there is."""
    asked = flow_log(network, "arn:aws:iam::111122223333:role/flows") | wrong
    assert network.account.refused("ec2", "CreateFlowLogs", **asked) == code
