"""Load balancers, the services behind them, and the proxy that leads there."""

import json
from dataclasses import replace
from typing import Any

import pytest

from platform_pipelines.local.aws.service import Fault, Result
from platform_pipelines.local.aws.zones import Zones
from platform_pipelines.local.balancer import Balancer, Balancers
from platform_pipelines.local.calls import CallLog, Outcome
from platform_pipelines.local.gate import Gate
from platform_pipelines.local.http import Request, Response
from platform_pipelines.local.network import ServicePort, target_of
from platform_pipelines.local.standin import StandIn
from platform_pipelines.local.world import Outage, World
from tests.local.asgi import Exchange, ask

NAME = "k8s-api.ap-northeast-2.elb.amazonaws.com"
HOST, REGIONAL = "api.peccy.example.com", "seoul.api.peccy.example.com"
GLOBAL_CLUSTER, FILES = "peccy-peccy", "peccy-pictures"


class Facts:
    """What AWS would say, as values that a test changes."""

    def __init__(self) -> None:
        self.writer = "ap-northeast-2"
        self.status = "available"
        self.protection: str | None = "ENABLED"
        self.cluster = self.instance = "available"
        self.writers = 1
        self.zones = ["ap-northeast-2a", "ap-northeast-2b"]  # with a mount target that answers

    def ask(self, _service: str, operation: str, _region: str, **_: Any) -> Result:
        """For `StandIn`."""
        if operation == "DescribeGlobalClusters":
            members = [
                {"DBClusterArn": f"arn:aws:rds:{one}:1:cluster:c", "IsWriter": one == self.writer}
                for one in ("ap-northeast-2", "ap-northeast-1")
            ]
            cluster = {"GlobalClusterIdentifier": GLOBAL_CLUSTER, "Status": self.status}
            return {"GlobalClusters": [{**cluster, "GlobalClusterMembers": members}]}
        if operation == "DescribeDBClusters":
            members = [{"DBInstanceIdentifier": "1", "IsClusterWriter": bool(self.writers)}]
            return {"DBClusters": [{"Status": self.cluster, "DBClusterMembers": members}]}
        if operation == "DescribeDBInstances":
            zone = {"AvailabilityZone": "ap-northeast-2a"}
            return {"DBInstances": [{"DBInstanceStatus": self.instance, **zone}]}
        if self.protection is None:
            return {"FileSystems": []}
        protection = {"ReplicationOverwriteProtection": self.protection}
        found = {"Name": FILES, "FileSystemId": "fs-1", "FileSystemProtection": protection}
        return {"FileSystems": [found]}


@pytest.fixture
def facts() -> Facts:
    """Seoul writes, and its files are writable."""
    return Facts()


@pytest.fixture
def standin(still_world: World, facts: Facts) -> StandIn:
    """The services over these facts."""
    return StandIn(still_world, facts.ask, lambda *_: facts.zones)


@pytest.fixture
def seoul(still_world: World) -> Balancer:
    """A load balancer of Seoul with a healthy target."""
    still_world.balancers.register("seoul", NAME, [HOST, REGIONAL], lambda: True)
    found = still_world.balancers.by_name(NAME)
    assert found is not None
    return found


def _request(method: str, path: str, body: object = None, host: str = HOST) -> Request:
    return Request(
        method=method,
        path=path,
        raw_path=path,
        query="",
        headers={"host": host},
        body=b"" if body is None else json.dumps(body).encode(),
    )


def test_an_address_tells_the_region_and_stays() -> None:
    """Documentation addresses; to register again changes hosts and readiness, not the address."""
    balancers = Balancers(["seoul", "tokyo"])
    first = balancers.register("seoul", "One.elb.amazonaws.com.", ["a"], lambda: False)
    second = balancers.register("seoul", "two.elb.amazonaws.com", ["b"], lambda: False)
    other = balancers.register("tokyo", "three.elb.amazonaws.com", ["c"], lambda: False)
    assert (first, second, other) == ("192.0.2.10", "192.0.2.11", "198.51.100.10")
    assert balancers.register("seoul", "one.elb.amazonaws.com", ["a"], lambda: True) == first
    known = balancers.by_address(first)
    assert known is not None
    assert (known.region, known.hosts, known.ready()) == ("seoul", ("a",), True)


def test_an_address_is_free_again_when_its_balancer_is_gone() -> None:
    """And unregistering twice is fine."""
    balancers = Balancers(["seoul", "tokyo"])
    address = balancers.register("seoul", "one.elb.amazonaws.com", [], lambda: True)
    balancers.unregister("one.elb.amazonaws.com")
    balancers.unregister("one.elb.amazonaws.com")
    assert balancers.by_address(address) is None
    assert balancers.register("seoul", "two.elb.amazonaws.com", [], lambda: True) == address


