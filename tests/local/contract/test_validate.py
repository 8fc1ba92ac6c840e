"""The validator of answers: what it takes, and what it finds."""

from typing import Any

import pytest

from platform_pipelines.local import validate
from platform_pipelines.local.aws import faults, protocol
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.http import Response
from tests.local.contract import generate, wire

FILES = ("efs", "DescribeFileSystems")  # rest-json
IMAGES = ("ecr", "BatchGetImage")  # json
CLUSTERS = ("rds", "DescribeGlobalClusters")  # query
SUBNETS = ("ec2", "DescribeSubnets")
CHECK = ("route53", "GetHealthCheckStatus")  # rest-xml


def _found(operation: tuple[str, str], response: Response) -> list[str]:
    known = wire.operation(*operation)
    return validate.violations(known, known.service_model.resolved_protocol, response)


def _answer(body: str, status: int = 200, **headers: str) -> Response:
    return Response(status=status, headers=headers, body=body.encode())


def _full(service: str, name: str) -> dict[str, Any]:
    """A result with everything that the operation's output may have."""
    shape = wire.operation(service, name).output_shape
    assert shape is not None
    made: dict[str, Any] = generate.value(shape, True, ())
    return made


@pytest.mark.parametrize("operation", [FILES, IMAGES, CLUSTERS, SUBNETS, CHECK])
def test_an_answer_of_the_model_has_no_findings(operation: tuple[str, str]) -> None:
    """With every member, as our serialiser writes it, in every protocol."""
    service, name = operation
    request = wire.sent(service, name, generate.minimal(wire.operation(service, name)))
    response = protocol.respond(wire.routed(service, request), _full(service, name), "id")
    assert _found(operation, response) == []


JSON_FINDINGS = [
    ('{"FileSystems": 1}', ".FileSystems is int, not a list"),
    ('{"FileSystems": [1]}', ".FileSystems[0] is int, not a structure"),
    ('{"Filesystems": []}', ".Filesystems is not in the model"),
    ('{"FileSystems": [{}]}', ".FileSystems[0].FileSystemId is required but missing"),
    ('{"NextMarker": 5}', ".NextMarker is int 5, not a string"),
    ('{"FileSystems": [{"Encrypted": "true"}]}', ".Encrypted is a text 'true', not a boolean"),
    ('{"FileSystems": [{"NumberOfMountTargets": 1.5}]}', ".NumberOfMountTargets is float 1.5"),
    ('{"FileSystems": [{"CreationTime": "2026"}]}', ".CreationTime is a text '2026'"),
    ('{"FileSystems": [{"LifeCycleState": "odd"}]}', ".LifeCycleState is 'odd', not one of"),
    ("[", " is no JSON"),
]


@pytest.mark.parametrize(("body", "finding"), JSON_FINDINGS)
def test_a_json_answer_of_another_shape_is_found(body: str, finding: str) -> None:
    """With the place, so that one knows what to mend."""
    assert any(finding in one for one in _found(FILES, _answer(body)))


def test_null_is_no_member() -> None:
    """Clients take it as absent, so it is wrong only where something is required."""
    assert _found(FILES, _answer('{"NextMarker": null, "FileSystems": null}')) == []
    body = '{"imageIds": null}'
    assert _found(("ecr", "ListImages"), _answer(body)) == []


def _clusters(inner: str) -> str:
    return (
        "<DescribeGlobalClustersResponse><DescribeGlobalClustersResult>"
        f"{inner}</DescribeGlobalClustersResult></DescribeGlobalClustersResponse>"
    )


def _cluster(inner: str) -> str:
    member = f"<GlobalClusterMember>{inner}</GlobalClusterMember>"
    return _clusters(f"<GlobalClusters>{member}</GlobalClusters>")


