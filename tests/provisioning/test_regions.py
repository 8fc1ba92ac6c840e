import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from platform_pipelines.provisioning import reality
from platform_pipelines.provisioning.regions import RegionUnreachable, reaching, unreachable
from platform_pipelines.provisioning.serving import why_not
from tests.fakes.calls import client_error
from tests.provisioning.world import PLATFORM, World, settings


@pytest.mark.parametrize(
    ("error", "silent"),
    [
        (ConnectTimeoutError(endpoint_url="x"), True),
        (ReadTimeoutError(endpoint_url="x"), True),
        (EndpointConnectionError(endpoint_url="x"), True),
        (ResponseParserError("<html>"), True),
        (client_error("ServiceUnavailable", "no", "X", 503), True),
        (client_error("AccessDenied", "no", "X", 403), False),
        (client_error("Throttling", "no", "X", 400), False),
        (ParamValidationError(report="x"), False),
    ],
)
def test_a_region_is_dark_only_if_nothing_of_aws_came_back(error: Exception, silent: bool) -> None:
    """A refusal is an answer."""
    assert unreachable(error) is silent


def test_a_dark_region_is_named_in_the_error() -> None:
    """Whoever reads it knows where to look; other errors stay as they are."""
    region = World().regions["tokyo"]
    with pytest.raises(RegionUnreachable, match="tokyo does not answer"), reaching(region):
        raise EndpointConnectionError(endpoint_url="x")
    denied = client_error("AccessDenied", "no", "X", 403)
    with pytest.raises(type(denied), match="AccessDenied"), reaching(region):
        raise denied


@pytest.mark.parametrize(
    ("active", "present", "text"),
    [
        ("seoul", False, None),
        ("tokyo", True, None),
        ("seoul", True, "clients are sent to tokyo"),
        ("tokyo", False, "clients are sent to seoul"),
    ],
)
def test_the_traffic_object_is_there_exactly_if_home_is_not_active(
    active: str, present: bool, text: str | None
) -> None:
    """Both ways of being wrong are said."""
    world = World()
    world.apply()
    world.ledger.say(active, 2)
    bucket = PLATFORM.traffic_bucket(PLATFORM.region("tokyo"))
    world.s3["tokyo"].buckets[bucket] = {"serving"} if present else set()
    assert world.ledger.now is not None
    found = reality.traffic_contradiction(PLATFORM, world.regions, world.ledger.now)
    assert (found is None) == (text is None)
    assert (text or "") in (found or "")


def test_without_a_bucket_there_is_no_object() -> None:
    """Before the first apply home serves, which is right."""
    world = World()
    world.ledger.say("seoul", 1)
    assert world.ledger.now is not None
    assert reality.traffic_contradiction(PLATFORM, world.regions, world.ledger.now) is None


def test_a_resolver_that_does_not_answer_proves_nothing() -> None:
    """Only a name that does not exist means that nothing is published."""
    world = World()
    reason = why_not(PLATFORM, settings(world.clock, dns=("127.0.0.1", 1)), "seoul")
    assert reason is not None
    assert "does not resolve" in reason
