"""Route 53's health checks: when they turn, what inverts them, and what S3 lets them read."""

import json
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.health_checks import Endpoint, HealthChecks, Look
from platform_pipelines.local.aws.route53 import Route53
from platform_pipelines.local.aws.service import Call, Fault
from platform_pipelines.local.aws.zones import Zones, upsert_record
from platform_pipelines.local.checkers import Checkers, checkers_may_read
from platform_pipelines.local.standin import StandIn
from platform_pipelines.local.world import Outage, World
from tests.local.aws.regions import HandClock

BUCKET, KEY = "peccy-traffic-111122223333-ap-northeast-1", "serving"
S3_HOST = f"{BUCKET}.s3.ap-northeast-1.amazonaws.com"
ARN = f"arn:aws:s3:::{BUCKET}/{KEY}"
CHECKER_RANGES = ["15.177.0.0/18", "54.248.220.0/26", "54.251.31.128/26", "54.244.52.192/26"]
FAST = {"Type": "HTTP", "RequestInterval": 10, "FailureThreshold": 3, "ResourcePath": "/livez"}


@pytest.fixture(autouse=True)
def empty_stores(world: World) -> None:
    """Route 53 and S3 without anything."""
    for name in ("route53", "s3"):
        ministack.service(name).reset()


class Endpoints:
    """What the checkers see, as a test sets it."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.body = b""
        self.looks: list[Endpoint] = []

    def __call__(self, endpoint: Endpoint) -> Look:
        self.looks.append(endpoint)
        return Look(status=self.status, body=self.body, reason="timed out")


@pytest.fixture
def endpoints() -> Endpoints:
    """All answer 200."""
    return Endpoints()


@pytest.fixture
def checks(world: World, endpoints: Endpoints) -> HealthChecks:
    """Checks that look at `endpoints`."""
    made = HealthChecks(world)
    made.look_through(endpoints)
    return made


def _check(world: World, **config: Any) -> str:
    module = ministack.service("route53")
    id_ = f"check-{len(module._health_checks._data)}"
    with ministack.scope(world.platform.account, "us-east-1"):
        module._health_checks[id_] = {
            "id": id_,
            "config": {"FullyQualifiedDomainName": "h", **config},
        }
    return id_


def _pass(world: World, seconds: int) -> None:
    clock = world.clock
    assert isinstance(clock, HandClock)
    for _ in world.timers.passing(clock, clock.now() + seconds):
        pass


def test_a_check_turns_only_after_its_threshold_of_looks_in_a_row(
    world: World, checks: HealthChecks, endpoints: Endpoints
) -> None:
    """Three fast looks are thirty seconds; one good look starts the count anew."""
    id_ = _check(world, **FAST)
    endpoints.status = None
    _pass(world, 20)
    assert checks.healthy(id_)
    endpoints.status = 200
    _pass(world, 10)
    endpoints.status = None
    _pass(world, 20)
    assert checks.healthy(id_)
    _pass(world, 10)
    assert not checks.healthy(id_)
    endpoints.status = 200
    _pass(world, 20)
    assert not checks.healthy(id_)
    _pass(world, 10)
    assert checks.healthy(id_)


def test_a_slow_check_looks_each_thirty_seconds(
    world: World, checks: HealthChecks, endpoints: Endpoints
) -> None:
    """Route 53's standard interval."""
    _check(world, **{**FAST, "RequestInterval": 30})
    _pass(world, 90)
    assert len(endpoints.looks) == 3
    assert endpoints.looks[0] == Endpoint(host="h", path="/livez", secure=False)
    assert checks.seen("check-0")


@pytest.mark.parametrize(
    ("config", "healthy"),
    [
        ({}, False),
        ({"Inverted": True}, True),
        ({"Disabled": True}, True),
        ({"Disabled": True, "Inverted": True}, False),
    ],
)
def test_inversion_and_disabling_of_something_that_does_not_answer(
    world: World,
    checks: HealthChecks,
    endpoints: Endpoints,
    config: dict[str, bool],
    healthy: bool,
) -> None:
    """An inverted check on something unreachable is healthy."""
    id_ = _check(world, **FAST, **config)
    endpoints.status = None
    _pass(world, 30)
    assert checks.healthy(id_) is healthy


