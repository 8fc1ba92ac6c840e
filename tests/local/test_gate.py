"""What stands between a caller and an answer, on a running server: as a client sees it."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from kubernetes import client as kube

from platform_pipelines.local.calls import Outcome
from platform_pipelines.local.client import LocalRegionsFailed
from platform_pipelines.local.world import Outage
from tests.local_world import LocalWorld

BRIEF = 0.5  # real seconds that a client waits for an answer that will not come


@pytest.fixture
def world(emptied_regions: LocalWorld) -> LocalWorld:
    """A world of the test's own, because faults are seen by all."""
    return emptied_regions


def brief(world: LocalWorld, service: str, alias: str = "seoul", agent: str = "") -> Any:
    """A client that waits only a moment, at a place that its User-Agent says."""
    return world.aws(service, alias, read_timeout=BRIEF, user_agent_extra=agent)


def test_without_control_planes_data_is_still_served(world: LocalWorld) -> None:
    """DynamoDB's items and S3's objects, but no description of anything."""
    s3 = brief(world, "s3")
    s3.create_bucket(
        Bucket="bucket-one", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    world.control.black_out("seoul", Outage.CONTROL_PLANE)
    s3.put_object(Bucket="bucket-one", Key="k", Body=b"v")
    assert brief(world, "sts").get_caller_identity()["Account"]
    with pytest.raises(ReadTimeoutError):
        brief(world, "rds").describe_db_clusters()


def test_without_the_data_plane_apis_still_answer(world: LocalWorld) -> None:
    """The opposite."""
    world.control.black_out("seoul", Outage.DATA_PLANE)
    brief(world, "rds").describe_db_clusters()
    kube.CoreV1Api(world.kube("seoul")).list_namespace()
    with pytest.raises(ReadTimeoutError):
        brief(world, "s3").get_object(Bucket="bucket-one", Key="k")


def test_us_east_1_is_where_route_53_and_iam_are_changed(world: LocalWorld) -> None:
    """Both platform Regions go on without it."""
    world.control.black_out("us-east-1", Outage.HANG)
    with pytest.raises(ReadTimeoutError):
        brief(world, "route53").list_hosted_zones()
    with pytest.raises(ReadTimeoutError):
        brief(world, "iam").list_roles()
    brief(world, "efs").describe_file_systems()
    with world.proxy() as proxy:  # names are no matter of us-east-1
        assert proxy.request("GET", "http://nobody.example/").status == 502


def test_a_partition_is_between_two_places_and_no_others(world: LocalWorld) -> None:
    """Who asks is told by the User-Agent that the product sends."""
    world.control.cut("seoul", "tokyo")
    with pytest.raises(ReadTimeoutError):
        brief(world, "efs", "tokyo", "controller/seoul").describe_file_systems()
    brief(world, "efs", "tokyo", "controller/tokyo").describe_file_systems()
    brief(world, "efs", "tokyo", "controller/external").describe_file_systems()
    brief(world, "efs", "seoul", "controller/seoul").describe_file_systems()
    world.control.join("tokyo", "seoul")
    brief(world, "efs", "tokyo", "controller/seoul").describe_file_systems()


def test_a_controller_that_is_cut_off_reaches_nothing_there(world: LocalWorld) -> None:
    """Somebody who is not cut off does."""
    world.control.cut("controller", "seoul")
    with pytest.raises(ReadTimeoutError):
        brief(world, "efs").describe_file_systems()
    brief(world, "efs", "seoul", "controller/tokyo").describe_file_systems()
    assert world.control.healthy()


def test_a_caller_in_a_dark_region_reaches_nothing(world: LocalWorld) -> None:
    """Its heartbeat is silent wherever it would beat; no global service hears it either."""
    world.control.black_out("seoul")
    with pytest.raises(ReadTimeoutError):
        brief(world, "route53", agent="controller/seoul").list_hosted_zones()
    with pytest.raises(ReadTimeoutError):
        brief(world, "efs", "tokyo", "controller/seoul").describe_file_systems()


def test_a_throttled_call_gets_the_error_of_its_protocol(world: LocalWorld) -> None:
    """The code is the one that was asked for, once."""
    world.control.add_fault("error", service="rds", code="Throttling", times=1)
    with pytest.raises(ClientError, match="Throttling"):
        world.aws("rds").describe_db_clusters()
    world.aws("rds").describe_db_clusters()


def test_a_region_that_does_not_answer_spends_no_error(world: LocalWorld) -> None:
    """A one-shot error is for the first call that gets somewhere."""
    world.control.add_fault("error", service="rds", code="Throttling", times=1)
    world.control.black_out("seoul", Outage.ERROR)
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        world.aws("rds").describe_db_clusters()
    world.control.restore("seoul")
    with pytest.raises(ClientError, match="Throttling"):
        world.aws("rds").describe_db_clusters()


def test_a_cluster_answers_an_error_as_a_status(world: LocalWorld) -> None:
    """With the code as its reason."""
    world.control.add_fault(
        "error", service="kubernetes", code="TooManyRequests", status=429, message="slow down"
    )
    with pytest.raises(kube.ApiException) as caught:
        kube.CoreV1Api(world.kube("tokyo")).list_namespace()
    assert (caught.value.status, "slow down" in str(caught.value.body)) == (429, True)


def test_a_late_answer_is_late_for_a_client_with_little_patience(world: LocalWorld) -> None:
    """Latency is real time, as timeouts are."""
    fault = world.control.add_fault("latency", service="efs", seconds=2 * BRIEF)
    with pytest.raises(ReadTimeoutError):
        brief(world, "efs").describe_file_systems()
    world.control.remove_fault(fault)
    brief(world, "efs").describe_file_systems()


CREATE = """
import boto3, sys
from botocore.config import Config
efs = boto3.client("efs", region_name="ap-northeast-2", endpoint_url=sys.argv[1],
                   aws_access_key_id="111122223333", aws_secret_access_key="x",
                   config=Config(retries={"total_max_attempts": 1}))
efs.create_file_system(CreationToken="one")
efs.create_file_system(CreationToken="two")
"""


@pytest.mark.parametrize(("when", "made"), [("before", ["one"]), ("after", ["one", "two"])])
def test_a_caller_can_be_killed_before_or_after_its_call_was_applied(
    world: LocalWorld, when: str, made: list[str]
) -> None:
    """The n-th changing call is held until then."""
    point = world.control.add_breakpoint(n=2, when=when, service="efs")
    caller = subprocess.Popen([sys.executable, "-c", CREATE, world.url])
    assert world.control.breakpoint(point, wait=30)["held"] == "CreateFileSystem"
    caller.kill()
    caller.wait()
    found = world.aws("efs").describe_file_systems()["FileSystems"]
    assert sorted(one["CreationToken"] for one in found) == made
    world.control.release(point)
    last = [call for call in world.control.calls() if call.changing][-1]
    assert (last.operation, last.outcome) == ("CreateFileSystem", Outcome.DROPPED)


def test_a_held_call_goes_on_when_it_is_released(world: LocalWorld) -> None:
    """Reads are never held."""
    point = world.control.add_breakpoint(operation="CreateFileSystem")
    efs = world.aws("efs")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(efs.create_file_system, CreationToken="one")
        assert world.control.breakpoint(point, wait=30)["hit"]
        assert efs.describe_file_systems()["FileSystems"] == []
        world.control.release(point)
        assert answer.result(10)["CreationToken"] == "one"


def test_a_call_stops_at_every_breakpoint_that_it_meets(world: LocalWorld) -> None:
    """Before it is applied, and again after; a Region is named by its alias or AWS name."""
    before = world.control.add_breakpoint(service="efs", when="before", region="seoul")
    after = world.control.add_breakpoint(service="efs", when="after", region="ap-northeast-2")
    efs = world.aws("efs")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(efs.create_file_system, CreationToken="one")
        assert world.control.breakpoint(before, wait=30)["hit"]
        assert efs.describe_file_systems()["FileSystems"] == []
        world.control.release(before)
        assert world.control.breakpoint(after, wait=30)["hit"]
        assert len(efs.describe_file_systems()["FileSystems"]) == 1
        assert not answer.done()
        world.control.release(after)
        assert answer.result(10)["CreationToken"] == "one"


def test_an_answer_that_was_held_does_not_leave_a_region_that_is_lost_by_then(
    world: LocalWorld,
) -> None:
    """The cluster has it, and nobody was told."""
    point = world.control.add_breakpoint(service="kubernetes", when="after")
    api = kube.CoreV1Api(world.kube("tokyo"))
    with ThreadPoolExecutor(1) as pool:
        body: Any = {"metadata": {"name": "held"}}
        answer = pool.submit(api.create_namespace, body, _request_timeout=5)
        assert world.control.breakpoint(point, wait=30)["hit"]
        before = world.control.black_out("tokyo", Outage.REFUSE)
        world.control.release(point)
        assert answer.exception(30) is not None
    told = [call.outcome for call in world.control.calls(before) if call.changing]
    assert Outcome.OK not in told
    world.control.restore("tokyo")
    assert kube.CoreV1Api(world.kube("tokyo")).read_namespace("held")


def test_a_cluster_s_changing_call_is_held_too(world: LocalWorld) -> None:
    """By Kubernetes' words for it."""
    point = world.control.add_breakpoint(
        service="kubernetes", operation="create namespaces", when="after"
    )
    api = kube.CoreV1Api(world.kube("tokyo"))
    body = {"metadata": {"name": "held"}}
    thread = threading.Thread(target=api.create_namespace, args=(body,))
    thread.start()
    assert world.control.breakpoint(point, wait=30)["hit"]
    other = kube.CoreV1Api(world.kube("tokyo"))
    assert other.read_namespace("held")
    assert thread.is_alive()
    world.control.release(point)
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("method", "arguments", "told"),
    [
        ("lose_zone", ("seoul", "ap-northeast-1a"), "has no zone"),
        ("cut", ("seoul", "paris"), "between two of"),
        ("cut", ("seoul", "ap-northeast-2"), "between two of"),
        ("remove_fault", ("nothing",), "no fault 'nothing'"),
        ("release", ("nothing",), "no breakpoint"),
        ("restore_snapshot", ("nothing",), "no snapshot"),
        ("add_fault", ("rain",), "rain"),
        ("notifications", ("9" * 5000,), "after"),
        ("advance", (5,), "--clock virtual"),
    ],
)
def test_a_mistake_is_told_clearly(
    local_regions: LocalWorld, method: str, arguments: tuple[Any, ...], told: str
) -> None:
    """By the control API, through its client."""
    with pytest.raises(LocalRegionsFailed, match=told):
        getattr(local_regions.control, method)(*arguments)


def test_refused_is_not_hung(world: LocalWorld) -> None:
    """Each outage has its own way to be silent."""
    world.control.black_out("seoul", Outage.REFUSE)
    with pytest.raises(ConnectionClosedError):
        brief(world, "efs").describe_file_systems()


@pytest.mark.parametrize(
    ("method", "fields"),
    [("add_fault", {"kind": "argocd"}), ("add_breakpoint", {"service": "efs"})],
)
def test_a_region_that_nobody_has_is_a_mistake(
    local_regions: LocalWorld, method: str, fields: dict[str, str]
) -> None:
    """What names it would wait for ever."""
    with pytest.raises(LocalRegionsFailed, match="seoul, tokyo"):
        getattr(local_regions.control, method)(**fields, region="tokio")


def test_the_page_counts_all_repositories(world: LocalWorld) -> None:
    """More than an answer of ECR has."""
    world.control.seed({"repositories": 150, "images": 1, "regions": ["tokyo"]})
    url = f"{world.url}/_local/state"
    state = urllib3.request("GET", url).json()
    assert [one["repositories"] for one in state["regions"]] == [0, 150]
