"""A world whose clock is moved by hand, and AWS calls straight to the services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_pipelines import model
from platform_pipelines.local import ministack
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.ministack_state import MinistackState
from platform_pipelines.local.world import Ports, World
from tests.local.aws.accounts import Account
from tests.local.aws.regions import HandClock, Regions
from tests.local.aws.stacks import StillWorld

SERVICES = ("efs", "rds", "cloudwatch", "eks", "ecr", "dynamodb", "sns", "sqs", "route53")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world at rest; nothing listens."""
    platform = model.load(Path(__file__).parents[3] / "platform.yaml")
    ministack.configure(platform, tmp_path, port=1)
    for name in SERVICES:
        ministack.service(name).reset()
    return World(
        platform=platform,
        state=tmp_path,
        ports=Ports(aws=1, kube={"seoul": 16443, "tokyo": 16444}),
        clock=HandClock(),
        ca_pem=b"-----BEGIN CERTIFICATE-----\n",
    )


@pytest.fixture
def regions(world: World) -> Regions:
    """Both Regions of the world, to be called as boto3 would."""
    return Regions(world)


@pytest.fixture
def account(world: World) -> Iterator[Account]:
    """An empty account."""
    registry, state = Registry(world), MinistackState()
    state.restore({})
    yield Account(world, registry)
    state.restore({})


@pytest.fixture
def still(world: World) -> StillWorld:
    """A world without servers, to be asked by boto3 clients."""
    return StillWorld(world)