def test_a_new_check_counts_as_up_and_one_that_is_gone_as_healthy(
    world: World, checks: HealthChecks
) -> None:
    """Until there is something to know."""
    assert checks.healthy(_check(world, **FAST))
    assert not checks.healthy(_check(world, **FAST, Inverted=True))
    assert checks.healthy("gone")


@pytest.mark.parametrize(
    ("config", "status", "body", "up"),
    [
        ({"Type": "HTTP"}, 302, b"", True),
        ({"Type": "HTTP"}, 404, b"", False),
        ({"Type": "TCP"}, 503, b"", True),
        ({"Type": "HTTPS_STR_MATCH", "SearchString": "yes"}, 200, b"oh yes", True),
        ({"Type": "HTTPS_STR_MATCH", "SearchString": "yes"}, 200, b"no", False),
    ],
)
def test_each_type_has_its_own_idea_of_success(
    world: World,
    checks: HealthChecks,
    endpoints: Endpoints,
    config: dict[str, Any],
    status: int,
    body: bytes,
    up: bool,
) -> None:
    """As documented for Route 53."""
    id_ = _check(world, **{**FAST, **config, "FailureThreshold": 1})
    endpoints.status, endpoints.body = status, body
    _pass(world, 10)
    assert checks.healthy(id_) is up


def test_a_calculated_check_counts_its_children(
    world: World, checks: HealthChecks, endpoints: Endpoints
) -> None:
    """Healthy while enough of them are."""
    child = _check(world, **FAST)
    both = _check(world, Type="CALCULATED", HealthThreshold=2, ChildHealthChecks=[child, "gone"])
    one = _check(world, Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=[child, "gone"])
    endpoints.status = None
    _pass(world, 30)
    assert (checks.healthy(both), checks.healthy(one)) == (False, True)


def test_the_api_tells_what_the_checkers_saw(world: World) -> None:
    """Nothing before their first look; then not inverted, with the last failure kept."""
    route53, endpoints = Route53(world), Endpoints()
    route53.checks.look_through(endpoints)
    id_ = _check(world, **FAST, Inverted=True)
    assert _ask(world, route53, "GetHealthCheckStatus", id_) == []
    endpoints.status = None
    _pass(world, 30)
    endpoints.status = 200
    _pass(world, 10)
    (status, *_) = _ask(world, route53, "GetHealthCheckStatus", id_)
    (failure, *_) = _ask(world, route53, "GetHealthCheckLastFailureReason", id_)
    assert status["StatusReport"]["Status"] == "Success: HTTP Status Code 200, OK"
    assert failure["StatusReport"]["Status"] == "Failure: timed out"
    assert failure["StatusReport"]["CheckedTime"] < status["StatusReport"]["CheckedTime"]
    with pytest.raises(Fault, match="NoSuchHealthCheck"):
        _ask(world, route53, "GetHealthCheckStatus", "gone")


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("CreateHealthCheck", {"CallerReference": "r", "HealthCheckConfig": FAST}),
        ("CreateHostedZone", {"CallerReference": "r", "Name": "other.example.com"}),
    ],
)
def test_what_nobody_would_look_at_is_refused(
    world: World, operation: str, params: dict[str, Any]
) -> None:
    """Checkers and name servers are the platform's account's."""
    call = Call(
        service="route53",
        operation=operation,
        params=params,
        region="us-east-1",
        account="999999999999",
        request_id="test",
    )
    with pytest.raises(
        Fault, match="of another account than 111122223333 is not implemented"
    ) as no:
        Route53(world).answer(call)
    assert (no.value.code, no.value.status) == ("NotImplemented", 501)


def _ask(world: World, route53: Route53, operation: str, id_: str) -> list[dict[str, Any]]:
    call = Call(
        service="route53",
        operation=operation,
        params={"HealthCheckId": id_},
        region="us-east-1",
        account=world.platform.account,
        request_id="test",
    )
    observations: list[dict[str, Any]] = route53.answer(call)["HealthCheckObservations"]
    return observations


# How the checkers get there


@pytest.fixture
def checkers(world: World) -> Checkers:
    """The way of the checkers through a world."""
    zones = Zones(world, lambda _: True)
    return Checkers(world, zones, StandIn(world, lambda *_: {}))


