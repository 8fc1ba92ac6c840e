"""AWS's wire protocols: who signed, what is asked, and answers that botocore reads back."""

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from platform_pipelines.local.aws import faults, protocol
from platform_pipelines.local.aws.protocol import Routed, Signature
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.http import Request, Response

MODELS = botocore.session.get_session()
ACCOUNT = "111122223333"
WHEN = datetime(2026, 11, 22, 16, 53, 1, tzinfo=UTC)
SIGNED = Signature(access_key=ACCOUNT, region="ap-northeast-1", service="efs")

# One operation of each protocol, with parameters and a result.
SPOKEN: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "efs",  # rest-json
        "DescribeReplicationConfigurations",
        {"FileSystemId": "fs-0123456789abcdef0", "MaxResults": 5},
        {"NextToken": "t"},
    ),
    (
        "eks",  # rest-json with a body and a label
        "UpdateNodegroupConfig",
        {"clusterName": "c", "nodegroupName": "g", "scalingConfig": {"minSize": 0, "maxSize": 6}},
        {"update": {"id": "u", "status": "InProgress", "createdAt": WHEN}},
    ),
    (
        "rds",  # query
        "DescribeGlobalClusters",
        {"GlobalClusterIdentifier": "g"},
        {"GlobalClusters": [{"GlobalClusterIdentifier": "g", "GlobalClusterMembers": []}]},
    ),
    (
        "cloudwatch",  # several; botocore takes json
        "GetMetricStatistics",
        {
            "Namespace": "AWS/EFS",
            "MetricName": "TimeSinceLastSync",
            "StartTime": WHEN,
            "EndTime": WHEN,
            "Period": 60,
        },
        {"Label": "x", "Datapoints": [{"Timestamp": WHEN, "Average": 1.5}]},
    ),
    (
        "ecr",  # json
        "BatchGetImage",
        {"repositoryName": "web", "imageIds": [{"imageDigest": "sha256:0"}]},
        {"images": [], "failures": [{"failureCode": "ImageNotFound"}]},
    ),
    (
        "route53",  # rest-xml
        "GetHealthCheckStatus",
        {"HealthCheckId": "h"},
        {
            "HealthCheckObservations": [
                {"Region": "us-east-1", "StatusReport": {"CheckedTime": WHEN}}
            ]
        },
    ),
]


def _wire(service: str) -> tuple[Any, str]:
    model = MODELS.get_service_model(service)
    return model, model.resolved_protocol


def _request(service: str, operation: str, params: dict[str, Any]) -> Request:
    """A request as boto3 would send it."""
    model, wire = _wire(service)
    made = create_serializer(wire).serialize_to_request(params, model.operation_model(operation))
    prepared = AWSRequest(
        method=made["method"],
        url=f"http://127.0.0.1{made['url_path']}",
        headers=made["headers"],
        data=made["body"],
        params=made["query_string"],
    ).prepare()
    _, _, rest = prepared.url.partition("127.0.0.1")
    path, _, query = rest.partition("?")
    body: Any = prepared.body or b""
    return Request(
        method=prepared.method,
        path=path,
        raw_path=path,
        query=query,
        headers={name.lower(): _text(value) for name, value in prepared.headers.items()},
        body=body.encode() if isinstance(body, str) else body,
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _routed(service: str, request: Request) -> Routed:
    routed = protocol.route(service, request)
    assert routed is not None
    return routed


def _read(service: str, operation: str, response: Response) -> dict[str, Any]:
    """The response as boto3 would give it."""
    model, wire = _wire(service)
    answer = {"status_code": response.status, "headers": response.headers, "body": response.body}
    shape = model.operation_model(operation).output_shape
    parsed: dict[str, Any] = create_parser(wire).parse(answer, shape)
    return parsed


@pytest.mark.parametrize(("service", "operation", "params", "result"), SPOKEN)
def test_what_boto3_sends_is_understood_and_what_we_answer_is_read_back(
    service: str, operation: str, params: dict[str, Any], result: dict[str, Any]
) -> None:
    """In every protocol of the services that this platform uses."""
    request = _request(service, operation, params)
    routed = _routed(service, request)
    call = protocol.parse(routed, request, SIGNED, ACCOUNT, "id")
    assert (call.operation, _plain(call.params)) == (operation, _plain(params))
    read = _read(service, operation, protocol.respond(routed, result, "id"))
    assert read.pop("ResponseMetadata")["RequestId"] == "id"
    assert _plain(read) == _plain(result)


@pytest.mark.parametrize(("service", "operation", "params", "_result"), SPOKEN)
def test_a_fault_is_read_with_its_code_message_and_status(
    service: str, operation: str, params: dict[str, Any], _result: dict[str, Any]
) -> None:
    """Markup in a message does no harm."""
    request = _request(service, operation, params)
    fault = Fault("Odd", 'a <b> & "c"', 418)
    read = _read(service, operation, faults.respond(service, request, fault, "id"))
    assert (read["Error"]["Code"], read["Error"]["Message"]) == (fault.code, fault.message)
    assert read["ResponseMetadata"]["HTTPStatusCode"] == 418


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (
            Fault("FileSystemAlreadyExists", "m", members={"FileSystemId": "fs-1"}),
            {"Message": "m", "ErrorCode": "FileSystemAlreadyExists", "FileSystemId": "fs-1"},
        ),
        (Fault("ThrottlingException", "m"), {"Message": "m", "ErrorCode": "ThrottlingException"}),
    ],
)
def test_an_error_of_efs_has_the_members_of_its_shape(fault: Fault, body: dict[str, str]) -> None:
    """Also where the model has no such code: what all of the service's errors have."""
    request = _request("efs", "DescribeFileSystems", {})
    told = json.loads(faults.respond("efs", request, fault, "id").body)
    assert told == body | {"__type": fault.code}


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("efs", "FileSystemNotFound", 404),
        ("rds", "GlobalClusterNotFoundFault", 404),
        ("eks", "ResourceInUseException", 409),
        ("dynamodb", "ConditionalCheckFailedException", 400),
        ("rds", "NotInTheModel", 400),
    ],
)
def test_a_fault_without_status_has_the_models(service: str, code: str, status: int) -> None:
    """400 where the model says nothing."""
    assert protocol.status_of(service, Fault(code, "")) == status


