"""The log of all calls."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from kubernetes import client as kube

from platform_pipelines.local import calls
from platform_pipelines.local.calls import Asked, CallLog, CallRecord, Outcome
from tests.local_world import LocalWorld

WHEN = datetime(2026, 11, 22, 16, 53, 1, 123456, UTC)
ASKED = Asked(
    time=WHEN,
    region="ap-northeast-2",
    service="efs",
    operation="DescribeFileSystems",
    changing=False,
    access_key="111122223333",
)


def test_a_line_has_the_keys_that_readers_rely_on(tmp_path: Path) -> None:
    """The documented format, in its order."""
    log = CallLog(tmp_path)
    log.answered(ASKED, 400, "BadRequest", "r-1")
    line = json.loads((tmp_path / "calls.jsonl").read_text())
    assert line == {
        "n": 1,
        "time": "2026-11-22T16:53:01.123Z",
        "region": "ap-northeast-2",
        "service": "efs",
        "operation": "DescribeFileSystems",
        "changing": False,
        "outcome": "error",
        "status": 400,
        "error": "BadRequest",
        "request_id": "r-1",
        "access_key": "111122223333",
    }


def test_a_dropped_call_has_no_status(tmp_path: Path) -> None:
    """Nobody got an answer."""
    log = CallLog(tmp_path)
    log.dropped(ASKED)
    (record,) = log.after(0)
    assert (record.outcome, record.status, record.error) == (Outcome.DROPPED, None, None)


@pytest.mark.parametrize(("after", "numbers"), [(0, [1, 2, 3]), (2, [3]), (3, []), (99, [])])
def test_only_later_calls_are_read_back(tmp_path: Path, after: int, numbers: list[int]) -> None:
    """A reader goes on where it stopped."""
    log = CallLog(tmp_path)
    for _ in range(3):
        log.answered(ASKED, 200)
    assert [record.n for record in log.after(after)] == numbers


def test_numbers_go_on_over_a_restart(tmp_path: Path) -> None:
    """The second log of a folder continues the first."""
    first = CallLog(tmp_path)
    first.answered(ASKED, 200)
    first.close()
    second = CallLog(tmp_path)
    second.answered(ASKED, 200)
    assert [record.n for record in second.after(0)] == [1, 2]


@pytest.mark.parametrize(
    ("operation", "method", "changing"),
    [
        ("DescribeGlobalClusters", "POST", False),
        ("BatchGetImage", "POST", False),
        ("Query", "POST", False),
        ("GetItem", "POST", False),
        ("ListClusters", "GET", False),
        ("UpdateItem", "POST", True),
        ("PutObject", "PUT", True),
        ("FailoverGlobalCluster", "POST", True),
        ("ExecuteChangeSet", "POST", True),
        ("UpdateNodegroupConfig", "POST", True),
        ("DeleteReplicationConfiguration", "DELETE", True),
    ],
)
def test_an_operation_that_only_looks_is_not_changing(
    operation: str, method: str, changing: bool
) -> None:
    """By AWS's own words for looking, and by HTTP's."""
    assert calls.changes(operation, method) is changing


def test_calls_of_every_kind_are_logged_as_a_reader_expects(local_regions: LocalWorld) -> None:
    """Our operations, ministack's, a global service, Kubernetes, and the service port."""
    before = _last(local_regions)
    local_regions.aws("efs", "tokyo").describe_file_systems()
    local_regions.aws("s3", "tokyo").list_buckets()
    local_regions.aws("route53").list_hosted_zones()
    with local_regions.kube("seoul") as client:
        kube.CoreV1Api(client).list_namespaced_pod("default")
    local_regions.proxy().request("GET", "http://nobody.example.org/x")
    seen = [_told(call) for call in local_regions.control.calls(before)]
    assert seen == [
        ("ap-northeast-1", "efs", "DescribeFileSystems", Outcome.OK),
        ("ap-northeast-1", "s3", "ListBuckets", Outcome.OK),
        ("global", "route53", "ListHostedZones", Outcome.OK),
        ("ap-northeast-2", "kubernetes", "list pods", Outcome.OK),
        ("global", "http", "GET nobody.example.org/x", Outcome.ERROR),
    ]


def test_an_error_is_logged_with_the_code_that_the_client_got(local_regions: LocalWorld) -> None:
    """In each protocol, whoever answered."""
    before = _last(local_regions)
    wrong = [
        ("efs", "describe_file_systems", {"FileSystemId": "fs-0123456789abcdef0"}),
        ("s3", "get_bucket_policy", {"Bucket": "no-such-bucket-here"}),
        ("cloudformation", "describe_stacks", {"StackName": "nothing"}),
        ("dynamodb", "describe_table", {"TableName": "nothing"}),
        ("route53", "get_hosted_zone", {"Id": "Z00000000000000"}),
    ]
    codes = []
    for service, method, arguments in wrong:
        with pytest.raises(ClientError) as refused:
            getattr(local_regions.aws(service), method)(**arguments)
        codes.append(refused.value.response["Error"]["Code"])
    logged = [call.error for call in local_regions.control.calls(before)]
    assert logged == codes


def test_the_request_id_is_the_one_that_the_client_got(local_regions: LocalWorld) -> None:
    """So a line can be found again."""
    before = _last(local_regions)
    answer = local_regions.aws("efs").describe_file_systems()
    (call,) = local_regions.control.calls(before)
    assert call.request_id == answer["ResponseMetadata"]["RequestId"]
    assert call.access_key == local_regions.platform.account


def _last(world: LocalWorld) -> int:
    return max((call.n for call in world.control.calls()), default=0)


def _told(call: CallRecord) -> tuple[str, str, str, Outcome]:
    return call.region, call.service, call.operation, call.outcome
