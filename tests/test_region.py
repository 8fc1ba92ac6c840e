import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from platform_pipelines import model
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import (
    Aws,
    Timeouts,
    Unreachable,
    WrongAccount,
    WrongEndpoint,
    error_code,
)
from platform_pipelines.aws.settings import Settings
from platform_pipelines.errors import Refused, UnknownRegion
from tests.fakes.calls import client_error
from tests.local_world import LocalWorld

PLATFORM = model.load(Path(__file__).parent.parent / "platform.yaml")
LOCAL = {"PLATFORM_TARGET": "local", "PLATFORM_CONTROLLER": "external"}
SERVICES = ("cloudformation", "cloudwatch", "dynamodb", "ecr", "efs", "eks", "rds", "s3", "sts")


def _settings(**environ: str) -> Settings:
    return environments.from_environment(PLATFORM, {**LOCAL, **environ})


@pytest.fixture
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody, so that clients of AWS can be made; nothing is called."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")


def _aws() -> Aws:
    return Aws(PLATFORM, _settings(PLATFORM_TARGET="aws", PLATFORM_CONTROLLER="tokyo"))


@pytest.mark.usefixtures("aws_keys")
@pytest.mark.parametrize("service", SERVICES)
def test_a_client_of_aws_speaks_to_its_own_region(service: str) -> None:
    """Whatever the environment's Region is; Route 53 belongs to none."""
    aws = _aws()
    for alias in ("seoul", "tokyo"):
        region = aws[alias]
        url = getattr(region, service).meta.endpoint_url
        assert f".{region.name}.amazonaws.com" in url
    assert aws["tokyo"].route53.meta.endpoint_url == "https://route53.amazonaws.com"


@pytest.mark.usefixtures("aws_keys")
def test_the_environment_cannot_send_a_call_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither by variables that came after the settings, nor by ~/.aws/config."""
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:1\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", "http://127.0.0.1:1")
    assert _aws()["seoul"].rds.meta.endpoint_url == "https://rds.ap-northeast-2.amazonaws.com"


@pytest.mark.parametrize("service", [*SERVICES, "route53"])
def test_a_local_client_speaks_to_loopback(service: str) -> None:
    """Every one of them, Route 53 too."""
    region = Aws(PLATFORM, _settings())["seoul"]
    assert getattr(region, service).meta.endpoint_url == "http://127.0.0.1:4566"


class _Elsewhere(boto3.Session):
    """A session that takes no advice: its clients go where they want."""

    to = "https://rds.us-east-1.amazonaws.com"

    def client(self, service: Any, **settings: Any) -> Any:  # type: ignore[override]
        return super().client(service, **{**settings, "endpoint_url": self.to})


@pytest.mark.usefixtures("aws_keys")
@pytest.mark.parametrize(
    ("target", "to", "allowed"),
    [
        ("aws", "https://rds.ap-northeast-1.amazonaws.com", "the Region's own endpoint"),
        ("aws", "http://127.0.0.1:4566", "the Region's own endpoint"),
        ("aws", "https://evil.example/ap-northeast-2.amazonaws.com", "the Region's own endpoint"),
        ("local", "https://rds.ap-northeast-2.amazonaws.com", "loopback"),
        ("local", "http://127.0.0.1.evil.example", "loopback"),
    ],
)
def test_a_wrong_endpoint_is_refused_before_any_call(target: str, to: str, allowed: str) -> None:
    """The last guard between the two worlds."""
    region = Aws(PLATFORM, _settings(PLATFORM_TARGET=target))["seoul"]
    session = _Elsewhere()
    session.to = to
    with pytest.raises(WrongEndpoint) as refused:
        _ = replace(region, session=session).rds
    assert isinstance(refused.value, Refused)
    assert f"The rds client would call {to}; target {target} allows {allowed} only" in str(
        refused.value
    )


def test_a_client_is_made_once_and_with_limits() -> None:
    """A dark Region hangs: 2 s, 5 s, three tries; a probe has less."""
    aws = Aws(PLATFORM, _settings())
    assert aws["seoul"].efs is aws["seoul"].efs
    config: Any = aws["seoul"].efs.meta.config  # what it holds is unknown to the stubs
    assert (config.connect_timeout, config.read_timeout) == (2.0, 5.0)
    probes = aws.patient(Timeouts(connect=1.0, read=1.0, attempts=1))
    assert probes is aws.patient(Timeouts(connect=1.0, read=1.0, attempts=1))
    config = probes["seoul"].efs.meta.config
    assert config.read_timeout == 1.0


def test_an_unknown_region_is_refused() -> None:
    """With the ones that there are."""
    with pytest.raises(UnknownRegion, match="seoul, tokyo"):
        Aws(PLATFORM, _settings())["osaka"]


def test_the_error_code_of_anything() -> None:
    """AWS's own, or the class's name."""
    assert error_code(client_error("Throttling", "slow", "X")) == "Throttling"
    assert error_code(ValueError("x")) == "ValueError"


# Against the local Regions


def _of(world: LocalWorld, **environ: str) -> Aws:
    settings = environments.from_environment(world.platform, {**world.environment(), **environ})
    return Aws(world.platform, settings)


def test_the_right_account_is_accepted(local_regions: LocalWorld) -> None:
    """STS says who we are."""
    _of(local_regions).verify_account()


def test_another_account_is_refused(local_regions: LocalWorld) -> None:
    """Its number, ours, and what to do."""
    with pytest.raises(WrongAccount) as refused:
        _of(local_regions, AWS_ACCESS_KEY_ID="999999999999").verify_account()
    assert str(refused.value) == (
        "The credentials are of account 999999999999; platform.yaml says 111122223333. "
        "Use credentials of 111122223333, or correct `account`."
    )


def test_nobody_answers(tmp_path: Path) -> None:
    """The address, the reason of each Region, and how to start what is missing."""
    with socket.socket() as taken:  # bound and not listening: refused at once
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable) as failed:
            Aws(PLATFORM, _settings(PLATFORM_LOCAL_URL=url)).verify_account()
    text = str(failed.value)
    assert text.startswith(f"{url} does not answer: ")
    assert "seoul: " in text
    assert "tokyo: " in text
    assert "Start the local Regions with `make dev` or set PLATFORM_LOCAL_URL." in text
