"""What the hosted zones answer: records, failover, chains, aliases, and names that are not there."""

from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws.route53 import delete_record, upsert_record
from platform_pipelines.local.aws.zones import Code, Zones
from platform_pipelines.local.world import World

DOMAIN = "peccy.example.com"
HOST, SEOUL, TOKYO = f"www.{DOMAIN}", f"seoul.www.{DOMAIN}", f"tokyo.www.{DOMAIN}"
BALANCER = "k8s-1.ap-northeast-1.elb.amazonaws.com"


class Health(set[str]):
    """The health checks that fail."""

    def __call__(self, id_: str) -> bool:
        return id_ not in self


@pytest.fixture
def failing() -> Health:
    """None fails yet."""
    return Health()


@pytest.fixture
def zones(still_world: World, failing: Health) -> Zones:
    """The zones of an account with one zone, as the API makes it."""
    _zone(still_world, DOMAIN)
    return Zones(still_world, failing)


def _zone(world: World, name: str) -> None:
    module = ministack.service("route53")
    body = f"<R><Name>{name}</Name><CallerReference>{name}</CallerReference></R>"
    with ministack.scope(world.platform.account, "us-east-1"):
        module._create_hosted_zone(body.encode(), {})


def _add(world: World, *records: dict[str, Any]) -> None:
    module = ministack.service("route53")
    with ministack.scope(world.platform.account, "us-east-1"):
        (zone,) = [id_ for id_, one in module._zones.items() if one["name"] == f"{DOMAIN}."]
        module._records[zone] = module._records[zone] + list(records)


def _failover(
    role: str, value: str, check: str | None = None, kind: str = "CNAME"
) -> dict[str, Any]:
    record = {
        "Name": f"{HOST}.",
        "Type": kind,
        "TTL": "30",
        "SetIdentifier": role,
        "Failover": role,
        "ResourceRecords": [value],
    }
    return record | ({"HealthCheckId": check} if check else {})


def _values(zones: Zones, name: str, kind: str) -> list[str]:
    return [row.value for row in zones.resolve(name, kind).rows]


@pytest.mark.parametrize(
    ("down", "answer"),
    [
        (set(), SEOUL),
        ({"home"}, TOKYO),
        ({"other"}, SEOUL),
        ({"home", "other"}, SEOUL),  # both unhealthy: the primary
    ],
)
def test_a_failover_pair_answers_by_its_checks(
    still_world: World, zones: Zones, failing: Health, down: set[str], answer: str
) -> None:
    """The primary while it is healthy, or while nobody is."""
    _add(still_world, _failover("PRIMARY", SEOUL, "home"), _failover("SECONDARY", TOKYO, "other"))
    failing.update(down)
    assert _values(zones, HOST, "CNAME") == [answer]


def test_a_secondary_without_check_answers_when_the_primary_is_down(
    still_world: World, zones: Zones, failing: Health
) -> None:
    """How a TXT record carries the checkers' verdict."""
    _add(
        still_world,
        _failover("PRIMARY", '"up"', "home", "TXT"),
        _failover("SECONDARY", '"down"', None, "TXT"),
    )
    assert _values(zones, HOST, "TXT") == ['"up"']
    failing.add("home")
    assert _values(zones, HOST, "TXT") == ['"down"']


def test_a_host_leads_over_its_region_to_the_load_balancers_address(
    still_world: World, zones: Zones
) -> None:
    """The whole chain in one answer, each step with its own TTL."""
    address = still_world.balancers.register("tokyo", BALANCER, [HOST], lambda: True)
    _add(still_world, _failover("PRIMARY", TOKYO))
    assert upsert_record(still_world, TOKYO, "CNAME", [BALANCER], ttl=20)
    rows = zones.resolve(HOST.upper(), "A").rows
    assert [(row.name, row.type, row.ttl, row.value) for row in rows] == [
        (HOST, "CNAME", 30, TOKYO),
        (TOKYO, "CNAME", 20, BALANCER),
        (BALANCER, "A", 60, address),
    ]