QUERY_FINDINGS = [
    ("<Other/>", "begins with <Other>"),
    ("<DescribeGlobalClustersResponse/>", "has no <DescribeGlobalClustersResult>"),
    (_clusters("<Odd/>"), ".Odd is not in the model"),
    (_clusters("<GlobalClusters><member/></GlobalClusters>"), "is <member>, not <GlobalCluster"),
    (_clusters("<Marker/><Marker/>"), ".Marker is there more than once"),
    (_cluster("<StorageEncrypted>1</StorageEncrypted>"), "is '1', not a boolean"),
    (_cluster("<Status><a/></Status>"), ".Status has elements in it"),
    (_clusters("<GlobalClusters>text</GlobalClusters>"), "has the text 'text'"),
    ("<a>", "is no XML"),
    ("", "has no body"),
]


@pytest.mark.parametrize(("body", "finding"), QUERY_FINDINGS)
def test_an_xml_answer_of_another_shape_is_found(body: str, finding: str) -> None:
    """Wrong names of items too, over which some clients read and others do not."""
    assert any(finding in one for one in _found(CLUSTERS, _answer(body)))


def test_a_status_that_aws_has_and_botocore_does_not_know_is_taken() -> None:
    """Aurora says switching-over, which is in no enum of its model."""
    body = _cluster("<FailoverState><Status>{}</Status></FailoverState>")
    assert _found(CLUSTERS, _answer(body.format("switching-over"))) == []
    assert _found(CLUSTERS, _answer(body.format("odd"))) != []


def test_a_header_that_belongs_to_the_answer_is_looked_at() -> None:
    """Route 53 tells in Location where what was made is to be found."""
    made = ("route53", "CreateHealthCheck")
    answer = protocol.respond(
        wire.routed("route53", wire.sent(*made, generate.minimal(wire.operation(*made)))),
        _full(*made),
        "id",
    )
    assert _found(made, answer) == []
    bare = Response(status=201, headers={}, body=answer.body)
    assert _found(made, bare) == ["CreateHealthCheck.Location is required but missing"]


@pytest.mark.parametrize("operation", [FILES, IMAGES, CLUSTERS, SUBNETS, CHECK])
def test_an_error_needs_a_code_and_its_status(operation: tuple[str, str]) -> None:
    """A bare 500 is no error of AWS."""
    service, name = operation
    request = wire.sent(service, name, generate.minimal(wire.operation(service, name)))
    good = faults.respond(service, request, Fault("Throttling", "Rate exceeded", 400), "id")
    assert _found(operation, good) == []
    assert _found(operation, _answer("Internal Server Error", 500)) != []


def test_a_stack_may_clean_up_after_a_rollback() -> None:
    """An event of the stack has the stack's own status, which ResourceStatus has only in part."""
    events = ("cloudformation", "DescribeStackEvents")
    body = (
        "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents><member>"
        "<StackId>i</StackId><EventId>e</EventId><StackName>n</StackName>"
        "<Timestamp>2027-01-15T08:00:00Z</Timestamp><ResourceStatus>{}</ResourceStatus>"
        "</member></StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>"
    )
    for phase in ("UPDATE", "UPDATE_ROLLBACK"):
        status = f"{phase}_COMPLETE_CLEANUP_IN_PROGRESS"
        assert _found(events, _answer(body.format(status))) == []
    assert _found(events, _answer(body.format("ODD"))) != []


def test_an_error_without_a_member_that_its_shape_requires_is_found() -> None:
    """EFS's errors say their code in the body, too."""
    found = _found(FILES, _answer('{"__type": "FileSystemNotFound", "Message": "gone"}', 404))
    assert found == [
        "DescribeFileSystems.Error.FileSystemNotFound.ErrorCode is required but missing"
    ]


def test_an_error_with_another_status_than_the_models_is_found() -> None:
    """Clients decide by the status whether to try again."""
    body = '{"__type": "FileSystemNotFound", "ErrorCode": "x", "message": "gone"}'
    assert _found(FILES, _answer(body, 404)) == []
    found = _found(FILES, _answer(body, 400))
    assert found == [
        "DescribeFileSystems.Error.FileSystemNotFound comes with status 400, the model has 404"
    ]


def test_an_operation_without_a_result_answers_nothing() -> None:
    """An empty object at most."""
    nothing = ("efs", "DeleteFileSystem")
    assert _found(nothing, _answer("", 204)) == []
    assert _found(nothing, _answer('{"a": 1}')) != []
