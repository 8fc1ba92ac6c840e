"""The words in which services refuse what their models do not allow, as AWS was seen to say them."""

import pytest

from platform_pipelines.local.aws.service import Fault
from tests.local.contract import wire

SAID = [
    (  # github.com/aws/aws-sdk-js-v3/pull/1288
        ("efs", "DeleteFileSystem", {"FileSystemId": "fake-id"}),
        (
            "ValidationException: 1 validation error detected: Value 'fake-id' at 'fileSystemId' "
            "failed to satisfy constraint: Member must satisfy regular expression pattern: "
        ),
    ),
    (
        ("efs", "DescribeFileSystems", {"MaxItems": 0}),
        (
            "ValidationException: 1 validation error detected: Value '0' at 'maxItems' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1"
        ),
    ),
    (  # github.com/hashicorp/terraform-provider-aws/issues/40309
        ("ecr", "CreateRepository", {"repositoryName": "Organization/repo"}),
        (
            "InvalidParameterException: Invalid parameter at 'repositoryName' failed to satisfy "
            "constraint: 'must satisfy regular expression '"
        ),
    ),
    (  # github.com/aws/aws-dotnet-deploy/issues/549
        ("ecr", "CreateRepository", {"repositoryName": "a"}),
        (
            "InvalidParameterException: Invalid parameter at 'repositoryName' failed to satisfy "
            "constraint: 'must have length greater than or equal to 2'"
        ),
    ),
    (
        ("eks", "CreateNodegroup", {"clusterName": "c", "subnets": [], "nodeRole": "r"}),
        "InvalidParameterException: The parameter nodegroupName is required.",
    ),
    (
        ("rds", "DeleteGlobalCluster", {}),
        "MissingParameter: The request must contain the parameter GlobalClusterIdentifier",
    ),
    (
        ("sns", "Publish", {}),
        "InvalidParameter: Invalid parameter: Message Reason: no value for required parameter",
    ),
    (
        ("dynamodb", "GetItem", {"TableName": "t"}),
        (
            "ValidationException: 1 validation error detected: Value null at 'key' failed to satisfy "
            "constraint: Member must not be null"
        ),
    ),
    (
        ("cloudformation", "CreateChangeSet", {"StackName": "s", "ChangeSetName": "1"}),
        (
            "ValidationError: 1 validation error detected: Value '1' at 'changeSetName' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: "
        ),
    ),
]


@pytest.mark.parametrize(("asked", "said"), SAID)
def test_a_service_refuses_in_its_own_words(
    asked: tuple[str, str, dict[str, object]], said: str
) -> None:
    """Clients and people search for these texts."""
    service, name, params = asked
    with pytest.raises(Fault) as refused:
        wire.parsed(service, wire.sent(service, name, params))
    assert str(refused.value).startswith(said)


def test_several_problems_are_told_at_once() -> None:
    """By the services that answer through AWS's common front end."""
    params = {"StackName": "s", "ChangeSetName": "1", "ChangeSetType": "ODD"}
    request = wire.sent("cloudformation", "CreateChangeSet", params)
    with pytest.raises(Fault, match=r"2 validation errors detected: .*; .*enum value set: "):
        wire.parsed("cloudformation", request)
