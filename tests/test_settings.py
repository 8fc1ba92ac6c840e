from pathlib import Path

import pytest

from platform_pipelines import model
from platform_pipelines.aws import settings
from platform_pipelines.aws.settings import Target
from platform_pipelines.clock import RealClock, ScaledClock
from platform_pipelines.errors import InvalidEnvironment

PLATFORM = model.load(Path(__file__).parent.parent / "platform.yaml")
LOCAL = {"PLATFORM_TARGET": "local", "PLATFORM_CONTROLLER": "external"}
AWS = {"PLATFORM_TARGET": "aws", "PLATFORM_CONTROLLER": "tokyo"}


@pytest.mark.parametrize(
    ("environ", "variable", "text"),
    [
        ({}, "PLATFORM_TARGET", "is not set; set it to 'aws' or 'local'; it has no default."),
        ({"PLATFORM_TARGET": ""}, "PLATFORM_TARGET", "is ''; set it to 'aws' or 'local'"),
        ({"PLATFORM_TARGET": "AWS"}, "PLATFORM_TARGET", "is 'AWS'"),
        (
            {"PLATFORM_TARGET": "local"},
            "PLATFORM_CONTROLLER",
            "is not set; set it to one of 'seoul', 'tokyo', 'external'; it has no default.",
        ),
        ({**LOCAL, "PLATFORM_CONTROLLER": "osaka"}, "PLATFORM_CONTROLLER", "is 'osaka'"),
        (
            {**LOCAL, "PLATFORM_LOCAL_URL": "http://10.0.0.1:4566"},
            "PLATFORM_LOCAL_URL",
            "this machine",
        ),
        (
            {**LOCAL, "PLATFORM_LOCAL_URL": "https://eks.amazonaws.com"},
            "PLATFORM_LOCAL_URL",
            "this machine",
        ),
        ({**LOCAL, "PLATFORM_DNS": "127.0.0.1"}, "PLATFORM_DNS", "host:port of a resolver"),
        ({**LOCAL, "LOCAL_SERVICE_PORT": "eighty"}, "LOCAL_SERVICE_PORT", "a port from 1 to 65535"),
        ({**LOCAL, "LOCAL_SERVICE_PORT": "0"}, "LOCAL_SERVICE_PORT", "a port from 1 to 65535"),
        ({**LOCAL, "PLATFORM_CLOCK": "fast"}, "PLATFORM_CLOCK", "'real', 'scaled"),
        ({**AWS, "PLATFORM_CLOCK": "scaled:20:1000"}, "PLATFORM_CLOCK", "'real' for target aws"),
        ({**AWS, "AWS_ENDPOINT_URL": "http://x"}, "AWS_ENDPOINT_URL", "unset it"),
        ({**AWS, "AWS_ENDPOINT_URL_RDS": "http://x"}, "AWS_ENDPOINT_URL_RDS", "unset it"),
    ],
)
def test_a_wrong_environment_is_refused(environ: dict[str, str], variable: str, text: str) -> None:
    """The variable, its value, and what it may be."""
    with pytest.raises(InvalidEnvironment) as refused:
        settings.from_environment(PLATFORM, environ)
    assert refused.value.variable == variable
    assert str(refused.value).startswith(f"{variable} is ")
    assert text in str(refused.value)


def test_the_local_regions_by_default() -> None:
    """Loopback, the platform's account as access key, the ports of `make dev`."""
    found = settings.from_environment(PLATFORM, LOCAL)
    assert found.target is Target.LOCAL
    assert found.controller == "external"
    assert found.local_url == "http://127.0.0.1:4566"
    assert found.access_key == PLATFORM.account
    assert found.service_proxy == "http://127.0.0.1:8080"
    assert found.dns is None
    assert isinstance(found.clock, RealClock)


def test_the_local_regions_elsewhere() -> None:
    """Every port and the clock come from the environment."""
    found = settings.from_environment(
        PLATFORM,
        {
            **LOCAL,
            "PLATFORM_LOCAL_URL": "http://localhost:5000/",
            "PLATFORM_DNS": "127.0.0.1:10053",
            "PLATFORM_CLOCK": "scaled:20:1000",
            "LOCAL_SERVICE_PORT": "9090",
        },
    )
    assert found.local_url == "http://localhost:5000"
    assert found.dns == ("127.0.0.1", 10053)
    assert found.clock == ScaledClock(20.0, 1000.0)
    assert found.service_proxy == "http://127.0.0.1:9090"


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("999999999999", "999999999999"),
        ("AKIAIOSFODNN7EXAMPLE", PLATFORM.account),
        ("", PLATFORM.account),
    ],
)
def test_real_credentials_are_never_sent_to_the_local_regions(key: str, sent: str) -> None:
    """An account id is taken as access key, anything else is not."""
    found = settings.from_environment(PLATFORM, {**LOCAL, "AWS_ACCESS_KEY_ID": key})
    assert found.access_key == sent


def test_aws_has_nothing_of_the_local_regions() -> None:
    """No key, no proxy, real time; endpoint overrides of a local session do not matter there."""
    found = settings.from_environment(PLATFORM, AWS)
    assert found.access_key is None
    assert found.service_proxy is None
    assert isinstance(found.clock, RealClock)
    local = settings.from_environment(PLATFORM, {**LOCAL, "AWS_ENDPOINT_URL_RDS": "http://x"})
    assert local.target is Target.LOCAL