def test_what_the_model_does_not_know_is_left_out() -> None:
    """Our notes in a record never reach a client."""
    request = _request("efs", "DescribeReplicationConfigurations", {})
    answer = protocol.respond(_routed("efs", request), {"Replications": [], "_note": 1}, "id")
    assert b"_note" not in answer.body


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_cannot_be_read_is_a_fault(body: bytes) -> None:
    """Not an error of the server."""
    sent = _request(
        "ecr", "BatchGetImage", {"repositoryName": "web", "imageIds": [{"imageTag": "v1"}]}
    )
    request = Request(
        method="POST", path="/", raw_path="/", query="", headers=sent.headers, body=body
    )
    with pytest.raises(Fault, match="SerializationException"):
        protocol.parse(_routed("ecr", request), request, SIGNED, ACCOUNT, "id")


@pytest.mark.parametrize("service", ["efs", "no-such-service"])
def test_an_operation_or_a_service_that_is_unknown_has_no_route(service: str) -> None:
    """It is refused elsewhere, by the name that the request itself gives."""
    request = Request(method="GET", path="/x", raw_path="/x", query="", headers={})
    assert protocol.route(service, request) is None


@pytest.mark.parametrize(
    ("scope", "service"), [("elasticfilesystem", "efs"), ("monitoring", "cloudwatch"), ("s3", "s3")]
)
@pytest.mark.parametrize("presigned", [False, True])
def test_a_signature_tells_who_where_and_what(scope: str, service: str, presigned: bool) -> None:
    """In a header or in a presigned URL; the service by boto3's name."""
    sent = AWSRequest(method="GET", url="http://127.0.0.1/")
    signer = SigV4QueryAuth if presigned else SigV4Auth
    signer(Credentials(ACCOUNT, "local"), scope, "ap-northeast-1").add_auth(sent)
    request = Request(
        method="GET",
        path="/",
        raw_path="/",
        query=(sent.url or "").partition("?")[2],
        headers={name.lower(): _text(value) for name, value in sent.headers.items()},
    )
    expected = Signature(access_key=ACCOUNT, region="ap-northeast-1", service=service)
    assert protocol.signature(request) == expected


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer x"}, {"authorization": "AWS4-HMAC-SHA256 Credential="}],
)
def test_a_request_without_signature_has_none(headers: dict[str, str]) -> None:
    """Whatever else it carries."""
    request = Request(method="GET", path="/", raw_path="/", query="", headers=headers)
    assert protocol.signature(request) is None


@pytest.mark.parametrize(
    ("key", "account"), [("999999999999", "999999999999"), ("AKIAEXAMPLE", ACCOUNT)]
)
def test_a_key_of_twelve_digits_is_an_account(key: str, account: str) -> None:
    """Any other key is the platform's."""
    signed = Signature(access_key=key, region="ap-northeast-1", service="sts")
    assert signed.account(ACCOUNT) == account


def _plain(value: Any) -> Any:
    """Times without their time zone's name, so that they compare; empty values left out."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.timestamp() if isinstance(value, datetime) else value
