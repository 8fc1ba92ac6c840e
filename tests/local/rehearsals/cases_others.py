"""Transitions of EC2, ECR, DynamoDB, quotas and stacks, for `test_transitions_in_trouble`."""

import json

from platform_pipelines.local import images
from tests.local.rehearsals.building import REPOSITORY
from tests.local.rehearsals.cases import Case
from tests.local.rehearsals.rehearsal import Rehearsal


def made_gateway(stage: Rehearsal) -> str:
    """A NAT gateway."""
    ec2, place = stage.aws("ec2"), stage.places["seoul"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=place.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    subnet = next(iter(place.subnets.values()))
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    return str(made["NatGatewayId"])


def nat_gateway(stage: Rehearsal, identifier: str) -> str:
    """The state of a NAT gateway."""
    found = stage.aws("ec2").describe_nat_gateways(NatGatewayIds=[identifier])["NatGateways"]
    return str(found[0]["State"])


def pushed_image(stage: Rehearsal) -> str:
    """An image that is on its way to the other Region."""
    images.push(stage.aws("ecr"), images.build(REPOSITORY, "2"))
    return REPOSITORY


def copy_of_image(stage: Rehearsal, repository: str) -> str:
    """The status of its copy."""
    found = stage.aws("ecr").describe_image_replication_status(
        repositoryName=repository, imageId={"imageTag": "2"}
    )
    [status] = found["replicationStatuses"]
    assert stage.has_image("tokyo", "2") == (status["status"] == "COMPLETE")
    return str(status["status"])


def made_table(stage: Rehearsal) -> str:
    """A plain table."""
    stage.aws("dynamodb").create_table(
        TableName="new",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    return "new"


def table(stage: Rehearsal, name: str) -> str:
    """The status of a table."""
    found = stage.aws("dynamodb").describe_table(TableName=name)["Table"]
    return str(found["TableStatus"])


def raised_quota(stage: Rehearsal) -> str:
    """An increase of a quota."""
    asked = stage.aws("service-quotas").request_service_quota_increase(
        ServiceCode="ec2", QuotaCode="L-1216C47A", DesiredValue=500
    )
    return str(asked["RequestedQuota"]["Id"])


def quota_request(stage: Rehearsal, identifier: str) -> str:
    """What became of it."""
    quotas = stage.aws("service-quotas")
    found = quotas.get_requested_service_quota_change(RequestId=identifier)
    return str(found["RequestedQuota"]["Status"])


def made_change_set(stage: Rehearsal) -> str:
    """A change set of a new stack."""
    resource = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}
    stage.aws("cloudformation").create_change_set(
        StackName="new",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Name": resource}}),
    )
    return "new"


def change_set(stage: Rehearsal, stack: str) -> str:
    """Its status."""
    found = stage.aws("cloudformation").describe_change_set(StackName=stack, ChangeSetName="first")
    return str(found["Status"])


CASES = (
    Case(
        transition="nat_gateway_creating",
        begin=made_gateway,
        look=nat_gateway,
        running="pending",
        failed="failed",
        done="available",
    ),
    Case(
        transition="ecr_copy",
        begin=pushed_image,
        look=copy_of_image,
        running="IN_PROGRESS",
        failed="FAILED",
        done="COMPLETE",
    ),
    Case(
        transition="dynamodb_table_creating",
        begin=made_table,
        look=table,
        running="CREATING",
        failed=None,
        done="ACTIVE",
    ),
    Case(
        transition="quota_increase",
        begin=raised_quota,
        look=quota_request,
        running="PENDING",
        failed="DENIED",
        done="APPROVED",
    ),
    Case(
        transition="stack_change_set",
        begin=made_change_set,
        look=change_set,
        running="CREATE_IN_PROGRESS",
        failed="FAILED",
        done="CREATE_COMPLETE",
    ),
)
