"""The same calls to several servers, in the same run.

Requests are signed once and sent again and again over one connection, so that what is measured is
the server and not the client. Nothing here judges; `tests/bench.py` prints.
"""

import http.client
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.bench_servers import PATIENCE, REGION, Server

ROUNDS = 60  # calls of each kind, one after the other
CROWD = 4  # clients at once
CROWD_CALLS = 60  # of each client
BURSTS = 5


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


def measure(servers: list[Server]) -> list[Measured]:
    """Make what the calls look at, and call all servers in turn, so that whatever else this machine
    does slows them alike."""
    players = [Player(server) for server in servers]
    for _ in range(ROUNDS):
        for name in CALLS:
            for player in players:
                player.call(name)
    for _ in range(BURSTS):
        for player in players:
            player.burst()
    return [player.measured() for player in players]


class Player:
    """A server, and what it did so far."""

    def __init__(self, server: Server) -> None:
        _furnish(server)
        self._server = server
        self._requests = {name: _signed(server, call) for name, call in CALLS.items()}
        self._connection = _connect(server)
        self._times: dict[str, list[float]] = {name: [] for name in CALLS}
        self._rates: list[float] = []
        for request in self._requests.values():  # whatever is made at the first call
            request.send(self._connection)

    def call(self, name: str) -> None:
        """One call."""
        begun = time.perf_counter()
        self._requests[name].send(self._connection)
        self._times[name].append(time.perf_counter() - begun)

    def burst(self) -> None:
        """Calls of several clients at once, that go through all of them in turn."""
        with ThreadPoolExecutor(CROWD) as pool:
            begun = time.perf_counter()
            list(pool.map(self._client, range(CROWD)))
            self._rates.append(CROWD * CROWD_CALLS / (time.perf_counter() - begun))

    def measured(self) -> Measured:
        """What came of it; no more calls after this."""
        self._connection.close()
        return Measured(
            server=self._server,
            latencies={name: statistics.median(times) for name, times in self._times.items()},
            rate=statistics.median(self._rates),
            memory=self._server.memory(),
        )

    def _client(self, offset: int) -> None:
        requests = list(self._requests.values())
        connection = _connect(self._server)
        for index in range(CROWD_CALLS):
            requests[(index + offset) % len(requests)].send(connection)
        connection.close()


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