def test_a_chain_that_leaves_our_names_ends_there(still_world: World, zones: Zones) -> None:
    """The rest is another server's."""
    upsert_record(still_world, TOKYO, "CNAME", ["elsewhere.example.org"])
    answer = zones.resolve(TOKYO, "A")
    assert (answer.code, [row.value for row in answer.rows]) == (
        Code.NOERROR,
        ["elsewhere.example.org"],
    )


def test_a_chain_that_ends_in_nothing_is_nxdomain(still_world: World, zones: Zones) -> None:
    """A load balancer that is gone, a Regional name that is not published yet."""
    _add(still_world, _failover("PRIMARY", TOKYO))
    assert zones.resolve(HOST, "A").code is Code.NXDOMAIN
    upsert_record(still_world, TOKYO, "CNAME", [BALANCER])
    assert zones.resolve(HOST, "A").code is Code.NXDOMAIN


def test_a_chain_in_a_circle_fails(still_world: World, zones: Zones) -> None:
    """Instead of turning for ever."""
    upsert_record(still_world, SEOUL, "CNAME", [TOKYO])
    upsert_record(still_world, TOKYO, "CNAME", [SEOUL])
    assert zones.resolve(SEOUL, "A").code is Code.SERVFAIL


def test_an_alias_has_its_targets_address_under_its_own_name(
    still_world: World, zones: Zones
) -> None:
    """One row, of the type that was asked for."""
    address = still_world.balancers.register("tokyo", BALANCER, [HOST], lambda: True)
    target = {"DNSName": f"{BALANCER}.", "HostedZoneId": "Z1", "EvaluateTargetHealth": True}
    _add(still_world, {"Name": f"{DOMAIN}.", "Type": "A", "AliasTarget": target})
    (row,) = zones.resolve(DOMAIN, "A").rows
    assert (row.name, row.type, row.value) == (DOMAIN, "A", address)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        (f"nothing.{DOMAIN}", "A", Code.NXDOMAIN),
        (TOKYO, "TXT", Code.NOERROR),  # the name is there, with another type
        (f"www.{DOMAIN}", "A", Code.NOERROR),  # only names below it are there
        ("example.org", "A", Code.REFUSED),
        (f"not{DOMAIN}", "A", Code.REFUSED),
    ],
)
def test_what_is_not_there_is_told_apart(
    still_world: World, zones: Zones, name: str, kind: str, code: Code
) -> None:
    """No such name, no such type, not our zone."""
    upsert_record(still_world, TOKYO, "A", ["192.0.2.1"])
    answer = zones.resolve(name, kind)
    assert (answer.code, answer.rows) == (code, ())
    assert (answer.authority is None) is (code is Code.REFUSED)


def test_the_longest_zone_answers(still_world: World, zones: Zones) -> None:
    """A zone below ours hides what ours says below its name."""
    upsert_record(still_world, f"a.sub.{DOMAIN}", "A", ["192.0.2.1"])
    _zone(still_world, f"sub.{DOMAIN}")
    assert zones.resolve(f"a.sub.{DOMAIN}", "A").code is Code.NXDOMAIN


def test_a_published_name_is_replaced_and_taken_away(still_world: World, zones: Zones) -> None:
    """By the controllers, who may do it again and again."""
    for value in ("192.0.2.1", "192.0.2.2", "192.0.2.2"):
        assert upsert_record(still_world, TOKYO, "A", [value])
    assert _values(zones, TOKYO, "A") == ["192.0.2.2"]
    delete_record(still_world, TOKYO, "A")
    delete_record(still_world, TOKYO, "A")
    assert _values(zones, TOKYO, "A") == []


def test_a_name_without_zone_is_not_published_yet(still_world: World) -> None:
    """The controllers try again later."""
    assert not upsert_record(still_world, TOKYO, "A", ["192.0.2.1"])