def test_addresses_stay_over_a_restart() -> None:
    """Whoever comes back first; what does not come back answers nothing."""
    before = Balancers(["seoul", "tokyo"])
    names = ["one.elb.amazonaws.com", "two.elb.amazonaws.com"]
    first, second = (before.register("seoul", name, [], lambda: True) for name in names)
    after = Balancers(["seoul", "tokyo"])
    after.register("seoul", "another.elb.amazonaws.com", [], lambda: True)
    after.load(before.dump())
    assert list(after) == []
    assert after.register("seoul", names[1], [], lambda: True) == second
    assert after.by_address(first) is None
    assert after.register("seoul", names[0], [], lambda: True) == first


@pytest.mark.parametrize("host", [HOST, REGIONAL, f"{REGIONAL}:8080", HOST.upper()])
def test_the_health_path_answers_while_a_target_is_ready(
    standin: StandIn, seoul: Balancer, host: str
) -> None:
    """By both names of the service."""
    assert standin.answer(seoul, _request("GET", "/livez", host=host)).status == 200


def test_without_a_ready_target_the_balancer_says_503(standin: StandIn, seoul: Balancer) -> None:
    """As AWS's load balancers do."""
    waiting = replace(seoul, ready=lambda: False)
    assert standin.answer(waiting, _request("GET", "/livez")).status == 503


def test_a_host_that_no_rule_knows_is_404(standin: StandIn, seoul: Balancer) -> None:
    """Another Region's name among them."""
    answer = standin.answer(seoul, _request("GET", "/livez", host="tokyo.api.peccy.example.com"))
    assert answer.status == 404


def test_what_is_written_can_be_read_listed_and_removed(standin: StandIn, seoul: Balancer) -> None:
    """The business transaction of platform.yaml."""
    created = standin.answer(seoul, _request("POST", "/hobbies", {"name": "golf"}))
    assert created.status == 201
    path = f"/hobbies/{_json(created)['id']}"
    assert _json(standin.answer(seoul, _request("GET", path)))["name"] == "golf"
    assert _json(standin.answer(seoul, _request("GET", "/hobbies"))) == [_json(created)]
    assert standin.answer(seoul, _request("DELETE", path)).status == 204
    assert standin.answer(seoul, _request("GET", path)).status == 404
    assert standin.answer(seoul, _request("DELETE", path)).status == 404


def test_what_is_written_stays_over_a_restart(standin: StandIn, seoul: Balancer) -> None:
    """And what was not there then is gone."""
    created = _json(standin.answer(seoul, _request("POST", "/hobbies", {"name": "golf"})))
    kept = standin.dump()
    standin.answer(seoul, _request("POST", "/hobbies", {"name": "chess"}))
    standin.load(kept)
    assert _json(standin.answer(seoul, _request("GET", "/hobbies"))) == [created]


def test_data_lives_with_the_global_database(
    still_world: World, standin: StandIn, seoul: Balancer, facts: Facts
) -> None:
    """What Seoul wrote is read in Tokyo, before and after Tokyo became the writer."""
    name = "k8s-api.ap-northeast-1.elb.amazonaws.com"
    still_world.balancers.register("tokyo", name, [HOST], lambda: True)
    tokyo = still_world.balancers.by_name(name)
    assert tokyo is not None
    path = f"/hobbies/{_json(standin.answer(seoul, _request('POST', '/hobbies', {})))['id']}"
    assert standin.answer(tokyo, _request("GET", path)).status == 200
    assert standin.answer(tokyo, _request("POST", "/hobbies", {})).status == 503
    facts.writer = "ap-northeast-1"
    assert standin.answer(tokyo, _request("DELETE", path)).status == 204
    assert standin.answer(seoul, _request("POST", "/hobbies", {})).status == 503


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("writer", "ap-northeast-1", "this Region's cluster is not the writer"),
        ("status", "failing-over", "the global cluster is failing-over"),
        ("cluster", "failing-over", "the cluster is failing-over"),
        ("instance", "rebooting", "the instance that writes is rebooting"),
        ("writers", 0, "the cluster has no instance that writes"),
        ("zones", [], "no mount target of the file system answers"),
        ("protection", "REPLICATING", "read-only (REPLICATING)"),
        ("protection", "DISABLED", "read-only (DISABLED)"),
        ("protection", None, "there is no such file system"),
    ],
)
def test_a_write_fails_with_the_reason_while_the_region_cannot_take_it(
    standin: StandIn, seoul: Balancer, facts: Facts, field: str, value: object, told: str
) -> None:
    """Reads go on."""
    setattr(facts, field, value)
    answer = standin.answer(seoul, _request("POST", "/hobbies", {"name": "golf"}))
    assert answer.status == 503
    assert told in _json(answer)["error"]
    assert standin.answer(seoul, _request("GET", "/hobbies")).status == 200


