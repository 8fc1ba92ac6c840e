"""The control API and its client."""

import json

import pytest
import urllib3

from platform_pipelines.clock import ScaledClock
from platform_pipelines.clock import parse as parse_clock
from platform_pipelines.local.client import LocalClient, LocalRegionsFailed
from platform_pipelines.local.world import Outage
from tests.local_world import LocalWorld


def test_an_outage_is_begun_changed_and_ended(fresh_regions: LocalWorld) -> None:
    """The client's three words; ending what is not there is fine."""
    control = fresh_regions.control
    control.black_out("seoul")
    assert control.outages() == {"seoul": Outage.HANG}
    control.black_out("seoul", Outage.ERROR)
    assert control.outages() == {"seoul": Outage.ERROR}
    control.restore("seoul")
    control.restore("seoul")
    assert control.outages() == {}


def test_the_clock_is_the_one_that_the_product_may_share(local_regions: LocalWorld) -> None:
    """`platform_clock` is a value of PLATFORM_CLOCK at the server's speed."""
    state = local_regions.control.clock()
    clock = parse_clock(state.platform_clock)
    assert isinstance(clock, ScaledClock)
    assert (clock.speed, clock.origin) == (state.speed, state.origin)
    assert abs(clock.now().timestamp() - _unix(state.now)) < 10 * state.speed


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("PUT", "regions/paris/outage", '{"mode": "hang"}', 404, "no Region 'paris'"),
        ("DELETE", "regions/paris/outage", "", 404, "no Region 'paris'"),
        ("PUT", "regions/seoul/outage", '{"mode": "sleep"}', 400, "allowed: hang, refuse, 5xx"),
        ("PUT", "regions/seoul/outage", '{"mode": ["hang"]}', 400, "allowed: hang"),
        ("PUT", "regions/seoul/outage", '{"mode": "hang", "x": 1}', 400, "the body must be"),
        ("PUT", "regions/seoul/outage", "[]", 400, "the body must be"),
        ("PUT", "regions/seoul/outage", "", 400, "the body must be"),
        ("GET", "calls?after=x", "", 400, "after: 'x'"),
        ("GET", "calls?after=-1", "", 400, "after: '-1'"),
        ("GET", "nothing", "", 404, "there is no GET /_local/nothing"),
        ("POST", "health", "", 404, "there is no POST /_local/health"),
    ],
)
def test_a_mistake_is_400_or_404_with_an_error(
    local_regions: LocalWorld, method: str, path: str, body: str, status: int, told: str
) -> None:
    """And changes nothing."""
    with urllib3.PoolManager() as pool:
        answer = pool.request(
            method, f"{local_regions.url}/_local/{path}", body=body or None, retries=False
        )
    assert answer.status == status
    assert told in json.loads(answer.data)["error"]
    assert local_regions.control.outages() == {}


def test_the_client_says_what_the_server_said(local_regions: LocalWorld) -> None:
    """An unknown Region is a failure with the reason and the address."""
    with pytest.raises(LocalRegionsFailed, match=r"no Region 'paris'; platform\.yaml has seoul"):
        local_regions.control.black_out("paris")


def test_the_client_says_when_nobody_is_there() -> None:
    """With what to do; `healthy` is simply false."""
    client = LocalClient("http://127.0.0.1:9")
    assert not client.healthy()
    with pytest.raises(LocalRegionsFailed, match="Are they started"):
        client.clock()


def test_many_calls_are_read_in_pages(fresh_regions: LocalWorld) -> None:
    """The client goes on until there is no more."""
    sts = fresh_regions.aws("sts")
    for _ in range(1005):
        sts.get_caller_identity()
    assert [call.n for call in fresh_regions.control.calls(2)] == list(range(3, 1006))


def _unix(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
