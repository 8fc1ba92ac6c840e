"""The local Regions beside moto's server and plain ministack: the same calls, in the same run.

Requests are signed once and sent again and again over one connection, so that what is measured is
the server and not the client. Nothing here judges; `tests/bench.py` prints.
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests import local_world

ACCOUNT = "111122223333"
REGION = "ap-northeast-1"
PATIENCE = 30.0  # seconds until a server is given up
ROUNDS = 60  # calls of each kind, one after the other
CROWD = 4  # clients at once
CROWD_CALLS = 600
MOTO = """
import logging, time
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
while True:
    time.sleep(60)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One that runs."""

    name: str
    url: str
    pid: int
    started: float  # seconds from its start until it answered

    def memory(self) -> float:
        """What it has in memory now, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        kibibytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
        return int(kibibytes) / 1024

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service by name
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
            config=Config(s3={"addressing_style": "path"}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one server did."""

    server: Server
    latencies: dict[str, float]  # the median of each call, in seconds
    rate: float  # calls a second, by several clients at once
    memory: float  # MiB, after the calls

    @property
    def median(self) -> float:
        """Of the calls' medians."""
        return statistics.median(self.latencies.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request as it goes over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def send(self, connection: http.client.HTTPConnection) -> None:
        """One call; anything but success is an error, or another server would seem fast."""
        connection.request(self.method, self.path, self.body, self.headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{self.method} {self.path}: {answer.status} {said[:200]!r}")


Made = Callable[[Server], object]

# What is called, by its name in the table. All three servers have all of these.
CALLS: dict[str, Made] = {
    "sts GetCallerIdentity": lambda it: it.client("sts").get_caller_identity(),
    "dynamodb GetItem": lambda it: it.client("dynamodb").get_item(
        TableName="bench", Key={"id": {"S": "1"}}
    ),
    "dynamodb PutItem": lambda it: it.client("dynamodb").put_item(
        TableName="bench", Item={"id": {"S": "1"}}
    ),
    "s3 GetObject": lambda it: it.client("s3").get_object(Bucket="bench", Key="serving"),
    "efs DescribeFileSystems": lambda it: it.client("efs").describe_file_systems(),
    "ecr DescribeRepositories": lambda it: it.client("ecr").describe_repositories(),
    "rds DescribeGlobalClusters": lambda it: it.client("rds").describe_global_clusters(),
    "eks ListClusters": lambda it: it.client("eks").list_clusters(),
    "route53 ListHostedZones": lambda it: it.client("route53").list_hosted_zones(),
    "ec2 DescribeSubnets": lambda it: it.client("ec2").describe_subnets(),
    "cloudformation DescribeStacks": lambda it: it.client("cloudformation").describe_stacks(),
}


def measure(server: Server) -> Measured:
    """Make what the calls look at, and call."""
    _furnish(server)
    requests = {name: _signed(server, call) for name, call in CALLS.items()}
    latencies = {name: _median(server, request) for name, request in requests.items()}
    rate = _rate(server, list(requests.values()))
    return Measured(server=server, latencies=latencies, rate=rate, memory=server.memory())


@contextmanager
def all_three(folder: Path) -> Iterator[list[Server]]:
    """Ours, plain ministack, and moto's, until the end of the context."""
    with ExitStack() as stack:
        yield [stack.enter_context(one(folder)) for one in (ours, plain_ministack, moto)]


@contextmanager
def ours(folder: Path) -> Iterator[Server]:
    """The local Regions, at the speed of the demo."""
    begun = time.perf_counter()
    with local_world.start(folder / "ours", speed=20, strict=False) as world:
        started = time.perf_counter() - begun
        pid = world.process.pid
        yield Server(name="local Regions", url=world.url, pid=pid, started=started)


@contextmanager
def plain_ministack(folder: Path) -> Iterator[Server]:
    """ministack as its makers start it, on loopback and without Docker."""
    port = _free_port()
    command = [sys.executable, "-m", "ministack"]
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "STATE_DIR": str(folder / "ministack"),
        "S3_DATA_DIR": str(folder / "ministack" / "s3"),
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "TMPDIR": str(folder),  # its pid file
    }
    with _running("plain ministack", command, environment, lambda _: port) as server:
        yield server


@contextmanager
def moto(_folder: Path) -> Iterator[Server]:
    """moto's server in a process of its own."""
    command = [sys.executable, "-c", MOTO]
    with _running("moto", command, {}, lambda process: int(_line(process))) as server:
        yield server


@contextmanager
def _running(
    name: str,
    command: list[str],
    environment: dict[str, str],
    port_of: Callable[[subprocess.Popen[str]], int],
) -> Iterator[Server]:
    begun = time.perf_counter()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    process = local_world.launch(command, {**kept, **environment})
    try:
        port = port_of(process)
        _await_port(port, begun + PATIENCE)
        started = time.perf_counter() - begun
        url = f"http://127.0.0.1:{port}"
        yield Server(name=name, url=url, pid=process.pid, started=started)
    finally:
        local_world.end(process)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await_port(port: int, until: float) -> None:
    while True:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.perf_counter() > until:
            raise RuntimeError(f"nothing listens on {port} after {PATIENCE} s")
        time.sleep(0.02)


def _furnish(server: Server) -> None:
    """What the calls look at."""
    server.client("dynamodb").create_table(
        TableName="bench",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    server.client("dynamodb").get_waiter("table_exists").wait(
        TableName="bench", WaiterConfig={"Delay": 1}
    )
    s3 = server.client("s3")
    s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="bench", Key="serving", Body=b"tokyo")
    server.client("efs").create_file_system(CreationToken="bench")
    server.client("ecr").create_repository(repositoryName="bench")
    server.client("rds").create_global_cluster(
        GlobalClusterIdentifier="bench", Engine="aurora-mysql"
    )


def _signed(server: Server, call: Made) -> Signed:
    """The request that boto3 makes of a call, as it was sent."""
    seen: list[Signed] = []

    class Watched:
        """A server whose clients show what they send."""

        @staticmethod
        def client(service: str) -> Any:
            client = server.client(service)
            client.meta.events.register("before-send", lambda request, **_: _note(request, seen))
            return client

    call(Watched)  # type: ignore[arg-type]  # all that a call needs of a server is its clients
    return seen[-1]


def _note(request: Any, seen: list[Signed]) -> None:
    url = urlsplit(request.url)
    seen.append(
        Signed(
            method=request.method,
            path=url.path + (f"?{url.query}" if url.query else ""),
            headers={key: _text(value) for key, value in request.headers.items()},
            body=_body(request.body),
        )
    )


def _body(body: Any) -> bytes:
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _connect(server: Server) -> http.client.HTTPConnection:
    url = urlsplit(server.url)
    return http.client.HTTPConnection(str(url.hostname), url.port, timeout=PATIENCE)


def _median(server: Server, request: Signed) -> float:
    connection = _connect(server)
    request.send(connection)  # whatever is made at the first call
    times = [_timed(request, connection) for _ in range(ROUNDS)]
    connection.close()
    return statistics.median(times)


def _timed(request: Signed, connection: http.client.HTTPConnection) -> float:
    begun = time.perf_counter()
    request.send(connection)
    return time.perf_counter() - begun


def _rate(server: Server, requests: list[Signed]) -> float:
    """Calls a second of several clients that go through all calls in turn."""
    each = CROWD_CALLS // CROWD

    def client(offset: int) -> None:
        connection = _connect(server)
        for index in range(each):
            requests[(index + offset) % len(requests)].send(connection)
        connection.close()

    with ThreadPoolExecutor(CROWD) as pool:
        begun = time.perf_counter()
        list(pool.map(client, range(CROWD)))
        return each * CROWD / (time.perf_counter() - begun)