def test_a_write_fails_while_the_zone_of_the_writer_is_lost(
    still_world: World, standin: StandIn, seoul: Balancer
) -> None:
    """Until Aurora has made another instance the writer; reads of others go on."""
    still_world.zones.add(("seoul", "ap-northeast-2a"))
    answer = standin.answer(seoul, _request("POST", "/hobbies", {}))
    assert (answer.status, "does not answer" in _json(answer)["error"]) == (503, True)


def test_a_write_fails_when_aws_itself_refuses(still_world: World, seoul: Balancer) -> None:
    """What the platform needs is not there."""

    def refuse(service: str, operation: str, region: str, **_: Any) -> Result:
        raise Fault("AccessDenied", f"{service} {operation} in {region}")

    answer = StandIn(still_world, refuse).answer(seoul, _request("POST", "/hobbies", {}))
    assert (answer.status, _json(answer)["error"][:12]) == (503, "AccessDenied")


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b"\xff"])
def test_a_body_that_is_no_object_is_400(standin: StandIn, seoul: Balancer, body: bytes) -> None:
    """The client's mistake, not the service's."""
    request = replace(_request("POST", "/hobbies"), body=body)
    assert standin.answer(seoul, request).status == 400


@pytest.mark.parametrize(
    ("raw", "host", "target", "path"),
    [
        ("http://192.0.2.10/livez", HOST, "192.0.2.10", "/livez"),
        ("http://192.0.2.10:80/a%20b", HOST, "192.0.2.10", "/a b"),
        ("http://192.0.2.10", HOST, "192.0.2.10", "/"),
        (f"http://{REGIONAL}/livez", "ignored.example", REGIONAL, "/livez"),
        ("/livez", f"{REGIONAL}:8080", REGIONAL, "/livez"),
    ],
)
def test_a_request_goes_where_its_url_or_else_its_host_says(
    raw: str, host: str, target: str, path: str
) -> None:
    """Through the proxy by address or name, or directly by name."""
    found = target_of(replace(_request("GET", raw, host=host), raw_path=raw))
    assert (found.host, found.request.path) == (target, path)


def _through(world: World, standin: StandIn, method: str, path: str) -> tuple[Exchange, CallLog]:
    log = CallLog(world.state)
    port = ServicePort(world, log, Zones(world, lambda _: True), standin, Gate(world))
    return ask(port, method, path, headers={"host": HOST}), log


def test_the_proxy_leads_to_the_balancer_of_the_address_and_logs_its_region(
    still_world: World, standin: StandIn, seoul: Balancer
) -> None:
    """The log names the host and the path."""
    exchange, log = _through(still_world, standin, "GET", f"http://{seoul.address}/livez")
    assert exchange.status == 200
    (call,) = log.after(0)
    assert (call.region, call.service, call.operation, call.changing) == (
        "ap-northeast-2",
        "http",
        f"GET {HOST}/livez",
        False,
    )


@pytest.mark.parametrize(
    ("mode", "expected", "outcome"),
    [
        (Outage.HANG, Exchange(hung=True), Outcome.DROPPED),
        (Outage.REFUSE, Exchange(aborted=True), Outcome.DROPPED),
    ],
)
def test_the_services_of_a_dark_region_do_not_answer(
    still_world: World,
    standin: StandIn,
    seoul: Balancer,
    mode: Outage,
    expected: Exchange,
    outcome: Outcome,
) -> None:
    """As its AWS and Kubernetes APIs."""
    still_world.outages["seoul"] = mode
    exchange, log = _through(still_world, standin, "GET", f"http://{seoul.address}/livez")
    assert exchange == expected
    assert [call.outcome for call in log.after(0)] == [outcome]


def test_a_service_of_a_region_that_answers_5xx_says_503(
    still_world: World, standin: StandIn, seoul: Balancer
) -> None:
    """Its targets are ready, and nobody gets there."""
    still_world.outages["seoul"] = Outage.ERROR
    exchange, _ = _through(still_world, standin, "GET", f"http://{seoul.address}/livez")
    assert exchange.status == 503


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "http://192.0.2.99/livez", 502),
        ("GET", "http://example.org/", 502),
        ("GET", "/livez", 502),
        ("CONNECT", "api.peccy.example.com:443", 405),
    ],
)
def test_the_proxy_leads_nowhere_else(
    still_world: World, standin: StandIn, method: str, path: str, status: int
) -> None:
    """Never to the real network."""
    exchange, _ = _through(still_world, standin, method, path)
    assert exchange.status == status


def _json(response: Response) -> Any:
    return json.loads(response.body)
