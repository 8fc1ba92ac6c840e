"""The server as a whole: it starts, says where it is, serves only this machine, and ends."""

import http.client
import signal
import socket
import ssl
import stat
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import urllib3
import yaml
from botocore.exceptions import ClientError
from kubernetes import client as kube

from tests import local_world
from tests.local_world import LocalWorld


def test_the_ready_line_names_every_door(local_regions: LocalWorld) -> None:
    """What `make` and people read; each door answers."""
    ready = local_regions.ready
    assert ready["ready"] is True
    assert set(ready["clusters"]) == {"seoul", "tokyo"}
    assert Path(ready["kubeconfig"]).exists()
    assert ready["clock"].startswith("scaled:200:")
    assert local_regions.control.healthy()


def test_every_door_is_on_loopback_only(local_regions: LocalWorld) -> None:
    """No address of this machine but 127.0.0.1 answers."""
    for url in (*local_regions.ready["clusters"].values(), local_regions.url):
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=1)


def test_the_kubeconfig_has_a_context_for_each_region_and_only_its_owner_reads_it(
    local_regions: LocalWorld,
) -> None:
    """The contexts are the aliases; it carries a token."""
    path = Path(local_regions.ready["kubeconfig"])
    content = yaml.safe_load(path.read_text())
    assert [context["name"] for context in content["contexts"]] == ["seoul", "tokyo"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_client_with_the_kubeconfig_reaches_the_cluster(local_regions: LocalWorld) -> None:
    """Over TLS, with the CA that it carries."""
    for alias in ("seoul", "tokyo"):
        with local_regions.kube(alias) as client:
            found = kube.CoreV1Api(client).read_namespace("kube-system")
        assert found.status is not None
        assert found.status.phase == "Active"


def test_a_cluster_is_not_trusted_without_our_ca(local_regions: LocalWorld) -> None:
    """Its certificate is of a CA that only the state folder knows."""
    host, _, port = (
        local_regions.ready["clusters"]["seoul"].removeprefix("https://").rpartition(":")
    )
    with (
        socket.create_connection((host, int(port)), timeout=2) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def test_a_request_without_signature_is_refused(local_regions: LocalWorld) -> None:
    """As AWS does; it is not taken for anonymous S3."""
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", f"{local_regions.url}/some-bucket/some-key", retries=False)
    assert answer.status == 403
    assert b"MissingAuthenticationToken" in answer.data


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("efs", "describe_tags", {"FileSystemId": "fs-12345678"}),
        ("rds", "describe_db_proxies", {}),
        ("ecr", "describe_pull_through_cache_rules", {}),
        ("lambda", "list_functions", {}),
        ("glue", "get_databases", {}),
    ],
)
def test_what_is_not_there_is_refused_clearly_and_not_tried_again(
    local_regions: LocalWorld, service: str, method: str, arguments: dict[str, str]
) -> None:
    """Even by a client that would retry: in each protocol the code is NotImplemented."""
    client = local_regions.aws(
        service, "tokyo", retries={"mode": "standard", "total_max_attempts": 5}
    )
    with pytest.raises(ClientError) as refused:
        getattr(client, method)(**arguments)
    response = refused.value.response
    assert response["Error"]["Code"] == "NotImplemented"
    assert "not implemented by the local Regions" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_the_access_key_is_the_account(local_regions: LocalWorld) -> None:
    """So that a test can come as somebody else."""
    identity = local_regions.aws("sts", "tokyo").get_caller_identity()
    assert identity["Account"] == local_regions.platform.account


def test_two_worlds_side_by_side_know_nothing_of_each_other(
    local_regions: LocalWorld, fresh_regions: LocalWorld
) -> None:
    """Separate ports, folders and state."""
    fresh_regions.control.black_out("seoul")
    assert local_regions.control.outages() == {}
    fresh_regions.aws("s3", "tokyo").create_bucket(
        Bucket="only-here", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    names = [one["Name"] for one in local_regions.aws("s3").list_buckets()["Buckets"]]
    assert "only-here" not in names


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_asked_even_with_a_call_that_hangs(
    start_regions: Callable[..., LocalWorld], number: signal.Signals
) -> None:
    """Status 0, and its ports are free again."""
    world = start_regions()
    world.control.black_out("seoul")
    port = int(world.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=2) as hanging:
        hanging.sendall(_signed_request(world))
        world.process.send_signal(number)
        assert world.process.wait(5) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_second_start_keeps_the_ca_and_goes_on_counting_calls_unless_reset(
    tmp_path: Path,
) -> None:
    """A copied kubeconfig stays valid, and the log is one."""
    ca = tmp_path / "tls" / "ca.crt"
    with local_world.start(tmp_path) as first:
        first.aws("sts").get_caller_identity()
        made = ca.read_bytes()
    with local_world.start(tmp_path) as second:
        second.aws("sts").get_caller_identity()
        assert ca.read_bytes() == made
        assert [call.n for call in second.control.calls()] == [1, 2]
    with local_world.start(tmp_path, reset=True) as third:
        assert ca.read_bytes() != made
        assert list(third.control.calls()) == []


def _signed_request(world: LocalWorld) -> bytes:
    scope = f"{world.platform.account}/20261122/ap-northeast-2/elasticfilesystem/aws4_request"
    return (
        "GET /2015-02-01/file-systems HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n"
        "\r\n"
    ).encode()


def test_a_connection_that_its_client_closed_is_forgotten(local_regions: LocalWorld) -> None:
    """At once, not after the time for which an idle one is kept."""
    process = psutil.Process(local_regions.process.pid)
    aws = urlsplit(local_regions.url)
    for _ in range(30):
        connection = http.client.HTTPConnection(aws.netloc, timeout=5)
        connection.request("GET", "/_local/health")
        assert connection.getresponse().read()
        connection.close()
    deadline = time.monotonic() + 10
    while any(one.status == psutil.CONN_CLOSE_WAIT for one in process.net_connections()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
