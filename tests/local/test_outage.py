"""A dark Region: nothing of it answers, by any door, and nothing else suffers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from kubernetes import client as kube
from urllib3.exceptions import MaxRetryError

from platform_pipelines.local.calls import CallLog, Outcome
from platform_pipelines.local.cluster_port import ClusterPort
from platform_pipelines.local.gate import Gate
from platform_pipelines.local.http import App, Receive, Scope, Send, json_response, reply
from platform_pipelines.local.world import Outage, World
from tests.local.asgi import Exchange, ask
from tests.local_world import LocalWorld

BRIEF = 0.5  # real seconds that a client waits for an answer that will not come
PATIENT = 5.0  # and for one that comes, on a busy machine


@pytest.fixture
def world(emptied_regions: LocalWorld) -> LocalWorld:
    """A world of the test's own, because outages are seen by all."""
    return emptied_regions


# One service of each protocol, ours and ministack's.
ASKED = [
    ("efs", "describe_file_systems"),
    ("rds", "describe_db_clusters"),
    ("dynamodb", "list_tables"),
    ("cloudwatch", "list_metrics"),
    ("s3", "list_buckets"),
    ("ec2", "describe_vpcs"),
    ("sts", "get_caller_identity"),
]


@pytest.mark.parametrize(
    ("mode", "seen"), [(Outage.HANG, ReadTimeoutError), (Outage.REFUSE, ConnectionClosedError)]
)
def test_no_aws_call_is_answered_and_each_is_logged_as_dropped(
    world: LocalWorld, mode: Outage, seen: type[Exception]
) -> None:
    """A client waits in vain, or loses its connection."""
    patience = BRIEF if mode is Outage.HANG else PATIENT
    world.control.black_out("seoul", mode)
    with ThreadPoolExecutor(len(ASKED)) as pool:
        errors = list(pool.map(lambda one: _error(world, one[0], one[1], patience), ASKED))
    assert [type(error) for error in errors] == [seen] * len(ASKED)
    calls = list(world.calls())
    assert {(call.region, call.outcome) for call in calls} == {("ap-northeast-2", Outcome.DROPPED)}
    assert {call.service for call in calls} == {service for service, _ in ASKED}


def test_a_5xx_comes_in_each_services_own_protocol(world: LocalWorld) -> None:
    """So that SDKs read a code, not noise."""
    world.control.black_out("seoul", Outage.ERROR)
    for service, method in ASKED:
        error = _error(world, service, method, PATIENT)
        assert isinstance(error, ClientError), service
        assert error.response["Error"]["Code"] == "ServiceUnavailable", service
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert {call.outcome for call in world.calls()} == {Outcome.ERROR}


def test_services_of_no_region_and_the_other_region_go_on(world: LocalWorld) -> None:
    """Route 53 and IAM answer, Tokyo answers, and so does the control API."""
    world.control.black_out("seoul")
    world.aws("route53").list_hosted_zones()
    world.aws("iam", "seoul").list_roles()
    world.aws("efs", "tokyo").describe_file_systems()
    assert world.control.healthy()


def test_thirty_hanging_calls_to_seoul_do_not_slow_tokyo(world: LocalWorld) -> None:
    """Each hanging call costs a waiting task, nothing else."""
    tokyo = world.aws("efs", "tokyo")
    tokyo.describe_file_systems()
    world.control.black_out("seoul")
    with ThreadPoolExecutor(30) as pool:
        hanging = [
            pool.submit(_error, world, "efs", "describe_file_systems", 4.0) for _ in range(30)
        ]
        for _ in range(10):
            tokyo.describe_file_systems()
        assert not any(one.done() for one in hanging)
        assert all(isinstance(one.result(), ReadTimeoutError) for one in hanging)


def test_a_region_that_is_back_answers_again(world: LocalWorld) -> None:
    """With the state that it had."""
    efs = world.aws("efs", "seoul")
    made = efs.create_file_system(CreationToken="one")["FileSystemId"]
    world.control.black_out("seoul", Outage.REFUSE)
    assert _error(world, "efs", "describe_file_systems", PATIENT)
    world.control.restore("seoul")
    (found,) = efs.describe_file_systems()["FileSystems"]
    assert found["FileSystemId"] == made


@pytest.mark.parametrize("mode", [Outage.HANG, Outage.REFUSE])
def test_the_cluster_of_a_dark_region_does_not_answer(world: LocalWorld, mode: Outage) -> None:
    """While the other one does."""
    world.control.black_out("seoul", mode)
    with world.kube("seoul") as seoul, world.kube("tokyo") as tokyo:
        seoul.configuration.retries = 0
        with pytest.raises(MaxRetryError):
            _core(world, "seoul").list_node(_request_timeout=BRIEF)
        assert kube.CoreV1Api(tokyo).list_node(_request_timeout=2).items == []
    (dropped,) = [call for call in world.calls() if call.outcome is Outcome.DROPPED]
    assert (dropped.service, dropped.operation) == ("kubernetes", "list nodes")


def test_the_cluster_answers_503_as_kubernetes_writes_it(world: LocalWorld) -> None:
    """With a Status body."""
    world.control.black_out("seoul", Outage.ERROR)
    with pytest.raises(kube.ApiException) as refused:
        _core(world, "seoul").list_node()
    assert refused.value.status == 503
    assert '"kind": "Status"' in str(refused.value.body)


@pytest.mark.parametrize(
    ("mode", "aborted"), [(Outage.HANG, False), (Outage.REFUSE, True), (Outage.ERROR, True)]
)
def test_an_open_stream_falls_silent_when_the_region_goes_dark(
    still_world: World, mode: Outage, aborted: bool
) -> None:
    """What happens in the dark is not told; with `hang` not even the end is."""

    async def watch(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"before", "more_body": True})
        still_world.outages["seoul"] = mode
        await send({"type": "http.response.body", "body": b"after", "more_body": True})

    exchange, log = _through_the_port(still_world, watch)
    assert (exchange.body, exchange.aborted) == (b"before", aborted)
    assert [call.outcome for call in log.after(0)] == [Outcome.OK]


def test_an_answer_that_was_ready_too_late_is_dropped(still_world: World) -> None:
    """The Region went dark while it worked: the client never knows."""

    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        still_world.outages["seoul"] = Outage.HANG
        await reply(send, json_response(201, {}))

    exchange, log = _through_the_port(still_world, slow)
    assert (exchange.status, exchange.hung) == (None, True)
    assert [call.outcome for call in log.after(0)] == [Outcome.DROPPED]


def _through_the_port(world: World, api: App) -> tuple[Exchange, CallLog]:
    log = CallLog(world.state)
    port = ClusterPort(world, world.platform.region("seoul"), log, api, Gate(world))
    return ask(port, "GET", "/api/v1/pods", query="watch=true"), log


def _core(world: LocalWorld, alias: str) -> kube.CoreV1Api:
    client = world.kube(alias)
    client.configuration.retries = 0
    return kube.CoreV1Api(kube.ApiClient(client.configuration))


def _error(world: LocalWorld, service: str, method: str, patience: float) -> Exception:
    client = world.aws(service, "seoul", read_timeout=patience)
    with pytest.raises((ClientError, ReadTimeoutError, ConnectionClosedError)) as failed:
        getattr(client, method)()
    error: Exception = failed.value
    return error