@pytest.mark.parametrize(
    ("ready", "dark", "status"), [(True, False, 200), (False, False, 503), (True, True, None)]
)
def test_an_endpoint_is_seen_through_its_load_balancer(
    world: World, checkers: Checkers, ready: bool, dark: bool, status: int | None
) -> None:
    """With the Host of its name, and in a dark Region not at all."""
    name, balancer = "tokyo.api.peccy.example.com", "k8s.ap-northeast-1.elb.amazonaws.com"
    _zone(world)
    upsert_record(world, name, "CNAME", [balancer])
    world.balancers.register("tokyo", balancer, [name], lambda: ready)
    if dark:
        world.outages["tokyo"] = Outage.HANG
    look = checkers.fetch(Endpoint(host=name, path="/livez", secure=False))
    assert look.status == status


def test_an_endpoint_without_address_does_not_answer(checkers: Checkers) -> None:
    """Before the controllers have published it."""
    look = checkers.fetch(Endpoint(host="tokyo.api.peccy.example.com", path="/", secure=False))
    assert (look.status, "DNS" in look.reason) == (None, True)


def _zone(world: World) -> None:
    body = b"<R><Name>peccy.example.com</Name><CallerReference>1</CallerReference></R>"
    with ministack.scope(world.platform.account, "us-east-1"):
        ministack.service("route53")._create_hosted_zone(body, {})


def _policy(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": ARN,
        "Condition": {"IpAddress": {"aws:SourceIp": CHECKER_RANGES}},
    }
    return {"Statement": [{**statement, **changes}]}


def _put(world: World, policy: dict[str, Any] | None, *keys: str) -> None:
    s3 = ministack.service("s3")
    with ministack.scope(world.platform.account, "ap-northeast-1"):
        s3._create_bucket(BUCKET, b"", {})
        if policy:
            s3._put_bucket_policy(BUCKET, json.dumps(policy).encode())
        for key in keys:
            s3._put_object(BUCKET, key, b"x", {})


@pytest.mark.parametrize(
    ("policy", "keys", "status"),
    [
        (_policy(), [KEY], 200),
        (_policy(), [], 403),  # who may not list is not told that it is missing
        (_policy(), ["another"], 403),
        (None, [KEY], 403),
        (_policy(Resource="arn:aws:s3:::another/*"), [KEY], 403),
    ],
)
def test_an_object_is_read_only_where_the_policy_lets_the_checkers(
    world: World, checkers: Checkers, policy: dict[str, Any] | None, keys: list[str], status: int
) -> None:
    """The bucket is private otherwise."""
    _put(world, policy, *keys)
    look = checkers.fetch(Endpoint(host=S3_HOST, path=f"/{KEY}", secure=True))
    assert look.status == status


def test_an_object_of_a_dark_region_or_without_bucket_is_not_read(
    world: World, checkers: Checkers
) -> None:
    """Silence and 404 are different things."""
    endpoint = Endpoint(host=S3_HOST, path=f"/{KEY}", secure=True)
    assert checkers.fetch(endpoint).status == 404
    _put(world, _policy(), KEY)
    world.outages["tokyo"] = Outage.REFUSE
    assert checkers.fetch(endpoint).status is None


DENY_PLAIN = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.mark.parametrize(
    ("statement", "secure", "allowed"),
    [
        ({}, True, True),
        ({"Action": ["s3:Get*"]}, True, True),
        ({"Action": "*", "Resource": "*"}, True, True),
        ({"Action": "s3:PutObject"}, True, False),
        ({"Effect": "Deny"}, True, False),
        ({"Principal": {"AWS": "*"}}, True, True),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, True, False),
        ({"Condition": {}}, True, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, True, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": CHECKER_RANGES[:1]}}}, True, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, True, False),
        ({}, False, False),
    ],
)
def test_a_policy_is_read_as_s3_reads_it_for_an_anonymous_checker(
    statement: dict[str, Any], secure: bool, allowed: bool
) -> None:
    """Action, resource, principal, source address, transport; a Deny wins."""
    policy = _policy(**statement)
    policy["Statement"].append(DENY_PLAIN)
    assert checkers_may_read(policy, ARN, secure) is allowed
